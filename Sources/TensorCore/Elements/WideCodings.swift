// Codings of the types that the processor or the language knows: truth values, integers, floats of
// 16 to 64 bits, and pairs of them.

/// One byte, 0 or not.
enum BooleanCoding: SingleReading {
  typealias Word = UInt8

  static func number(_ word: UInt8) -> Double { word == 0 ? 0 : 1 }
  static func single(_ word: UInt8) -> Float { word == 0 ? 0 : 1 }
  static func text(_ word: UInt8) -> String { word == 0 ? "false" : "true" }
  static func word(nearest value: Double) -> UInt8? { value == 0 ? 0 : 1 }
}

/// Two's complement, or no sign.
enum IntegerCoding<Integer: FixedWidthInteger & Sendable>: SingleReading
where Integer.Magnitude: FixedWidthInteger & BitwiseCopyable {
  typealias Word = Integer.Magnitude

  static func number(_ word: Word) -> Double { Double(Integer(truncatingIfNeeded: word)) }
  static func single(_ word: Word) -> Float { Float(Integer(truncatingIfNeeded: word)) }
  static func text(_ word: Word) -> String { "\(Integer(truncatingIfNeeded: word))" }
  static func word(nearest value: Double) -> Word? {
    Integer(exactly: value).map { Word(truncatingIfNeeded: $0) }
  }
}

/// IEEE 754 binary64.
enum Float64Coding: FloatCoding {
  typealias Word = UInt64
  typealias Real = Double

  static var format: FloatFormat { FloatFormat(exponentBits: 11, mantissaBits: 52, bias: 1023) }
  static func real(_ word: UInt64) -> Double { Double(bitPattern: word) }
  static func word(rounding value: Double) -> UInt64 { value.bitPattern }
}

/// IEEE 754 binary32.
enum Float32Coding: SingleCoding {
  typealias Word = UInt32

  static var format: FloatFormat { FloatFormat(exponentBits: 8, mantissaBits: 23, bias: 127) }
  static func real(_ word: UInt32) -> Float { Float(bitPattern: word) }
  static func word(rounding value: Float) -> UInt32 { value.bitPattern }
}

/// The upper half of a binary32.
enum BFloat16Coding: SingleCoding {
  typealias Word = UInt16

  static var format: FloatFormat { FloatFormat(exponentBits: 8, mantissaBits: 7, bias: 127) }
  static func real(_ word: UInt16) -> Float { Float(bitPattern: UInt32(word) << 16) }
  static func word(rounding value: Float) -> UInt16 { ElementConversion.bfloat16(rounding: value) }
}

/// IEEE 754 binary16.
enum Float16Coding: SingleCoding {
  typealias Word = UInt16

  static var format: FloatFormat { FloatFormat(exponentBits: 5, mantissaBits: 10, bias: 15) }
  static func word(rounding value: Float) -> UInt16 { Float16(value).bitPattern }
  static func text(_ word: UInt16) -> String { Float16(bitPattern: word).description }

  static func real(_ word: UInt16) -> Float {
    let value = Float(Float16(bitPattern: word))
    // The processor makes a signaling NaN quiet, the C library does not.
    return value.isNaN ? Float(bitPattern: value.bitPattern | 0x40_0000) : value
  }
}

/// A real part and an imaginary part; as numbers, two for each element.
enum ComplexCoding<Part: FloatCoding>: ElementCoding {
  typealias Word = Part.Word

  static func number(_ word: Part.Word) -> Double { Part.number(word) }
  static func text(_ word: Part.Word) -> String { Part.text(word) }
  static func word(nearest value: Double) -> Part.Word? { nil }

  static func texts(_ bytes: RawSpan) -> [String] {
    let parts = Part.texts(bytes)
    return stride(from: 0, to: parts.count, by: 2).map { index in
      let imaginary = parts[index + 1]
      return parts[index] + (imaginary.hasPrefix("-") ? "" : "+") + imaginary + "j"
    }
  }
}
