import ByteIO
import TensorCore

/// The filter fletcher32: the last 4 bytes of each chunk are a checksum of the others.
final class Fletcher32Stage: FilterStage {
  private let stage: any FilterStage
  private var buffer = [UInt8](repeating: 0, count: 1 << 16)
  /// The bytes at hand that are not the checksum, of those up to `end`.
  private var (position, ready, end) = (0, 0, 0)
  private var sum: UInt32 = 0
  private var isAtEnd = false

  init(_ stage: any FilterStage) { self.stage = stage }

  func read(into target: inout MutableRawSpan) throws(CheckpointError) -> Int {
    if position == ready, !isAtEnd { try refill() }
    let count = min(target.byteCount, ready - position)
    var part = target._mutatingExtracting(..<count)
    part.copyBytes(from: buffer[position..<position + count].rawBytes)
    position += count
    return count
  }

  private func refill() throws(CheckpointError) {
    // What may be the checksum comes first.
    let kept = Array(buffer[ready..<end])
    for (index, byte) in kept.enumerated() { buffer[index] = byte }
    let stage = stage
    end = try buffer.fillBytes { bytes throws(CheckpointError) in
      var rest = bytes._mutatingExtracting(kept.count...)
      return try kept.count + stage.fill(&rest)
    }
    isAtEnd = end < buffer.count
    guard end >= 4 else {
      throw CheckpointError(
        .malformed, "expected at least 4 bytes for a checksum, found \(end)")
    }
    // The sum is of words of 2 bytes, so it is continued at an even number of them.
    (position, ready) = (0, isAtEnd ? end - 4 : (end - 4) / 2 * 2)
    let next = Checksum.fletcher32(buffer.rawBytes.extracting(..<ready))
    sum = Checksum.fletcher32(sum, followedBy: next, ofCount: ready)
    if isAtEnd {
      try Checksum.check(fletcher32: sum, stored: buffer.littleEndian(UInt32.self, at: ready))
    }
  }
}
