import ByteIO
import TensorCore

/// Reads the header of a GGUF file from the beginning, a few bytes at a time.
///
/// No number in the file can cause an allocation larger than the file, and the header's size is
/// limited.
struct GGUFCursor {
  private var cursor: ByteCursor
  private let isCut: Bool

  /// Whether numbers have their most significant byte first.
  var isBigEndian = false

  init(_ file: ByteSource) {
    cursor = ByteCursor(file, 0..<min(file.size, GGUF.maxHeaderSize))
    isCut = file.size > GGUF.maxHeaderSize
  }

  /// Offset in the file of the next byte.
  var position: Int { cursor.position }
  /// Number of bytes that the header may still have.
  var rest: Int { cursor.rest }

  /// Reads a number in the file's byte order.
  mutating func number<Number: FixedWidthInteger>(
    _ type: Number.Type = Number.self
  ) throws(CheckpointError) -> Number {
    guard Number.bitWidth / 8 <= rest else {
      throw CheckpointError(
        .malformed,
        isCut
          ? "the header has more than \(GGUF.maxHeaderSize) bytes"
          : "the file ends inside its header", offset: position)
    }
    let number = try cursor.littleEndian(type)
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
      let isLong = isCut && number <= cursor.source.size
      throw CheckpointError(
        .malformed,
        isLong
          ? "\(number) \(what) do not fit in a header of \(GGUF.maxHeaderSize) bytes"
          : "expected at most \(min(max(rest, 0) / size, most)) \(what) here, found \(number)",
        offset: start
      )
    }
    return count
  }

  /// Reads a string: a 64-bit count and that many bytes.
  mutating func text(_ what: String, atMost most: Int = .max) throws(CheckpointError) -> [UInt8] {
    try cursor.bytes(try count("bytes of \(what)", size: 1, atMost: most))
  }
}
