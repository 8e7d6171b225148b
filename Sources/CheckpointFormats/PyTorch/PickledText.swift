import ByteIO
import Synchronization
import TensorCore

/// Bytes that are written as text in Latin-1, in UTF-8, read by position.
final class PickledText: Sendable {
  private let source: ByteSource
  private let stored: Range<Int>
  /// Where every ``step``-th byte is in the text, found when something is read.
  private let starts: Mutex<[Int]> = Mutex([])

  private static let step = 1 << 14
  private static let partSize = 1 << 16

  /// Bytes at `stored` in `source`, whose characters are at most U+00FF.
  init(_ source: ByteSource, _ stored: Range<Int>) {
    (self.source, self.stored) = (source, stored)
  }

  /// Fills a span with the bytes starting at an offset.
  func read(at offset: Int, into target: inout MutableRawSpan) throws(CheckpointError) {
    let start = try starts.withLock { starts throws(CheckpointError) in
      if starts.isEmpty { starts = try found() }
      return starts[offset / Self.step]
    }
    var skipped = offset % Self.step
    var lead: UInt8 = 0
    var filled = 0
    var position = start
    while filled < target.byteCount {
      let end = min(position + Self.partSize, stored.upperBound)
      for byte in try source.bytes(position..<end) {
        if byte >= 0xc0 {
          lead = byte
        } else if skipped > 0 {
          skipped -= 1
        } else {
          target.storeBytes(
            of: byte < 0x80 ? byte : lead << 6 | byte & 0x3f, toByteOffset: filled, as: UInt8.self)
          filled += 1
          if filled == target.byteCount { break }
        }
      }
      position = end
    }
  }

  /// The places of every ``step``-th byte, each at the beginning of its character.
  private func found() throws(CheckpointError) -> [Int] {
    var starts: [Int] = []
    var count = 0
    for part in stride(from: stored.lowerBound, to: stored.upperBound, by: Self.partSize) {
      let bytes = try source.bytes(part..<min(part + Self.partSize, stored.upperBound))
      for (index, byte) in bytes.enumerated() where byte & 0xc0 != 0x80 {
        if count % Self.step == 0 { starts.append(part + index) }
        count += 1
      }
    }
    return starts.isEmpty ? [stored.lowerBound] : starts
  }
}
