import ByteIO
import TensorCore

/// Reads the header of a GGUF file from its beginning on, some bytes at a time.
///
/// No number from the file reserves memory for bytes that are not there, and the header is limited.
struct GGUFCursor {
  private let file: ByteSource
  private let limit: Int
  private var buffer: [UInt8] = []
  private var bufferStart = 0
  /// The byte of the file that is read next.
  private(set) var position = 0

  private static let step = 1 << 16

  init(_ file: ByteSource) {
    self.file = file
    limit = min(file.size, GGUF.maxHeaderSize)
  }

  /// Bytes of the header that may follow.
  var rest: Int { limit - position }

  /// Takes a number.
  mutating func number<Number: FixedWidthInteger>(
    _ type: Number.Type = Number.self
  ) throws(CheckpointError) -> Number {
    let place = try take(Number.bitWidth / 8)
    return buffer.littleEndian(type, at: place.lowerBound)
  }

  /// Takes a 64-bit count of things of which each takes at least `size` bytes.
  mutating func count(
    _ what: String, size: Int, atMost most: Int = .max
  ) throws(CheckpointError) -> Int {
    let start = position
    let number = try number(UInt64.self)
    guard let count = Int(exactly: number), count <= rest / size, count <= most else {
      let isLong = limit < file.size && number <= file.size
      throw CheckpointError(
        .malformed,
        isLong
          ? "\(number) \(what), more than a header of \(limit) bytes can hold"
          : "\(number) \(what), at most \(min(max(rest, 0) / size, most)) can follow", offset: start
      )
    }
    return count
  }

  /// Takes a text's bytes: a 64-bit count and so many bytes.
  mutating func text(_ what: String, atMost most: Int = .max) throws(CheckpointError) -> [UInt8] {
    let count = try count("bytes of \(what)", size: 1, atMost: most)
    return Array(buffer[try take(count)])
  }

  /// Makes sure that `count` bytes are in the buffer, and where.
  private mutating func take(_ count: Int) throws(CheckpointError) -> Range<Int> {
    guard count <= rest else {
      throw CheckpointError(
        .malformed,
        limit < file.size
          ? "a header of more than \(limit) bytes" : "the file ends within its header",
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
