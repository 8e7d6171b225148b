/// Integers at which arithmetic on sizes overflows, and the fields of a file that they replace.
///
/// Sizes are found without knowing the format: as decimal numbers in texts, as integers of a
/// pickle, or as little-endian words of small value.
public enum ExtremeInteger {
  /// The integers; what does not fit a field of a fixed width is cut off there.
  static let values: [Int128] = [
    0, 1, -1, 2, 1 << 16, (1 << 31) - 1, 1 << 31, (1 << 31) + 1, (1 << 32) - 1, 1 << 32,
    (1 << 32) + 1, 1 << 40, 1 << 53, (1 << 61) - 1, 1 << 61, (1 << 62) - 1, 1 << 62,
    (1 << 63) - 1, 1 << 63, (1 << 63) + 1, (1 << 64) - 8, (1 << 64) - 1, 1 << 64,
    -(1 << 31), -(1 << 62), -(1 << 63),
  ]

  /// How a file writes its integers.
  public enum Notation: Sendable {
    /// Digits, in JSON, in printed models, and in the headers of arrays.
    case decimal
    /// `BININT`, `BININT1`, `BININT2`, and `LONG1`.
    case pickle
    /// Words of 1, 2, 4, and 8 bytes.
    case littleEndian
    /// Octal digits, in the headers of a tar archive.
    case octal
  }

  /// Replaces one to three integers within `range`; three of them often are one tensor's sizes.
  public static func put(
    into bytes: inout [UInt8], _ notation: Notation, in range: Range<Int>? = nil,
    _ random: inout SplitMix
  ) {
    let range = range ?? bytes.indices
    var fields = fields(of: bytes, notation, in: range)
    guard !fields.isEmpty else { return }
    let first = random.below(fields.count)
    fields = Array(fields[first...].prefix(1 + random.below(3)))
    // From the last to the first, since decimal numbers and pickled ones change their length.
    for field in fields.reversed() {
      let value = values[random.below(values.count)]
      bytes.replaceSubrange(field, with: text(of: value, notation, width: field.count))
    }
  }

  private static func fields(
    of bytes: [UInt8], _ notation: Notation, in range: Range<Int>
  ) -> [Range<Int>] {
    switch notation {
    case .decimal: digits(of: bytes, 0x30...0x39, in: range)
    case .octal: digits(of: bytes, 0x30...0x37, in: range).filter { $0.count > 5 }
    case .pickle:
      range.compactMap { start in
        let width: Int? =
          switch bytes[start] {
          case UInt8(ascii: "K"): 2
          case UInt8(ascii: "M"): 3
          case UInt8(ascii: "J"): 5
          case 0x8a: start + 1 < range.upperBound ? 2 + Int(bytes[start + 1]) : nil
          default: nil
          }
        guard let width, start + width <= range.upperBound, width <= 10 else { return nil }
        return start..<start + width
      }
    case .littleEndian:
      range.flatMap { start in
        [1, 2, 4, 8].compactMap { width in
          guard start + width <= range.upperBound else { return nil }
          let word = bytes[start..<start + width].reversed().reduce(UInt64(0)) {
            $0 << 8 | UInt64($1)
          }
          let isSize = word < 1 << 20 || bytes[start..<start + width].allSatisfy { $0 == 0xff }
          return isSize ? start..<start + width : nil
        }
      }
    }
  }

  private static func digits(
    of bytes: [UInt8], _ digits: ClosedRange<UInt8>, in range: Range<Int>
  ) -> [Range<Int>] {
    var fields: [Range<Int>] = []
    var start = range.lowerBound
    while start < range.upperBound {
      let end =
        bytes[start..<range.upperBound].firstIndex { !digits.contains($0) } ?? range.upperBound
      if end > start { fields.append(start..<end) }
      start = end + 1
    }
    return fields
  }

  private static func text(of value: Int128, _ notation: Notation, width: Int) -> [UInt8] {
    switch notation {
    case .decimal: return Array("\(value)".utf8)
    case .pickle: return [0x8a, 9] + (0..<9).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    case .littleEndian: return (0..<width).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    case .octal:
      // GNU tar writes what does not fit as big-endian binary after a set bit.
      if value < 0 || value >= 1 << (3 * Int128(width)) {
        return (0..<width).map { index in
          UInt8(truncatingIfNeeded: value >> (8 * (width - 1 - index))) | (index == 0 ? 0x80 : 0)
        }
      }
      let text = String(value, radix: 8)
      return Array((String(repeating: "0", count: width - text.count) + text).utf8)
    }
  }
}
