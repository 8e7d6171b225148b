import TensorCore

/// Integers of more than 64 bits, such as the states of NumPy's generators: decimal digits as a value,
/// two's complement in a pickle.
enum LargeInteger {
  /// Bytes of the largest one that is converted, which takes time in proportion to their square.
  static let maxBytes = 64

  /// The value of a little-endian two's complement integer.
  static func value(_ bytes: ArraySlice<UInt8>) -> Value {
    guard bytes.count <= maxBytes else { return .unread("an integer of \(bytes.count) bytes") }
    let isNegative = bytes.last.map { $0 >= 0x80 } ?? false
    var magnitude = isNegative ? negated(Array(bytes)) : Array(bytes)
    var digits: [UInt8] = []
    while magnitude.contains(where: { $0 != 0 }) {
      var rest = 0
      for index in magnitude.indices.reversed() {
        rest = rest << 8 | Int(magnitude[index])
        magnitude[index] = UInt8(rest / 10)
        rest %= 10
      }
      digits.append(UInt8(ascii: "0") + UInt8(rest))
    }
    if isNegative { digits.append(UInt8(ascii: "-")) }
    return .opaque(
      "int", [.init("digits", .text(String(decoding: digits.reversed(), as: UTF8.self)))])
  }

  /// The bytes of a value that ``value(_:)`` made; `nil` for any other.
  static func bytes(_ value: Value) -> [UInt8]? {
    guard case .opaque("int", let members) = value, members.count == 1,
      case .text(let text) = members[0].value, text.utf8.count <= 2 * maxBytes
    else { return nil }
    let isNegative = text.hasPrefix("-")
    let digits = text.utf8.dropFirst(isNegative ? 1 : 0)
    guard !digits.isEmpty else { return nil }
    var magnitude = [UInt8](repeating: 0, count: maxBytes)
    for digit in digits {
      guard digit.isDigit else { return nil }
      var rest = Int(digit - 0x30)
      for index in magnitude.indices {
        rest += Int(magnitude[index]) * 10
        magnitude[index] = UInt8(rest & 0xff)
        rest >>= 8
      }
    }
    var bytes = isNegative ? negated(magnitude) : magnitude
    // The shortest form whose last bit is the sign.
    let filler: UInt8 = isNegative ? 0xff : 0
    while bytes.count > 1, bytes.last == filler,
      (bytes[bytes.count - 2] >= 0x80) == isNegative
    {
      bytes.removeLast()
    }
    return bytes
  }

  private static func negated(_ bytes: [UInt8]) -> [UInt8] {
    var carry = 1
    return bytes.map { byte in
      carry += Int(~byte)
      defer { carry >>= 8 }
      return UInt8(carry & 0xff)
    }
  }
}
