package import TensorCore

/// Reads JSON (RFC 8259) strictly, one value after another, from bytes that nobody has checked.
///
/// It refuses a key that occurs twice in one object, however it is spelled; text after the end;
/// invalid UTF-8; lone surrogates; and nesting past a limit. Time is linear in the bytes, and
/// memory is taken only for the strings that are asked for and for an object's keys.
package struct JSONScanner {
  /// How errors tell where they are.
  package enum Offsets {
    /// As line and column, for texts that people write.
    case lines
    /// As an offset in a file in which the text begins at this one.
    case bytes(from: Int)
    /// As an offset in the text, named like this, for texts that a file holds compressed.
    case text(String)
  }

  /// How a text may be spelled.
  package enum Spelling {
    /// In every way that JSON allows.
    case free
    /// As ``JSONWriter`` writes it without white space, so that every reader sees the same value
    /// and one value has one text.
    case canonical
  }

  /// The kind of the next value.
  package enum Kind {
    case object, array, string, number, bool, null
  }

  /// Deepest nesting of arrays and objects, unless the reader wants less.
  package static let maxDepth = 64

  /// The text.
  package let bytes: [UInt8]
  let spelling: Spelling
  private let offsets: Offsets
  private let maxDepth: Int
  private var depth = 0
  /// The byte that is read next.
  package internal(set) var position = 0

  /// Reads from the beginning of `bytes`.
  package init(
    _ bytes: [UInt8], offsets: Offsets = .bytes(from: 0), spelling: Spelling = .free,
    maxDepth: Int = JSONScanner.maxDepth
  ) {
    self.bytes = bytes
    self.offsets = offsets
    self.spelling = spelling
    self.maxDepth = maxDepth
  }

  // MARK: - Values

  /// Skips white space and looks at what follows; anything but `{ [ " t f n` may be a number.
  package mutating func next() -> Kind {
    skipBlanks()
    return switch position < bytes.count ? bytes[position] : 0 {
    case UInt8(ascii: "{"): .object
    case UInt8(ascii: "["): .array
    case UInt8(ascii: "\""): .string
    case UInt8(ascii: "t"), UInt8(ascii: "f"): .bool
    case UInt8(ascii: "n"): .null
    default: .number
    }
  }

  /// Takes an object; `member` is called at each key's value, which it must take.
  package mutating func object(
    _ member: (
      _ scanner: inout JSONScanner, _ key: String, _ keyPosition: Int
    ) throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    try open("{", "an object")
    var keys = KeySet()
    if !takeMark("}") {
      repeat {
        skipBlanks()
        let start = position
        guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
          throw expected("a key in double quotes")
        }
        let key = try string()
        guard keys.insert(key) else {
          throw error(at: start, "duplicate key '\(Self.shown(key))'")
        }
        guard takeMark(":") else { throw expected("':'") }
        try member(&self, key, start)
      } while takeMark(",")
      guard takeMark("}") else { throw expected("',' or '}'") }
    }
    depth -= 1
  }

  /// Takes an array; `element` is called at each element, which it must take.
  package mutating func array(
    _ element: (_ scanner: inout JSONScanner) throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    try open("[", "an array")
    if !takeMark("]") {
      repeat { try element(&self) } while takeMark(",")
      guard takeMark("]") else { throw expected("',' or ']'") }
    }
    depth -= 1
  }

  /// Takes `true` or `false`.
  package mutating func bool() throws(CheckpointError) -> Bool {
    skipBlanks()
    if take("true") { return true }
    if take("false") { return false }
    throw expected("true or false")
  }

  /// Takes `null`, if that is what comes.
  package mutating func takeNull() -> Bool {
    skipBlanks()
    return take("null")
  }

  /// Takes any value and forgets it.
  package mutating func skip() throws(CheckpointError) {
    switch next() {
    case .object: try object { scanner, _, _ throws(CheckpointError) in try scanner.skip() }
    case .array: try array { scanner throws(CheckpointError) in try scanner.skip() }
    case .string: _ = try string()
    case .bool: _ = try bool()
    case .null: if !takeNull() { throw expected("a value") }
    case .number: _ = try number()
    }
  }

  /// Makes sure that only white space follows.
  package mutating func end() throws(CheckpointError) {
    skipBlanks()
    if position < bytes.count { throw expected("the end of the text") }
  }

  // MARK: - Literals

  /// Consumes these bytes if they come next; returns whether they did.
  package mutating func take(_ literal: String) -> Bool {
    let text = literal.utf8Span.span
    guard text.count <= bytes.count - position else { return false }
    for index in text.indices where text[index] != bytes[position + index] { return false }
    position += text.count
    return true
  }

  /// Takes bytes that must come next, such as the keys of a canonical text.
  package mutating func expect(_ literal: String) throws(CheckpointError) {
    if !take(literal) { throw expected("'\(literal)'") }
  }

  private mutating func open(_ mark: Unicode.Scalar, _ what: String) throws(CheckpointError) {
    skipBlanks()
    guard depth < maxDepth else {
      throw error(at: position, "nested deeper than \(maxDepth) levels")
    }
    guard takeMark(mark) else { throw expected(what) }
    depth += 1
  }

  private mutating func takeMark(_ mark: Unicode.Scalar) -> Bool {
    skipBlanks()
    guard position < bytes.count, bytes[position] == UInt8(ascii: mark) else { return false }
    position += 1
    return true
  }

  mutating func skipBlanks() {
    if spelling == .canonical { return }
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x09, 0x0a, 0x0d: position += 1
      default: return
      }
    }
  }

  // MARK: - Errors

  /// An error that tells what was expected here and what was found.
  package func expected(_ what: String) -> CheckpointError {
    let rest = bytes[min(position, bytes.count)...].prefix(16).prefix { $0 != 0x0a }
    let text = String(decoding: rest, as: UTF8.self)
    return error(
      at: position, "expected \(what), found \(rest.isEmpty ? "the end" : "'\(text)'")")
  }

  /// An error at an offset of the text.
  package func error(at position: Int, _ message: String) -> CheckpointError {
    switch offsets {
    case .lines: Self.error(bytes, position, message)
    case .bytes(let start): CheckpointError(.malformed, message, offset: start + position)
    case .text(let name): CheckpointError(.malformed, "\(name), byte \(position): \(message)")
    }
  }

  /// An error with the line and the column, both counted from 1, of an offset of a text.
  package static func error(
    _ bytes: [UInt8], _ offset: Int, _ message: String
  ) -> CheckpointError {
    let before = bytes.prefix(offset)
    let line = before.count { $0 == 0x0a } + 1
    let start = before.lastIndex(of: 0x0a).map { $0 + 1 } ?? 0
    return CheckpointError(
      .malformed, "line \(line), column \(offset - start + 1): \(message)")
  }

  /// A text that may be long, cut to 80 characters for an error.
  package static func shown(_ text: String) -> String {
    text.shortened(to: 80)
  }
}
