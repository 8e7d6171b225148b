import TestSupport
import Testing

/// Numbers of words around the boundaries of vectors, bytes of bits, and blocks of the kernels.
let filterCounts = [0, 1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 1000, 1023, 1025, 4097]

/// Kinds of words that filters treat differently.
enum FilterSample: CaseIterable {
  case noise, zeros, mostlyZeros, few, ascending, subnormal, special, narrow

  /// Words of a size, each in the low bits of an integer.
  func words(_ count: Int, width: Int) -> [UInt64] {
    var random = SplitMix(seed: UInt64(count))
    let bits = UInt64(8 * width)
    let all = UInt64.max >> (64 - bits)
    let sign = UInt64(1) << (bits - 1)
    // The exponent of float16, float32, and float64.
    let exponent = (all >> 1) & ~(all >> [2: 6, 4: 9, 8: 12][width, default: 1])
    return (0..<UInt64(count)).map { index in
      let word = random.next()
      return switch self {
      case .noise: word & all
      case .zeros: word & sign
      case .mostlyZeros: word >> 7 % 10 == 0 ? word & all : word & sign
      case .few: (word >> 32 % 17) &* 0x9e37_79b9_7f4a_7c15 & all
      case .ascending: (index &* 3) & all
      case .subnormal: word & all & ~exponent
      case .special: word >> 9 % 3 == 0 ? word & sign | exponent : word & all | exponent
      case .narrow: word & all & ~(all >> (bits / 2))
      }
    }
  }
}

/// A width of words and a kind.
struct FilterWords: CustomTestStringConvertible {
  let width: Int
  let sample: FilterSample
  var testDescription: String { "\(sample), \(width) bytes" }

  static let all = of([1, 2, 4, 8])
  static let wide = of([2, 4, 8])
  static let leveled = of([2, 4])

  private static func of(_ widths: [Int]) -> [FilterWords] {
    widths.flatMap { width in FilterSample.allCases.map { FilterWords(width: width, sample: $0) } }
  }

  func words(_ count: Int) -> [UInt64] { sample.words(count, width: width) }
}

extension [UInt64] {
  /// The words' little-endian bytes.
  func bytes(width: Int) -> [UInt8] {
    var bytes = [UInt8]()
    bytes.reserveCapacity(count * width)
    for word in self {
      for shift in stride(from: 0, to: 8 * width, by: 8) {
        bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift)))
      }
    }
    return bytes
  }
}

extension [UInt8] {
  /// The bytes as little-endian words.
  func words(width: Int) -> [UInt64] {
    stride(from: 0, to: count, by: width).map { start in
      (0..<width).reduce(0) { $0 | UInt64(self[start + $1]) << UInt64(8 * $1) }
    }
  }
}

/// Numbers of `width` bits each in bytes, lowest bits first, padded with zeros.
func packed(_ numbers: [Int], width: Int) -> [UInt8] {
  let perByte = 8 / width
  return stride(from: 0, to: numbers.count, by: perByte).map { start in
    zip(0..., numbers[start..<min(start + perByte, numbers.count)]).reduce(UInt8(0)) {
      $0 | UInt8($1.1) << UInt8($1.0 * width)
    }
  }
}

/// The low `width` bytes of a word.
func cut(_ word: UInt64, width: Int) -> UInt64 { word & UInt64.max >> UInt64(64 - 8 * width) }
