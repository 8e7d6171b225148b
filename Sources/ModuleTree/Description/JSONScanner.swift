internal import TensorCore

/// One value of a JSON text, with the byte at which it begins.
struct JSONValue {
  enum Content {
    case object([(key: String, value: JSONValue)])
    case array([JSONValue])
    case string(String)
    case number(String)
    case bool(Bool)
    case null
  }

  let offset: Int
  let content: Content

  /// What it is, for an error.
  var kind: String {
    switch content {
    case .object: "an object"
    case .array: "a list"
    case .string(let text): text.utf8.count > 40 ? "a long text" : "'\(text)'"
    case .number(let text): text
    case .bool(let value): "\(value)"
    case .null: "null"
    }
  }
}

/// Reads JSON (RFC 8259) strictly: a key that stands twice in one object, text after the end,
/// invalid UTF-8, lone surrogates and nesting past ``deepest`` are refused.
struct JSONScanner {
  /// Deepest nesting of lists and objects.
  static let deepest = 16

  private let bytes: [UInt8]
  private var position = 0

  /// Reads a whole text.
  ///
  /// - Throws: ``CheckpointError`` with code `malformed`, line and column.
  static func value(of text: String) throws(CheckpointError) -> JSONValue {
    var scanner = JSONScanner(bytes: Array(text.utf8))
    let value = try scanner.value(depth: 0)
    scanner.skipBlanks()
    if scanner.position < scanner.bytes.count { throw scanner.found("the end of the text") }
    return value
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  private mutating func value(depth: Int) throws(CheckpointError) -> JSONValue {
    skipBlanks()
    guard depth <= Self.deepest else { throw found("at most \(Self.deepest) levels") }
    let offset = position
    let content: JSONValue.Content
    switch position < bytes.count ? bytes[position] : 0 {
    case UInt8(ascii: "{"): content = try object(depth: depth)
    case UInt8(ascii: "["):
      position += 1
      var items: [JSONValue] = []
      if !take("]") {
        repeat { items.append(try value(depth: depth + 1)) } while take(",")
        guard take("]") else { throw found("',' or ']'") }
      }
      content = .array(items)
    case UInt8(ascii: "\""): content = .string(try string())
    case UInt8(ascii: "t") where takeWord("true"): content = .bool(true)
    case UInt8(ascii: "f") where takeWord("false"): content = .bool(false)
    case UInt8(ascii: "n") where takeWord("null"): content = .null
    default: content = .number(try number())
    }
    return JSONValue(offset: offset, content: content)
  }

  private mutating func object(depth: Int) throws(CheckpointError) -> JSONValue.Content {
    position += 1
    var members: [(key: String, value: JSONValue)] = []
    var keys: Set<TensorName> = []
    if take("}") { return .object([]) }
    repeat {
      skipBlanks()
      let start = position
      guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
        throw found("a key in quotes")
      }
      let key = try string()
      guard keys.insert(TensorName(key)).inserted else {
        throw Self.error(bytes, start, "found the key '\(key)' twice, required once")
      }
      guard take(":") else { throw found("':'") }
      members.append((key, try value(depth: depth + 1)))
    } while take(",")
    guard take("}") else { throw found("',' or '}'") }
    return .object(members)
  }

  private mutating func number() throws(CheckpointError) -> String {
    let start = position
    if position < bytes.count, bytes[position] == UInt8(ascii: "-") { position += 1 }
    if position < bytes.count, bytes[position] == UInt8(ascii: "0"), isDigit(position + 1) {
      throw found("a number without leading zeros")
    }
    try digits(ofNumberAt: start)
    if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
      position += 1
      try digits(ofNumberAt: start)
    }
    if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
      position += 1
      if position < bytes.count, [UInt8(ascii: "+"), UInt8(ascii: "-")].contains(bytes[position]) {
        position += 1
      }
      try digits(ofNumberAt: start)
    }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  private func isDigit(_ index: Int) -> Bool {
    index < bytes.count && (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[index])
  }

  private mutating func digits(ofNumberAt start: Int) throws(CheckpointError) {
    guard isDigit(position) else {
      position = start
      throw found("a value")
    }
    while isDigit(position) { position += 1 }
  }

  private mutating func string() throws(CheckpointError) -> String {
    let begin = position
    position += 1
    var text: [UInt8] = []
    while true {
      let start = position
      while position < bytes.count, bytes[position] >= 0x20, bytes[position] != UInt8(ascii: "\""),
        bytes[position] != UInt8(ascii: "\\")
      {
        position += 1
      }
      text.append(contentsOf: bytes[start..<position])
      guard position < bytes.count, bytes[position] >= 0x20 else {
        throw found("'\"' at the end of a text")
      }
      position += 1
      if bytes[position - 1] == UInt8(ascii: "\"") { break }
      try text.append(contentsOf: Array(String(escaped()).utf8))
    }
    guard let string = String(validating: text, as: UTF8.self) else {
      throw Self.error(bytes, begin, "found a text that is no UTF-8")
    }
    return string
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
    guard position + 4 <= bytes.count,
      case let digits = bytes[position..<position + 4],
      digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
      let value = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
    else { throw found("four hexadecimal digits") }
    position += 4
    return value
  }

  private mutating func takeWord(_ word: String) -> Bool {
    guard bytes[position...].starts(with: word.utf8) else { return false }
    position += word.utf8.count
    return true
  }

  private mutating func take(_ mark: Unicode.Scalar) -> Bool {
    skipBlanks()
    guard position < bytes.count, bytes[position] == UInt8(ascii: mark) else { return false }
    position += 1
    return true
  }

  private mutating func skipBlanks() {
    while position < bytes.count, [0x20, 0x09, 0x0a, 0x0d].contains(bytes[position]) {
      position += 1
    }
  }

  private func found(_ required: String) -> CheckpointError {
    let rest = bytes[min(position, bytes.count)...].prefix(16).prefix { $0 != 0x0a }
    let text = String(decoding: rest, as: UTF8.self)
    return Self.error(
      bytes, position, "found \(rest.isEmpty ? "the end" : "'\(text)'"), required \(required)")
  }

  /// An error with line and column of a byte.
  static func error(_ bytes: [UInt8], _ offset: Int, _ message: String) -> CheckpointError {
    let before = bytes.prefix(offset)
    let line = before.count { $0 == 0x0a } + 1
    let start = before.lastIndex(of: 0x0a).map { $0 + 1 } ?? 0
    return CheckpointError(
      .malformed, "line \(line), column \(offset - start + 1): \(message)")
  }
}
