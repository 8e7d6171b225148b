import ByteIO
import TensorCore

/// One filter of a pipeline as it is undone, or the stored bytes: makes bytes in order, piece by
/// piece, in memory that grows with neither the chunk nor what the filter packed.
protocol FilterStage: AnyObject {
  /// Fills the front of `target`, which is not empty, and returns how much; 0 only at the end.
  ///
  /// - Throws: ``CheckpointError`` `malformed`; at the end, every byte has been checked.
  func read(into target: inout MutableRawSpan) throws(CheckpointError) -> Int
}

extension FilterStage {
  /// Fills `target` as far as there are bytes, and returns how far.
  func fill(_ target: inout MutableRawSpan) throws(CheckpointError) -> Int {
    var count = 0
    while count < target.byteCount {
      var rest = target._mutatingExtracting(count...)
      let more = try read(into: &rest)
      if more == 0 { break }
      count += more
    }
    return count
  }
}

/// Bytes as they are in the file, or in memory.
final class SourceStage: FilterStage {
  let source: ByteSource
  private var position = 0

  init(_ source: ByteSource) { self.source = source }

  func read(into target: inout MutableRawSpan) throws(CheckpointError) -> Int {
    let count = min(target.byteCount, source.size - position)
    if count == 0 { return 0 }
    var part = target._mutatingExtracting(..<count)
    try source.read(at: position, into: &part)
    position += count
    return count
  }
}

/// The bytes that one stage makes, as the next one takes them.
struct FilterInput {
  private let stage: any FilterStage
  private let limit: Int
  private let bufferSize: Int
  private var buffer: [UInt8] = []
  private var (position, end) = (0, 0)
  private var taken = 0

  /// Takes bytes of a stage, which may make `limit` of them.
  init(_ stage: any FilterStage, limit: Int, bufferSize: Int = 1 << 16) {
    (self.stage, self.limit, self.bufferSize) = (stage, limit, bufferSize)
  }

  /// The source of all bytes, if they are as stored.
  var source: ByteSource? { (stage as? SourceStage)?.source }

  /// Whether there is another byte.
  mutating func hasMore() throws(CheckpointError) -> Bool {
    if position < end { return true }
    if buffer.isEmpty { buffer = [UInt8](repeating: 0, count: bufferSize) }
    let stage = stage
    (position, end) = (0, 0)
    end = try buffer.fillBytes { target throws(CheckpointError) in try stage.read(into: &target) }
    taken += end
    guard taken <= limit else {
      throw CheckpointError(.malformed, "expected at most \(limit) bytes, found more")
    }
    return end > 0
  }

  /// The next byte.
  mutating func byte() throws(CheckpointError) -> UInt8 {
    guard try hasMore() else { throw Self.cutShort }
    defer { position += 1 }
    return buffer[position]
  }

  /// The next 4 bytes as a number, most significant first.
  mutating func bigEndian() throws(CheckpointError) -> Int {
    var number = 0
    for _ in 0..<4 { number = number << 8 | Int(try byte()) }
    return number
  }

  /// The next `count` bytes, or fewer at the end.
  mutating func prefix(_ count: Int) throws(CheckpointError) -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < count, try hasMore() {
      let part = min(count - bytes.count, end - position)
      bytes += buffer[position..<position + part]
      position += part
    }
    return bytes
  }

  /// The next `count` bytes.
  mutating func bytes(_ count: Int) throws(CheckpointError) -> [UInt8] {
    let bytes = try prefix(count)
    guard bytes.count == count else { throw Self.cutShort }
    return bytes
  }

  /// All bytes that are left.
  mutating func rest() throws(CheckpointError) -> [UInt8] { try prefix(.max) }

  /// Passes the bytes at hand to `use`, which returns how many it took; there may be none.
  mutating func take(
    _ use: (RawSpan) throws(CheckpointError) -> Int
  ) throws(CheckpointError) {
    let count = try use(buffer[position..<end].rawBytes)
    position += count
  }

  /// What is thrown where bytes are missing.
  static var cutShort: CheckpointError {
    CheckpointError(.malformed, "the packed bytes are truncated")
  }
}
