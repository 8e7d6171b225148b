import ByteIO
import TensorCore

/// Reads the header of a GGUF file from the beginning, a few bytes at a time.
///
/// No number in the file can cause an allocation larger than the file, and the header's size is
/// limited.
struct GGUFCursor {
  private let file: ByteSource
  private let limit: Int
  private var buffer: [UInt8] = []
  private var bufferStart = 0
  /// Offset in the file of the next byte.
  private(set) var position = 0

  /// Whether numbers have their most significant byte first.
  var isBigEndian = false

  private static let step = 1 << 16

  init(_ file: ByteSource) {
    self.file = file
    limit = min(file.size, GGUF.maxHeaderSize)
  }

  /// Number of bytes that the header may still have.
  var rest: Int { limit - position }

  /// Reads a number in the file's byte order.
  mutating func number<Number: FixedWidthInteger>(
    _ type: Number.Type = Number.self
  ) throws(CheckpointError) -> Number {
    let range = try take(Number.bitWidth / 8)
    let number = buffer.littleEndian(type, at: range.lowerBound)
    return isBigEndian ? number.byteSwapped : number
  }

  /// Reads a 64-bit count of items of at least `size` bytes each, which must fit in the rest of the
  /// file.
  mutating func count(
    _ what: String, size: Int, atMost most: Int = .max
  ) throws(CheckpointError) -> Int {
    let start = position
    let number = try number(UInt64.self)
    // Divided, not multiplied: `number` comes from the file, and a product could overflow.
    guard let count = Int(exactly: number), count <= rest / size, count <= most else {
      let isLong = limit < file.size && number <= file.size
      throw CheckpointError(
        .malformed,
        isLong
          ? "\(number) \(what) do not fit in a header of \(limit) bytes"
          : "expected at most \(min(max(rest, 0) / size, most)) \(what) here, found \(number)",
        offset: start
      )
    }
    return count
  }

  /// Reads a string: a 64-bit count and that many bytes.
  mutating func text(_ what: String, atMost most: Int = .max) throws(CheckpointError) -> [UInt8] {
    let count = try count("bytes of \(what)", size: 1, atMost: most)
    return Array(buffer[try take(count)])
  }

  /// Makes sure that the next `count` bytes are in the buffer, and returns their position in it.
  private mutating func take(_ count: Int) throws(CheckpointError) -> Range<Int> {
    guard count <= rest else {
      throw CheckpointError(
        .malformed,
        limit < file.size
          ? "the header has more than \(limit) bytes" : "the file ends inside its header",
        offset: position)
    }
    if position + count > bufferStart + buffer.count {
      bufferStart = position
      buffer = try file.bytes(position..<position + min(max(count, Self.step), rest))
    }
    let start = position - bufferStart
    position += count
    return start..<start + count
  }
}
