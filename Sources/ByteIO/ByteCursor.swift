package import TensorCore

/// Reads a range of a source from its beginning, a few bytes at a time.
///
/// Nothing is read beyond the range, and no number in a file can cause an allocation larger than the
/// range. What is skipped is not read.
package struct ByteCursor: Sendable {
  /// What is read.
  package let source: ByteSource
  /// Offset in the source of the end of the range.
  package let end: Int
  /// Offset in the source of the next byte.
  package private(set) var position: Int
  private var buffer: [UInt8] = []
  private var bufferStart = 0

  private static let step = 1 << 13

  /// Begins at the first byte of a range, which must be inside the source; default: all of it.
  package init(_ source: ByteSource, _ range: Range<Int>? = nil) {
    self.source = source
    let range = range ?? 0..<source.size
    precondition(range.lowerBound >= 0 && range.upperBound <= source.size, "outside the source")
    (position, end) = (range.lowerBound, range.upperBound)
  }

  private init(_ other: Self, _ range: Range<Int>) {
    precondition(range.lowerBound >= 0 && range.upperBound <= other.end, "outside the range")
    (source, buffer, bufferStart) = (other.source, other.buffer, other.bufferStart)
    (position, end) = (range.lowerBound, range.upperBound)
  }

  /// A cursor of its own over a part of the same source, which shares the bytes read so far.
  package func part(_ range: Range<Int>) -> ByteCursor { ByteCursor(self, range) }

  /// Whether all bytes have been read.
  package var isAtEnd: Bool { position == end }
  /// Number of bytes that follow.
  package var rest: Int { end - position }

  /// Passes over bytes, and answers where they are.
  ///
  /// - Throws: ``CheckpointError`` `malformed` when fewer are left.
  package mutating func skip(_ count: some BinaryInteger) throws(CheckpointError) -> Range<Int> {
    guard let count = Int(exactly: count), count >= 0, count <= rest else {
      throw CheckpointError(
        .malformed, "expected \(count) more bytes here, found \(rest)", offset: position)
    }
    position += count
    return position - count..<position
  }

  /// Reads a byte.
  package mutating func byte() throws(CheckpointError) -> UInt8 { buffer[try take(1)] }

  /// Reads as many bytes.
  package mutating func bytes(_ count: some BinaryInteger) throws(CheckpointError) -> [UInt8] {
    let range = try skip(count)
    position = range.lowerBound
    let start = try take(range.count)
    return Array(buffer[start..<start + range.count])
  }

  /// Reads a number with its least significant byte first.
  package mutating func littleEndian<Number: FixedWidthInteger>(
    _ type: Number.Type
  ) throws(CheckpointError) -> Number {
    let start = try take(Number.bitWidth / 8)
    return buffer.littleEndian(type, at: start)
  }

  /// Reads a number with its most significant byte first.
  package mutating func bigEndian<Number: FixedWidthInteger>(
    _ type: Number.Type
  ) throws(CheckpointError) -> Number {
    try littleEndian(type).byteSwapped
  }

  /// Reads a number of up to ten bytes with seven bits each, the least significant first, a set high
  /// bit in all but the last; bits above 64 are dropped, as protobuf does.
  package mutating func varint() throws(CheckpointError) -> UInt64 {
    let start = position
    var number: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 70, by: 7) {
      let byte = try byte()
      number |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return number }
    }
    throw CheckpointError(
      .malformed, "expected a number of at most 10 bytes here, found a longer one", offset: start)
  }

  /// Reads numbers up to the end, as ``varint()`` does, in time that depends on their bytes alone.
  package mutating func forEachVarint(
    _ body: (UInt64) throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    var (number, shift): (UInt64, UInt64) = (0, 0)
    while !isAtEnd {
      let block = try source.bytes(position..<position + min(1 << 16, rest))
      for byte in block {
        number |= UInt64(byte & 0x7f) << shift
        if byte < 0x80 {
          try body(number)
          (number, shift) = (0, 0)
        } else if shift < 63 {
          shift += 7
        } else {
          throw CheckpointError(
            .malformed, "expected numbers of at most 10 bytes here, found a longer one",
            offset: position)
        }
      }
      position += block.count
    }
    guard shift == 0 else {
      throw CheckpointError(
        .malformed, "expected another byte of a number here, found the end", offset: position)
    }
  }

  /// Makes sure that the next `count` bytes are in the buffer, passes over them, and answers their
  /// index in it.
  private mutating func take(_ count: Int) throws(CheckpointError) -> Int {
    guard count <= rest else {
      throw CheckpointError(
        .malformed, "expected \(count) more byte\(count == 1 ? "" : "s") here, found \(rest)",
        offset: position)
    }
    if position < bufferStart || position + count > bufferStart + buffer.count {
      bufferStart = position
      buffer = try source.bytes(position..<position + min(max(count, Self.step), rest))
    }
    position += count
    return position - count - bufferStart
  }
}
