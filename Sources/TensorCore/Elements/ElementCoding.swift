/// How the bits of one element stand for a number.
///
/// A conforming type has no values: it is the functions of a row, chosen once for a whole span, so
/// that the loops below are compiled for each type.
package protocol ElementCoding: Sendable {
  /// The bits of one element, or of one part of a complex one.
  associatedtype Word: FixedWidthInteger & UnsignedInteger & BitwiseCopyable

  /// The number that the bits stand for; exact, but for 64-bit integers beyond ±2^53.
  static func number(_ word: Word) -> Double
  /// The shortest text that reads back to the same value.
  static func text(_ word: Word) -> String
  /// The bits of the element nearest to a value; `nil` if the type does not hold such a value.
  static func word(nearest value: Double) -> Word?

  // Over whole spans, each of whole elements.
  static func decode(_ bytes: RawSpan, into values: inout [Double])
  static func texts(_ bytes: RawSpan) -> [String]
}

extension ElementCoding {
  package static func decode(_ bytes: RawSpan, into values: inout [Double]) {
    let width = MemoryLayout<Word>.size
    values.reserveCapacity(bytes.byteCount / width)
    for offset in stride(from: 0, to: bytes.byteCount, by: width) {
      values.append(number(load(bytes, offset)))
    }
  }

  package static func texts(_ bytes: RawSpan) -> [String] {
    stride(from: 0, to: bytes.byteCount, by: MemoryLayout<Word>.size).map {
      text(load(bytes, $0))
    }
  }

  static func load(_ bytes: RawSpan, _ offset: Int) -> Word {
    Word(littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: Word.self))
  }

  static func bytes(_ word: Word) -> [UInt8] {
    (0..<MemoryLayout<Word>.size).map { UInt8(truncatingIfNeeded: word >> Word($0 * 8)) }
  }
}

/// A coding of real floating-point numbers, into which values can be rounded.
package protocol FloatCoding: ElementCoding {
  /// The type that values are rounded from: `Float`, also for narrower types as in PyTorch
  /// (`c10::Half`, `c10::BFloat16`, `c10::Float8_e4m3fn`, …), or `Double` for `float64`.
  associatedtype Real: BinaryFloatingPoint

  static var format: FloatFormat { get }
  static func real(_ word: Word) -> Real
  /// The bits of the nearest number, ties to even; what is too large becomes what `format` says.
  static func word(rounding value: Real) -> Word

  /// Encodes a span; returns how many values the type was too small for.
  static func encode(_ values: Span<Double>, into target: inout MutableRawSpan) -> Int
}

extension FloatCoding {
  package static func number(_ word: Word) -> Double { Double(real(word)) }
  package static func text(_ word: Word) -> String { "\(real(word))" }

  package static func word(nearest value: Double) -> Word? {
    format.holds(value) ? word(rounding: Real(value)) : nil
  }

  package static func encode(_ values: Span<Double>, into target: inout MutableRawSpan) -> Int {
    var overflows = 0
    for index in values.indices {
      let word = word(rounding: Real(values[index]))
      store(word, at: index, in: &target)
      if isOverflow(values[index], word) { overflows += 1 }
    }
    return overflows
  }

  static func store(_ word: Word, at index: Int, in target: inout MutableRawSpan) {
    target.storeBytes(
      of: word.littleEndian, toByteOffset: index * MemoryLayout<Word>.size, as: Word.self)
  }

  /// Whether the type has no room for a value, given the bits that it became.
  static func isOverflow(_ value: some BinaryFloatingPoint, _ word: Word) -> Bool {
    let magnitude = UInt64(word) & ~format.signBit
    return switch format.specials {
    case .ieee: magnitude == format.greatestBits && value.isFinite
    // At least half a unit beyond the largest number, else it is only rounded.
    case .finite:
      magnitude == format.greatestBits && Double(value.magnitude) > format.roundingLimit
    case .unsignedZero: UInt64(word) == format.signBit && !value.isNaN
    case .scale: !value.isNaN && (!(value > 0) || magnitude > format.greatestBits)
    }
  }
}

/// A coding whose numbers PyTorch converts to `Float` before it rounds them to a narrower type, not
/// by way of `Double`.
package protocol SingleReading: ElementCoding {
  static func single(_ word: Word) -> Float
  static func decode(_ bytes: RawSpan, into values: inout MutableSpan<Float>)
}

extension SingleReading {
  package static func decode(_ bytes: RawSpan, into values: inout MutableSpan<Float>) {
    for index in values.indices {
      values[index] = single(load(bytes, index * MemoryLayout<Word>.size))
    }
  }
}

/// A floating-point coding whose numbers all are numbers of `Float`.
package protocol SingleCoding: FloatCoding, SingleReading where Real == Float {
  static func encode(_ values: Span<Float>, into target: inout MutableRawSpan) -> Int
}

extension SingleCoding {
  package static func single(_ word: Word) -> Float { real(word) }

  package static func encode(_ values: Span<Float>, into target: inout MutableRawSpan) -> Int {
    var overflows = 0
    for index in values.indices {
      let word = word(rounding: values[index])
      store(word, at: index, in: &target)
      overflows += isOverflow(values[index], word) ? 1 : 0
    }
    return overflows
  }
}
