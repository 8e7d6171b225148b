/// Kinds of bytes in a text.
extension UInt8 {
  /// Whether it is a blank or an end of a line: a space, a tab, a line feed, or a carriage return.
  package var isSpace: Bool { self == 0x20 || self == 0x09 || self == 0x0a || self == 0x0d }
  /// Whether it is a digit from 0 to 9.
  package var isDigit: Bool { self &- UInt8(ascii: "0") < 10 }
  /// Whether it is a letter from A to Z, of either case, or an underscore.
  package var isLetter: Bool {
    self == UInt8(ascii: "_") || (self | 0x20) &- UInt8(ascii: "a") < 26
  }
  /// The value of a hexadecimal digit that is not uppercase; `nil` for anything else.
  package var lowercaseHexadecimalValue: UInt8? {
    switch self {
    case 0x30...0x39: self - 0x30
    case 0x61...0x66: self - 0x61 + 10
    default: nil
    }
  }
}

extension String {
  /// The number of digits at its end.
  package var finalDigitCount: Int { utf8.reversed().prefix(while: \.isDigit).count }
}
