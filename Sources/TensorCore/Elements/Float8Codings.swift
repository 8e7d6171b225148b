// Codings of floating-point numbers of eight bits. Values are those of PyTorch 2.15 on a CPU
// (`c10/util/Float8_e4m3fn.h` and its siblings), NaN payloads included; golden bytes in
// Fixtures/elements.

/// A float of a sign, an exponent and a mantissa in one byte.
protocol Float8Coding: SingleCoding where Word == UInt8 {
  /// The 256 values.
  static var values: [Float] { get }
}

extension Float8Coding {
  static func real(_ word: UInt8) -> Float { values[Int(word)] }

  /// Rounds to nearest, ties to even.
  ///
  /// A `finite` type stops at its largest number, infinity included; one with `unsignedZero` makes
  /// NaN of all that is too large.
  static func word(rounding value: Float) -> UInt8 {
    let sign = UInt8(value.bitPattern >> 24 & 0x80)
    let isUnsignedZero = format.specials == .unsignedZero
    if value.isNaN { return isUnsignedZero ? 0x80 : sign | 0x7f }
    let bits = value.bitPattern & 0x7fff_ffff
    let dropped = UInt32(23 - format.mantissaBits)
    let rebias = UInt32(127 - format.bias)
    let rounded: UInt32
    if bits >> 23 > rebias {
      let half = (1 as UInt32) << (dropped - 1) - 1 + (bits >> dropped & 1)
      rounded = (bits + half) >> dropped - rebias << UInt32(format.mantissaBits)
    } else {
      // A subnormal: beside this number a unit in the last place is the type's smallest number.
      let magic = Float(
        sign: .plus, exponent: 24 - format.bias - format.mantissaBits, significand: 1)
      rounded = (Float(bitPattern: bits) + magic).bitPattern - magic.bitPattern
    }
    let greatest = UInt32(format.greatestBits)
    if isUnsignedZero {
      if rounded > greatest { return 0x80 }
      return rounded == 0 ? 0 : sign | UInt8(rounded)
    }
    return sign | UInt8(min(rounded, greatest))
  }

  /// Computes all values from the format.
  static func decodedValues() -> [Float] {
    let mantissaBits = UInt32(format.mantissaBits)
    return (0..<256).map { (word: UInt32) -> Float in
      let (sign, magnitude) = ((word & 0x80) << 24, word & 0x7f)
      if format.specials == .unsignedZero, word == 0x80 { return Float(bitPattern: 0x7f80_0001) }
      let mantissa = magnitude & (1 << mantissaBits - 1)
      if magnitude > UInt32(format.greatestBits) {
        return Float(bitPattern: sign | 0x7fc0_0000 | mantissa << (23 - mantissaBits))
      }
      let exponent = Int(magnitude >> mantissaBits)
      if magnitude == UInt32(format.greatestBits), format.specials == .ieee {
        return Float(bitPattern: sign | 0x7f80_0000)
      }
      let value = Float(
        sign: .plus, exponent: max(exponent, 1) - format.bias - format.mantissaBits,
        significand: Float(exponent == 0 ? mantissa : mantissa | 1 << mantissaBits))
      return sign == 0 ? value : -value
    }
  }
}

/// `torch.float8_e4m3fn`.
enum Float8E4M3: Float8Coding {
  static var format: FloatFormat {
    FloatFormat(exponentBits: 4, mantissaBits: 3, bias: 7, specials: .finite)
  }
  static let values = decodedValues()
}

/// `torch.float8_e5m2`: the upper half of a binary16.
enum Float8E5M2: Float8Coding {
  static var format: FloatFormat { FloatFormat(exponentBits: 5, mantissaBits: 2, bias: 15) }
  static let values = decodedValues()
}

/// `torch.float8_e4m3fnuz`.
enum Float8E4M3FNUZ: Float8Coding {
  static var format: FloatFormat {
    FloatFormat(exponentBits: 4, mantissaBits: 3, bias: 8, specials: .unsignedZero)
  }
  static let values = decodedValues()
}

/// `torch.float8_e5m2fnuz`.
enum Float8E5M2FNUZ: Float8Coding {
  static var format: FloatFormat {
    FloatFormat(exponentBits: 5, mantissaBits: 2, bias: 16, specials: .unsignedZero)
  }
  static let values = decodedValues()
}

/// `torch.float8_e8m0fnu`: the exponent of a binary32, a scale of microscaling formats.
enum Float8E8M0: SingleCoding {
  typealias Word = UInt8

  static var format: FloatFormat {
    FloatFormat(exponentBits: 8, mantissaBits: 0, bias: 127, specials: .scale)
  }

  static func real(_ word: UInt8) -> Float {
    switch word {
    case 0: 0x1p-127
    case 0xff: Float(bitPattern: 0x7f80_0001)
    default: Float(bitPattern: UInt32(word) << 23)
    }
  }

  /// Rounds to nearest, a tie up.
  ///
  /// The sign is lost; zero becomes 2^-127, and infinity NaN.
  static func word(rounding value: Float) -> UInt8 {
    let exponent = UInt8(value.bitPattern >> 23 & 0xff)
    if exponent == 0xff { return 0xff }
    let (half, rest) = (value.bitPattern & 0x40_0000, value.bitPattern & 0x3f_ffff)
    return half != 0 && (exponent > 0 || rest != 0) ? exponent + 1 : exponent
  }
}
