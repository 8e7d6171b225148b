import Glibc

/// Comparing, copying, and filling bytes.
extension RawSpan {
  /// One byte.
  package func byte(at offset: Int) -> UInt8 {
    precondition((0..<byteCount).contains(offset), "past the end")
    return unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self)
  }

  /// The little-endian word of 1, 2, 4, or 8 bytes at an index, which must be inside.
  package func word(_ index: Int, width: Int) -> UInt64 {
    let offset = index * width
    precondition(index >= 0 && offset + width <= byteCount, "past the end")
    return switch width {
    case 1: UInt64(unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self))
    case 2: UInt64(unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt16.self))
    case 4: UInt64(unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
    default: unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
    }
  }

  /// Whether both spans hold the same bytes.
  package func isByteEqual(to other: RawSpan) -> Bool {
    byteCount == other.byteCount && isByteEqual(to: other, in: 0..<byteCount)
  }

  /// Whether both spans, which must reach that far, hold the same bytes in `range`.
  package func isByteEqual(to other: RawSpan, in range: Range<Int>) -> Bool {
    precondition(
      range.upperBound <= byteCount && range.upperBound <= other.byteCount, "past the end")
    if range.isEmpty { return true }
    return unsafe withUnsafeBytes { left in
      unsafe other.withUnsafeBytes { right in
        guard let left = left.baseAddress, let right = right.baseAddress else { return true }
        return unsafe memcmp(left + range.lowerBound, right + range.lowerBound, range.count) == 0
      }
    }
  }
}

extension MutableRawSpan {
  /// Copies the bytes of a span of just this size.
  @_lifetime(self: copy self)
  package mutating func copyBytes(from source: RawSpan) {
    precondition(source.byteCount == byteCount, "spans of two sizes")
    unsafe source.withUnsafeBytes { source in
      unsafe withUnsafeMutableBytes { target in unsafe target.copyMemory(from: source) }
    }
  }

  /// Fills the span with repetitions of `pattern`, starting with byte `offset` of the endless
  /// repetition; an empty pattern means zeros.
  @_lifetime(self: copy self)
  package mutating func fill(_ pattern: [UInt8], from offset: Int) {
    unsafe withUnsafeMutableBytes { bytes in
      if pattern.isEmpty {
        unsafe bytes.initializeMemory(as: UInt8.self, repeating: 0)
        return
      }
      for index in 0..<min(pattern.count, bytes.count) {
        unsafe bytes[index] = pattern[(offset + index) % pattern.count]
      }
      var done = pattern.count
      while done < bytes.count {
        let count = min(done, bytes.count - done)
        let begin = unsafe UnsafeRawBufferPointer(rebasing: bytes[..<count])
        unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[done..<done + count])
          .copyMemory(from: begin)
        done += count
      }
    }
  }

  /// Fills the span with bytes `range` of a tensor that is made in whole elements of `width` bytes.
  ///
  /// Ranges need not begin or end between elements: `body` is given the elements that cover the
  /// range and memory for just them, which is this span where both are the same.
  @_lifetime(self: copy self)
  package mutating func fillElements<Failure: Error>(
    _ range: Range<Int>, width: Int,
    by body: (_ elements: Range<Int>, _ bytes: inout MutableRawSpan) throws(Failure) -> Void
  ) throws(Failure) {
    let elements = range.lowerBound / width..<(range.upperBound + width - 1) / width
    if elements.count * width == range.count { return try body(elements, &self) }
    var whole = [UInt8](repeating: 0, count: elements.count * width)
    var span = whole.mutableSpan
    var bytes = unsafe span.mutableBytes
    try body(elements, &bytes)
    let start = range.lowerBound - elements.lowerBound * width
    copyBytes(from: bytes.bytes.extracting(start..<start + range.count))
  }
}
