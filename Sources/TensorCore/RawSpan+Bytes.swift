import Glibc

extension RawSpan {
  /// Whether both spans hold the same bytes.
  public func isByteEqual(to other: RawSpan) -> Bool {
    byteCount == other.byteCount && isByteEqual(to: other, in: 0..<byteCount)
  }

  /// Whether both spans, which must reach that far, hold the same bytes in `range`.
  public func isByteEqual(to other: RawSpan, in range: Range<Int>) -> Bool {
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
  public mutating func copy(from source: RawSpan) {
    precondition(source.byteCount == byteCount, "span of another size")
    unsafe withUnsafeMutableBytes { target in
      unsafe source.withUnsafeBytes { unsafe target.copyMemory(from: $0) }
    }
  }
}
