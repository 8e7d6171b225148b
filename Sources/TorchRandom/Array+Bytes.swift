/// The memory of an array as spans.
extension [UInt8] {
  /// Lends the array's bytes to be read through a span.
  package func withRawSpan<Result>(_ body: (RawSpan) throws -> Result) rethrows -> Result {
    try body(unsafe span.bytes)
  }

  /// Lends the array's bytes to be written through a span.
  package mutating func withMutableRawSpan<Result>(
    _ body: (inout MutableRawSpan) throws -> Result
  ) rethrows -> Result {
    var elements = mutableSpan
    var bytes = unsafe elements.mutableBytes
    return try body(&bytes)
  }
}
