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

  /// Adds a number's bytes, the least significant first.
  package mutating func appendLittleEndian<Number: FixedWidthInteger>(_ number: Number) {
    for shift in stride(from: 0, to: Number.bitWidth, by: 8) {
      append(UInt8(truncatingIfNeeded: number >> shift))
    }
  }

  /// The number whose bytes stand at `offset`, the least significant first; all of it must be there.
  package func littleEndian<Number: FixedWidthInteger>(
    _ type: Number.Type, at offset: Int
  ) -> Number {
    var number: Number = 0
    for place in 0..<Number.bitWidth / 8 {
      number |= Number(truncatingIfNeeded: self[offset + place]) << (8 * place)
    }
    return number
  }
}
