import TensorCore

/// The escapes in the strings of pickles of protocol 0.
///
/// Source: CPython 3.13 `Objects/bytesobject.c` (`_PyBytes_DecodeEscape`), `Objects/unicodeobject.c`
/// (`raw-unicode-escape`).
enum PickleEscapes {
  /// The backslash, which begins an escape.
  static let mark = UInt8(ascii: "\\")

  private static let letters: [UInt8: UInt8] = [
    UInt8(ascii: "\\"): 0x5c, UInt8(ascii: "'"): 0x27, UInt8(ascii: "\""): 0x22,
    UInt8(ascii: "n"): 0x0a, UInt8(ascii: "r"): 0x0d, UInt8(ascii: "t"): 0x09,
    UInt8(ascii: "a"): 0x07, UInt8(ascii: "b"): 0x08, UInt8(ascii: "f"): 0x0c,
    UInt8(ascii: "v"): 0x0b,
  ]

  /// The bytes of a string literal: `\n`, `\x00`, `\101`; other backslashes stand for themselves.
  static func string(_ text: ArraySlice<UInt8>) throws(CheckpointError) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count)
    var rest = text
    while let byte = rest.popFirst() {
      guard byte == mark, let next = rest.first else {
        bytes.append(byte)
        continue
      }
      if let letter = letters[next] {
        bytes.append(letter)
        rest.removeFirst()
      } else if next == UInt8(ascii: "x") {
        rest.removeFirst()
        bytes.append(UInt8(truncatingIfNeeded: try number(&rest, digits: 2)))
      } else if (0x30...0x37).contains(next) {
        var value = 0
        for _ in 0..<3 {
          guard let digit = rest.first, (0x30...0x37).contains(digit) else { break }
          value = value * 8 + Int(digit - 0x30)
          rest.removeFirst()
        }
        bytes.append(UInt8(truncatingIfNeeded: value))
      } else {
        bytes.append(byte)
      }
    }
    return bytes
  }

  /// Text in Latin-1 with `\uXXXX` and `\UXXXXXXXX`, as UTF-8.
  static func unicode(_ text: ArraySlice<UInt8>) throws(CheckpointError) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count * 3 / 2)
    var rest = text
    while let byte = rest.popFirst() {
      let digits: Int
      switch byte == mark ? rest.first : nil {
      case UInt8(ascii: "u"): digits = 4
      case UInt8(ascii: "U"): digits = 8
      default: digits = 0
      }
      if digits == 0 {
        append(UInt32(byte), to: &bytes)
        continue
      }
      rest.removeFirst()
      append(UInt32(truncatingIfNeeded: try number(&rest, digits: digits)), to: &bytes)
    }
    return bytes
  }

  /// A lone surrogate, which no text can hold, becomes U+FFFD.
  private static func append(_ value: UInt32, to bytes: inout [UInt8]) {
    let scalar = Unicode.Scalar(value) ?? "\u{fffd}"
    if scalar.isASCII { return bytes.append(UInt8(scalar.value)) }
    bytes += Array(String(Character(scalar)).utf8)
  }

  private static func number(
    _ rest: inout ArraySlice<UInt8>, digits: Int
  ) throws(CheckpointError) -> Int {
    let text = String(decoding: rest.prefix(digits), as: UTF8.self)
    guard text.utf8.count == digits, text.first != "+", text.first != "-",
      let number = Int(text, radix: 16)
    else {
      throw CheckpointError(
        .malformed, "expected \(digits) hexadecimal digits after a backslash, found '\(text)'")
    }
    rest.removeFirst(digits)
    return number
  }
}
