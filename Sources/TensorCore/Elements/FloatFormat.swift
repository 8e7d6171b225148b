/// The bit fields of a binary floating-point type of at most 64 bits: sign, exponent, mantissa,
/// from the highest bit to the lowest.
///
/// Sources: IEEE 754-2019, 3.4; OCP 8-bit floating point 1.0 (`finite`); Noune et al., *8-bit
/// numerical formats for deep neural networks*, 2022 (`unsignedZero`); OCP microscaling formats
/// 1.0 (`scale`).
package struct FloatFormat: Hashable, Sendable {
  /// Which bit patterns are not finite numbers.
  package enum Specials: Hashable, Sendable {
    /// The largest exponent stands for infinity and NaN.
    case ieee
    /// No infinity: the largest magnitude is NaN, all others are numbers. PyTorch's suffix `fn`.
    case finite
    /// Neither infinity nor negative zero, whose pattern is NaN. PyTorch's suffix `fnuz`.
    case unsignedZero
    /// Only an exponent, no sign and no zero: all ones are NaN, everything else is a power of two.
    case scale
  }

  /// Bits of the exponent.
  package let exponentBits: Int
  /// Bits of the mantissa, the leading one not counted.
  package let mantissaBits: Int
  /// What is subtracted from the stored exponent of a normal number.
  package let bias: Int
  /// Which bit patterns are not finite numbers.
  package let specials: Specials

  package init(exponentBits: Int, mantissaBits: Int, bias: Int, specials: Specials = .ieee) {
    self.exponentBits = exponentBits
    self.mantissaBits = mantissaBits
    self.bias = bias
    self.specials = specials
  }

  /// Bytes of an element.
  package var byteWidth: Int { (exponentBits + mantissaBits + 7) / 8 }

  /// The sign's bit; zero for a type without one.
  package var signBit: UInt64 { specials == .scale ? 0 : 1 << UInt64(exponentBits + mantissaBits) }

  /// The bits of positive infinity, or of the largest number where there is no infinity.
  var greatestBits: UInt64 {
    switch specials {
    case .ieee: (1 << UInt64(exponentBits) - 1) << UInt64(mantissaBits)
    case .finite: 1 << UInt64(exponentBits + mantissaBits) - 2
    case .unsignedZero: 1 << UInt64(exponentBits + mantissaBits) - 1
    case .scale: 1 << UInt64(exponentBits) - 2
    }
  }

  /// The largest finite number, as `torch.finfo(dtype).max`.
  package var greatestFinite: Double {
    let bits = specials == .ieee ? greatestBits - 1 : greatestBits
    let mantissa = bits & (1 << UInt64(mantissaBits) - 1) | 1 << UInt64(mantissaBits)
    return Double(
      sign: .plus, exponent: Int(bits >> UInt64(mantissaBits)) - bias - mantissaBits,
      significand: Double(mantissa))
  }

  /// The smallest number, as `torch.finfo(dtype).min`: negative but for types without a sign.
  package var leastFinite: Double {
    specials == .scale ? Double(sign: .plus, exponent: -bias, significand: 1) : -greatestFinite
  }

  /// The largest number that rounds to the largest finite one of a `finite` type: half a unit more.
  // With mantissa m bits, the largest number of a `finite` type is (2^(m+1) - 2) units, its last
  // pattern being NaN: half a unit is that divided by 2 (2^(m+1) - 2).
  var roundingLimit: Double { greatestFinite + greatestFinite / Double(4 << mantissaBits - 4) }

  /// Whether a constant of this value exists in the type, as `Tensor.fill_` checks it: NaN, infinity
  /// where the type has one, and numbers that are not beyond the largest.
  ///
  /// Zero passes in a type without zero, where `Tensor.zero_` stores the least number.
  package func holds(_ value: Double) -> Bool {
    value.isNaN || value == 0 || value.isInfinite && specials == .ieee
      || leastFinite...greatestFinite ~= value
  }

  /// What becomes of numbers that are too large for the type when tensors are converted, as said
  /// after "N values were too large for float16 and".
  package var overflowOutcome: String {
    switch specials {
    case .ieee: "became infinite"
    case .finite: "became ±\(Int(greatestFinite))"
    case .unsignedZero: "became NaN"
    case .scale: "became NaN, or were not positive and lost sign or zero"
    }
  }

  /// The count of representable numbers between two elements: the distance in units in the last
  /// place, 0 between the two zeros; `nil` if either is NaN.
  ///
  /// The bits of an element are the low bits of the arguments.
  package func unitsInLastPlace(from one: UInt64, to other: UInt64) -> UInt64? {
    guard !isNaN(one), !isNaN(other) else { return nil }
    let (left, right) = (one & ~signBit, other & ~signBit)
    // Magnitudes have at most 63 bits, so that the sum of two has room.
    if (one ^ other) & signBit != 0 { return left + right }
    return max(left, right) - min(left, right)
  }

  private func isNaN(_ bits: UInt64) -> Bool {
    if specials == .unsignedZero { return bits == signBit }
    return bits & ~signBit > greatestBits
  }
}
