/// What a plane's bytes say about how to pack it.
///
/// Whole numbers only, so that every machine decides alike.
struct PlaneStatistics {
  /// How often each byte occurs.
  private(set) var histogram = [Int](repeating: 0, count: 256)
  /// How often a byte equals the one before it.
  private(set) var repeats = 0
  private let count: Int

  /// Counts.
  init(_ plane: RawSpan) {
    count = plane.byteCount
    // Two tables, since a counter that was just written cannot be read again at once.
    var counts = [UInt32](repeating: 0, count: 512)
    var repeats = 0
    unsafe plane.withUnsafeBytes { bytes in
      unsafe counts.withUnsafeMutableBufferPointer { counts in
        var last = -1
        var index = 0
        while index < bytes.count {
          let byte = Int(unsafe bytes[index])
          unsafe counts[(index & 1) &<< 8 | byte] &+= 1
          if byte == last { repeats &+= 1 }
          last = byte
          index = index &+ 1
        }
      }
    }
    for byte in 0..<256 { histogram[byte] = Int(counts[byte]) + Int(counts[256 + byte]) }
    self.repeats = repeats
  }

  /// An estimate of the bits that an ideal code without matches needs, Σ c·log2(n / c).
  var codedBits: Int {
    if count == 0 { return 0 }
    let whole = fixedLogarithm(count)
    var bits = 0
    for occurrences in histogram where occurrences > 0 {
      bits += occurrences * (whole - fixedLogarithm(occurrences)) >> 10
    }
    return bits
  }

  /// The way of packing that the counts ask for.
  var packing: Zlib.Packing {
    // Where most bytes repeat the one before, a match says more than a code of one bit or longer.
    if repeats > count / 2 { return .runs }
    // A code must pay for its table and for the time of unpacking it: a thirty-second at least.
    return codedBits < count * 8 - count / 4 ? .literals : .stored
  }
}

/// The binary logarithm of a positive number in units of 1/1024, cut off.
///
/// Squaring the mantissa ten times gives its ten bits behind the point.
func fixedLogarithm(_ number: Int) -> Int {
  let whole = Int.bitWidth - 1 - number.leadingZeroBitCount
  var mantissa = (UInt64(number) << UInt64(62 - whole)) >> 31  // 1 <= mantissa / 2^31 < 2
  var result = whole
  for _ in 0..<10 {
    mantissa = mantissa * mantissa >> 31
    result <<= 1
    if mantissa >= 1 << 32 {
      mantissa >>= 1
      result |= 1
    }
  }
  return result
}
