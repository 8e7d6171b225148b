package import TensorCore

/// Strings, RFC 8259 section 7.
extension JSONScanner {
  /// Takes a string of at most `limit` bytes of UTF-8.
  package mutating func string(atMost limit: Int = .max) throws(CheckpointError) -> String {
    skipBlanks()
    let begin = position
    let string = try string(at: begin)
    guard string.utf8.count <= limit else {
      throw error(
        at: begin, "expected a string of at most \(limit) bytes, found \(string.utf8.count)")
    }
    return string
  }

  /// Takes a string of ASCII without escapes and returns where its bytes are, so that a reader of many
  /// strings need not make them; `nil`, and nothing is taken, if anything else comes next.
  package mutating func plainString() -> Range<Int>? {
    skipBlanks()
    guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else { return nil }
    var end = position + 1
    while end < bytes.count, bytes[end] &- 0x20 < 0x60, bytes[end] != UInt8(ascii: "\""),
      bytes[end] != UInt8(ascii: "\\")
    {
      end += 1
    }
    guard end < bytes.count, bytes[end] == UInt8(ascii: "\"") else { return nil }
    let range = position + 1..<end
    position = end + 1
    return range
  }

  private mutating func string(at begin: Int) throws(CheckpointError) -> String {
    guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
      throw expected("a string")
    }
    position += 1
    try skipPlain()
    // A string without escapes is taken as it stands.
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
      throw error(at: begin, "the string is not valid UTF-8")
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
      throw expected("'\"' at the end of a string")
    }
  }

  private mutating func escaped() throws(CheckpointError) -> Unicode.Scalar {
    guard position < bytes.count else { throw expected("an escape") }
    position += 1
    if let scalar = Self.shortEscape(bytes[position - 1]) { return scalar }
    if spelling == .canonical { return try canonicalEscape() }
    switch bytes[position - 1] {
    case UInt8(ascii: "/"): return "/"
    case UInt8(ascii: "u"):
      let high = try hexadecimal()
      if let scalar = Unicode.Scalar(high) { return scalar }
      guard high < 0xdc00, take("\\u"), case let low = try hexadecimal(),
        (0xdc00..<0xe000).contains(low),
        let scalar = Unicode.Scalar(0x10000 + (high - 0xd800) << 10 + (low - 0xdc00))
      else { throw expected("two halves of a surrogate pair") }
      return scalar
    default:
      position -= 1
      throw expected("a JSON escape")
    }
  }

  /// The character that a letter after a backslash stands for, in every text (RFC 8259, section 7).
  private static func shortEscape(_ letter: UInt8) -> Unicode.Scalar? {
    switch letter {
    case UInt8(ascii: "\""): "\""
    case UInt8(ascii: "\\"): "\\"
    case UInt8(ascii: "b"): "\u{8}"
    case UInt8(ascii: "f"): "\u{c}"
    case UInt8(ascii: "n"): "\n"
    case UInt8(ascii: "r"): "\r"
    case UInt8(ascii: "t"): "\t"
    default: nil
    }
  }

  /// The escapes that a canonical text must use: short ones where there are, else `\u00` and two
  /// lower-case digits, and neither for a character that can stand for itself.
  private mutating func canonicalEscape() throws(CheckpointError) -> Unicode.Scalar {
    switch bytes[position - 1] {
    case UInt8(ascii: "u"):
      let start = position
      let isLowercase = bytes[start...].prefix(4).allSatisfy { $0 < 0x41 || $0 > 0x5a }
      if let scalar = Unicode.Scalar(try hexadecimal()), scalar.value < 0x20, isLowercase,
        !["\u{8}", "\t", "\n", "\u{c}", "\r"].contains(scalar)
      {
        return scalar
      }
      position = start
    default: break
    }
    position -= 1
    throw expected("a canonical escape")
  }

  private mutating func hexadecimal() throws(CheckpointError) -> UInt32 {
    var value: UInt32 = 0
    for index in position..<position + 4 {
      guard index < bytes.count, let digit = Self.digit(bytes[index]) else {
        throw expected("four hexadecimal digits")
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
