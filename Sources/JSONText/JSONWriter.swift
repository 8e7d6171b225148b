/// Writes JSON (RFC 8259) with the escapes of Python's `json.dumps(…, ensure_ascii=False)`.
///
/// The commas are the writer's work; what is written and in which order is the caller's, so that
/// equal content gives equal bytes.
package struct JSONWriter {
  /// The white space inside an object or an array, which those within it inherit.
  package enum Layout {
    /// None: `{"a":[1,2]}`.
    case compact
    /// After commas and colons, as `json.dumps` writes it: `{"a": [1, 2]}`.
    case spaced
    /// A line break before each member or element and before the closing bracket.
    case lines
  }

  /// The text so far, in UTF-8.
  package private(set) var bytes: [UInt8] = []
  private var layout = Layout.compact
  private var isFirst = true
  private var followsKey = false

  /// Begins an empty text.
  package init() {}

  /// The text so far.
  package var text: String { String(decoding: bytes, as: UTF8.self) }

  /// The text so far, which the writer then forgets: for texts that are written in pieces.
  package mutating func takeText() -> String {
    defer { bytes.removeAll(keepingCapacity: true) }
    return text
  }

  // MARK: - Containers

  /// Writes an object; `members` writes its keys and values.
  package mutating func object<Failure: Error>(
    _ layout: Layout? = nil, _ members: (inout JSONWriter) throws(Failure) -> Void
  ) throws(Failure) {
    try container("{", "}", layout, members)
  }

  /// Writes an array; `elements` writes its values.
  package mutating func array<Failure: Error>(
    _ layout: Layout? = nil, _ elements: (inout JSONWriter) throws(Failure) -> Void
  ) throws(Failure) {
    try container("[", "]", layout, elements)
  }

  /// Writes the key of the value that is written next.
  package mutating func key(_ key: String) {
    separate()
    quote(key)
    append(layout == .compact ? ":" : ": ")
    followsKey = true
  }

  // MARK: - Values

  /// Writes a string.
  package mutating func string(_ text: String) {
    separate()
    quote(text)
  }

  /// Writes members of an object whose values are strings.
  package mutating func members(_ members: KeyValuePairs<String, String>) {
    for (key, text) in members {
      self.key(key)
      string(text)
    }
  }

  /// Writes an integer.
  package mutating func number(_ number: some BinaryInteger) { literal("\(number)") }

  /// Writes `true` or `false`.
  package mutating func bool(_ value: Bool) { literal(value ? "true" : "false") }

  /// Writes `null`.
  package mutating func null() { literal("null") }

  /// Writes a value that is JSON already, such as the digits of a real number; an empty text
  /// stands for a value that was already moved out by ``takeText()``.
  package mutating func literal(_ text: String) {
    separate()
    append(text)
  }

  /// Writes an array of strings.
  package mutating func strings(_ texts: some Sequence<String>) {
    array { for text in texts { $0.string(text) } }
  }

  /// Writes an array of integers.
  package mutating func numbers(_ numbers: some Sequence<some BinaryInteger>) {
    array { for number in numbers { $0.number(number) } }
  }

  /// Writes the members of an object of strings, sorted by the bytes of their keys.
  package mutating func members(_ texts: [String: String]) {
    for (key, text) in texts.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
      self.key(key)
      string(text)
    }
  }

  // MARK: - Bytes

  private mutating func container<Failure: Error>(
    _ opening: String, _ closing: String, _ inner: Layout?,
    _ body: (inout JSONWriter) throws(Failure) -> Void
  ) throws(Failure) {
    separate()
    let outer = layout
    if let inner { layout = inner }
    append(opening)
    isFirst = true
    try body(&self)
    if layout == .lines { append("\n") }
    append(closing)
    layout = outer
    isFirst = false
  }

  /// Writes what stands between the last value and the next one.
  private mutating func separate() {
    if followsKey {
      followsKey = false
      return
    }
    if !isFirst { append(layout == .spaced ? ", " : ",") }
    if layout == .lines { append("\n") }
    isFirst = false
  }

  private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

  private mutating func quote(_ text: String) {
    append("\"")
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""): append("\\\"")
      case UInt8(ascii: "\\"): append("\\\\")
      case 0x08: append("\\b")
      case 0x09: append("\\t")
      case 0x0a: append("\\n")
      case 0x0c: append("\\f")
      case 0x0d: append("\\r")
      case 0x00..<0x20: append((byte < 0x10 ? "\\u000" : "\\u00") + String(byte, radix: 16))
      default: bytes.append(byte)
      }
    }
    append("\"")
  }
}
