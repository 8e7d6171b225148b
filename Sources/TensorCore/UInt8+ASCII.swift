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
  /// The value of a hexadecimal digit that is not uppercase, and whether it is one.
  ///
  /// Digests are random, so that branches on their digits would be guessed wrongly.
  @inline(__always)
  var lowercaseHexadecimal: (value: UInt8, isDigit: Bool) {
    let (number, letter) = (self &- UInt8(ascii: "0"), self &- UInt8(ascii: "a"))
    let ofLetter: UInt8 = letter < 6 ? 0xff : 0
    let ofNumber: UInt8 = number < 10 ? 0xff : 0
    let value = (ofNumber & number) + (ofLetter & letter) + (ofLetter & 10)
    return (value, ofNumber | ofLetter == 0xff)
  }
}

extension String {
  /// The number of digits at its end.
  package var finalDigitCount: Int { utf8.reversed().prefix(while: \.isDigit).count }
}
