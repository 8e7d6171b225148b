/// Reads JSON (RFC 8259) strictly, one value after another, from bytes that nobody has checked.
///
/// Refused are a key that stands twice in one object, however it is spelt; text after the end;
/// invalid UTF-8; lone surrogates; and nesting past a limit. Time is linear in the bytes, and no
/// memory is taken but for the texts that are asked for and an object's keys.
package struct JSONScanner {
  /// How errors say where they are.
  package enum Places {
    /// As line and column, for texts that people write.
    case lines
    /// As the byte in a file in which the text begins there.
    case bytes(from: Int)
  }

  /// What kind of value comes next.
  package enum Kind {
    case object, array, string, number, bool, null
  }

  /// Deepest nesting of lists and objects, unless the reader wants less.
  package static let maxDepth = 64

  let bytes: [UInt8]
  private let places: Places
  private let maxDepth: Int
  private var depth = 0
  /// The byte that is read next.
  package internal(set) var position = 0

  /// Reads from the beginning of `bytes`.
  package init(
    _ bytes: [UInt8], places: Places = .bytes(from: 0), maxDepth: Int = JSONScanner.maxDepth
  ) {
    self.bytes = bytes
    self.places = places
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
    if !take("}") {
      repeat {
        skipBlanks()
        let start = position
        guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
          throw found("a key in quotes")
        }
        let key = try string()
        guard keys.insert(key) else {
          throw error(at: start, "found the key '\(Self.shown(key))' twice, required once")
        }
        guard take(":") else { throw found("':'") }
        try member(&self, key, start)
      } while take(",")
      guard take("}") else { throw found("',' or '}'") }
    }
    depth -= 1
  }

  /// Takes a list; `element` is called at each element, which it must take.
  package mutating func array(
    _ element: (_ scanner: inout JSONScanner) throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    try open("[", "a list")
    if !take("]") {
      repeat { try element(&self) } while take(",")
      guard take("]") else { throw found("',' or ']'") }
    }
    depth -= 1
  }

  /// Takes `true` or `false`.
  package mutating func bool() throws(CheckpointError) -> Bool {
    skipBlanks()
    if takeWord("true") { return true }
    if takeWord("false") { return false }
    throw found("true or false")
  }

  /// Takes `null`, if that is what comes.
  package mutating func takeNull() -> Bool {
    skipBlanks()
    return takeWord("null")
  }

  /// Takes a number, as it is spelt.
  package mutating func number() throws(CheckpointError) -> String {
    skipBlanks()
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
      if position < bytes.count,
        bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-")
      {
        position += 1
      }
      try digits(ofNumberAt: start)
    }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  /// Takes a whole number of 0 to 2^63 - 1 that is spelt with digits alone.
  package mutating func wholeNumber() throws(CheckpointError) -> Int {
    skipBlanks()
    let start = position
    guard isDigit(start) else {
      let text = next() == .number ? try? number() : nil
      position = start
      throw wrong(text, at: start)
    }
    // Nearly all numbers are plain digits, which need no text.
    var (value, end) = (0, start)
    while end < bytes.count, end - start < 18, isDigit(end) {
      value = value * 10 + Int(bytes[end] - UInt8(ascii: "0"))
      end += 1
    }
    let isPlain = end < bytes.count && [0x2c, 0x5d, 0x7d].contains(bytes[end])
    if isPlain, bytes[start] != UInt8(ascii: "0") || end == start + 1 {
      position = end
      return value
    }
    let text = try number()
    guard let value = Int(text) else { throw wrong(text, at: start) }
    return value
  }

  private func wrong(_ text: String?, at start: Int) -> CheckpointError {
    let required = "a whole number from 0 to 2^63 - 1"
    guard let text else { return found(required) }
    return error(at: start, "found \(Self.shown(text)), required \(required)")
  }

  /// Takes any value and forgets it.
  package mutating func skip() throws(CheckpointError) {
    switch next() {
    case .object: try object { scanner, _, _ throws(CheckpointError) in try scanner.skip() }
    case .array: try array { scanner throws(CheckpointError) in try scanner.skip() }
    case .string: _ = try string()
    case .bool: _ = try bool()
    case .null: if !takeNull() { throw found("a value") }
    case .number: _ = try number()
    }
  }

  /// Makes sure that nothing but white space follows.
  package mutating func end() throws(CheckpointError) {
    skipBlanks()
    if position < bytes.count { throw found("the end of the text") }
  }

  // MARK: - Marks

  private mutating func open(_ mark: Unicode.Scalar, _ what: String) throws(CheckpointError) {
    skipBlanks()
    guard depth < maxDepth else { throw found("at most \(maxDepth) levels") }
    guard take(mark) else { throw found(what) }
    depth += 1
  }

  private func isDigit(_ index: Int) -> Bool {
    index < bytes.count && bytes[index] &- UInt8(ascii: "0") < 10
  }

  private mutating func digits(ofNumberAt start: Int) throws(CheckpointError) {
    guard isDigit(position) else {
      position = start
      throw found("a value")
    }
    while isDigit(position) { position += 1 }
  }

  mutating func takeWord(_ word: StaticString) -> Bool {
    let end = position + word.utf8CodeUnitCount
    guard end <= bytes.count, bytes[position..<end].elementsEqual(word.description.utf8) else {
      return false
    }
    position = end
    return true
  }

  private mutating func take(_ mark: Unicode.Scalar) -> Bool {
    skipBlanks()
    guard position < bytes.count, bytes[position] == UInt8(ascii: mark) else { return false }
    position += 1
    return true
  }

  private mutating func skipBlanks() {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x09, 0x0a, 0x0d: position += 1
      default: return
      }
    }
  }

  // MARK: - Errors

  /// An error that says what stands at the position and what should.
  package func found(_ required: String) -> CheckpointError {
    let rest = bytes[min(position, bytes.count)...].prefix(16).prefix { $0 != 0x0a }
    let text = String(decoding: rest, as: UTF8.self)
    return error(
      at: position, "found \(rest.isEmpty ? "the end" : "'\(text)'"), required \(required)")
  }

  /// An error at a byte of the text.
  package func error(at position: Int, _ message: String) -> CheckpointError {
    switch places {
    case .lines: Self.error(bytes, position, message)
    case .bytes(let start): CheckpointError(.malformed, message, offset: start + position)
    }
  }

  /// An error with line and column of a byte.
  package static func error(
    _ bytes: [UInt8], _ offset: Int, _ message: String
  ) -> CheckpointError {
    let before = bytes.prefix(offset)
    let line = before.count { $0 == 0x0a } + 1
    let start = before.lastIndex(of: 0x0a).map { $0 + 1 } ?? 0
    return CheckpointError(
      .malformed, "line \(line), column \(offset - start + 1): \(message)")
  }

  /// A text that may be long, for an error.
  package static func shown(_ text: String) -> String {
    text.shortened(to: 80)
  }
}

/// The keys of one object: few are compared one by one, many by their hashes.
private struct KeySet {
  private var few: [String] = []
  private var many: Set<TensorName> = []

  /// Adds a key; says no if it is there.
  mutating func insert(_ key: String) -> Bool {
    if many.isEmpty {
      if few.contains(where: { $0.utf8.elementsEqual(key.utf8) }) { return false }
      if few.isEmpty { few.reserveCapacity(4) }
      few.append(key)
      if few.count == 16 { many = Set(few.map { TensorName($0) }) }
      return true
    }
    return many.insert(TensorName(key)).inserted
  }
}
