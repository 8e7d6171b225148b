package import TensorCore

/// Little-endian numbers in byte arrays and spans.
extension [UInt8] {
  /// The array's bytes, to read.
  package var rawBytes: RawSpan {
    @_lifetime(borrow self) borrowing get { unsafe span.bytes }
  }

  /// Reserves `count` bytes and lets `fill` write them.
  package init<Failure: Error>(
    count: Int, filledBy fill: (_ bytes: inout MutableRawSpan) throws(Failure) -> Void
  ) throws(Failure) {
    self.init(repeating: 0, count: count)
    var elements = mutableSpan
    var bytes = unsafe elements.mutableBytes
    try fill(&bytes)
  }

  /// Lets `fill` write the array's bytes.
  package mutating func fillBytes<Result, Failure: Error>(
    _ fill: (_ bytes: inout MutableRawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    var elements = mutableSpan
    var bytes = unsafe elements.mutableBytes
    return try fill(&bytes)
  }

  /// Appends a number's bytes, least significant first.
  package mutating func appendLittleEndian<Number: FixedWidthInteger>(_ number: Number) {
    for shift in stride(from: 0, to: Number.bitWidth, by: 8) {
      append(UInt8(truncatingIfNeeded: number >> shift))
    }
  }

  /// The little-endian number at `offset`, all of whose bytes must be inside the array.
  package func littleEndian<Number: FixedWidthInteger>(
    _ type: Number.Type, at offset: Int
  ) -> Number {
    var number: Number = 0
    for index in 0..<Number.bitWidth / 8 {
      number |= Number(truncatingIfNeeded: self[offset + index]) << (8 * index)
    }
    return number
  }
}

extension ArraySlice<UInt8> {
  /// The slice's bytes, to read.
  package var rawBytes: RawSpan {
    @_lifetime(borrow self) borrowing get { unsafe span.bytes }
  }
}

extension RawSpan {
  /// The little-endian number at `offset`, all of whose bytes must be inside the span.
  package func littleEndian<Number: FixedWidthInteger & BitwiseCopyable>(
    _ type: Number.Type, at offset: Int
  ) -> Number {
    precondition(offset >= 0 && MemoryLayout<Number>.size <= byteCount - offset, "past the end")
    return Number(littleEndian: unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: type))
  }
}

extension MutableRawSpan {
  /// Reverses the bytes of each whole word of `width` bytes.
  @_lifetime(self: copy self)
  package mutating func swapBytes(width: Int) {
    unsafe withUnsafeMutableBytes { bytes in
      for start in stride(from: 0, to: bytes.count - width + 1, by: width) {
        for index in 0..<width / 2 {
          unsafe bytes.swapAt(start + index, start + width - 1 - index)
        }
      }
    }
  }
}

extension Checkpoint.Entry {
  /// The bytes in `range` of the tensor, by default all of them.
  ///
  /// - Throws: ``CheckpointError`` carrying the tensor's name.
  package func bytes(_ range: Range<Int>? = nil) throws -> [UInt8] {
    let range = range ?? 0..<info.byteCount
    var bytes = [UInt8](repeating: 0, count: range.count)
    var elements = bytes.mutableSpan
    var target = unsafe elements.mutableBytes
    try read(range, into: &target)
    return bytes
  }
}
