extension JSONScanner {
  /// Takes a text in quotes.
  package mutating func string() throws(CheckpointError) -> String {
    _ = next()
    let begin = position
    guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
      throw found("a text in quotes")
    }
    position += 1
    try skipPlain()
    // A text without escapes is taken as it stands.
    if bytes[position] == UInt8(ascii: "\"") {
      position += 1
      return try validated(bytes[begin + 1..<position - 1], at: begin)
    }
    var text: [UInt8] = Array(bytes[begin + 1..<position])
    while bytes[position] != UInt8(ascii: "\"") {
      position += 1
      text.append(contentsOf: String(try escaped()).utf8)
      let start = position
      try skipPlain()
      text.append(contentsOf: bytes[start..<position])
    }
    position += 1
    return try validated(text[...], at: begin)
  }

  private func validated(_ text: ArraySlice<UInt8>, at begin: Int) throws(CheckpointError) -> String
  {
    if text.allSatisfy({ $0 < 0x80 }) { return String(decoding: text, as: UTF8.self) }
    guard let string = String(validating: text, as: UTF8.self) else {
      throw error(at: begin, "found a text that is no UTF-8")
    }
    return string
  }

  /// Moves to the next quote or backslash.
  private mutating func skipPlain() throws(CheckpointError) {
    while position < bytes.count, bytes[position] >= 0x20, bytes[position] != UInt8(ascii: "\""),
      bytes[position] != UInt8(ascii: "\\")
    {
      position += 1
    }
    guard position < bytes.count, bytes[position] >= 0x20 else {
      throw found("'\"' at the end of a text")
    }
  }

  private mutating func escaped() throws(CheckpointError) -> Unicode.Scalar {
    guard position < bytes.count else { throw found("an escape") }
    position += 1
    switch bytes[position - 1] {
    case UInt8(ascii: "\""): return "\""
    case UInt8(ascii: "\\"): return "\\"
    case UInt8(ascii: "/"): return "/"
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{c}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      let high = try hexadecimal()
      if let scalar = Unicode.Scalar(high) { return scalar }
      guard high < 0xdc00, takeWord("\\u"), case let low = try hexadecimal(),
        (0xdc00..<0xe000).contains(low),
        let scalar = Unicode.Scalar(0x10000 + (high - 0xd800) << 10 + (low - 0xdc00))
      else { throw found("two halves of a surrogate pair") }
      return scalar
    default:
      position -= 1
      throw found("an escape of JSON")
    }
  }

  private mutating func hexadecimal() throws(CheckpointError) -> UInt32 {
    var value: UInt32 = 0
    for place in position..<position + 4 {
      guard place < bytes.count, let digit = Self.digit(bytes[place]) else {
        throw found("four hexadecimal digits")
      }
      value = value << 4 | digit
    }
    position += 4
    return value
  }

  private static func digit(_ byte: UInt8) -> UInt32? {
    switch byte {
    case 0x30...0x39: UInt32(byte - 0x30)
    case 0x41...0x46: UInt32(byte - 0x41 + 10)
    case 0x61...0x66: UInt32(byte - 0x61 + 10)
    default: nil
    }
  }
}
