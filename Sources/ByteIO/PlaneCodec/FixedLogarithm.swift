import CKernels

/// Binary logarithms in units of 1/1024, of integers by integers, so that every machine makes the
/// same decisions.
package enum FixedLogarithm {
  /// Bits of a number that the table of fractions distinguishes.
  private static let precision = 12
  /// log2(1 + i / 4096).
  private static let fractions = (0...1 << precision).map {
    logarithm((1 << precision) + $0) - (precision << 10)
  }
  /// n · log2(n) for small n.
  private static let products = (0...1 << precision).map { $0 > 1 ? $0 * logarithm($0) : 0 }

  /// log2(n), rounded down; each squaring of the mantissa gives one more bit of the fraction.
  static func logarithm(_ number: Int) -> Int {
    let whole = Int.bitWidth - 1 - number.leadingZeroBitCount
    var mantissa = (UInt64(number) << UInt64(62 - whole)) >> 31  // 1 <= mantissa / 2^31 < 2
    var result = whole
    for _ in 0..<10 {
      mantissa = (mantissa * mantissa) >> 31
      result <<= 1
      if mantissa >= 1 << 32 {
        mantissa >>= 1
        result |= 1
      }
    }
    return result
  }

  /// n · log2(n); 0 for 0.
  package static func product(_ number: Int) -> Int {
    if number < products.count { return products[number] }
    let whole = Int.bitWidth - 1 - number.leadingZeroBitCount
    let fraction = fractions[(number >> (whole - precision)) - (1 << precision)]
    return number * ((whole << 10) + fraction)
  }

  /// Size in bits of an ideal code for bytes that occur so often, Σ c · log2(n / c), and how many
  /// different ones there are.
  static func entropy(of counts: borrowing [256 of UInt32], total: Int) -> (bits: Int, used: Int) {
    var (sum, used) = (0, 0)
    for index in counts.indices where counts[index] > 0 {
      sum += product(Int(counts[index]))
      used += 1
    }
    return ((product(total) - sum) >> 10, used)
  }

  /// The same of bytes.
  package static func entropy(of bytes: RawSpan) -> (bits: Int, used: Int) {
    var counts: [256 of UInt32] = .init(repeating: 0)
    fill(&counts, with: bytes)
    return entropy(of: counts, total: bytes.byteCount)
  }

  /// Counts bytes.
  static func fill(_ counts: inout [256 of UInt32], with bytes: RawSpan) {
    var counts = counts.mutableSpan
    unsafe bytes.withUnsafeBytes { bytes in
      unsafe counts.withUnsafeMutableBufferPointer { counts in
        unsafe ckpt_histogram(
          bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count, counts.baseAddress)
      }
    }
  }
}
