/// One value of a JSON text, with the byte at which it begins.
package struct JSONValue {
  /// What the value is.
  package enum Content {
    case object([(key: String, value: JSONValue)])
    case array([JSONValue])
    case string(String)
    case number(String)
    case bool(Bool)
    case null
  }

  /// Where it begins in the text.
  package let offset: Int
  /// What it is.
  package let content: Content

  /// Reads a whole text, as ``JSONScanner`` does.
  ///
  /// - Throws: ``CheckpointError`` with code `malformed`, line and column.
  package init(_ text: String, maxDepth: Int = JSONScanner.maxDepth) throws(CheckpointError) {
    var scanner = JSONScanner(Array(text.utf8), places: .lines, maxDepth: maxDepth)
    try self.init(&scanner)
    try scanner.end()
  }

  /// Reads the value that comes next.
  package init(_ scanner: inout JSONScanner) throws(CheckpointError) {
    let kind = scanner.next()
    offset = scanner.position
    switch kind {
    case .object:
      var members: [(key: String, value: JSONValue)] = []
      try scanner.object { scanner, key, _ throws(CheckpointError) in
        members.append((key, try JSONValue(&scanner)))
      }
      content = .object(members)
    case .array:
      var elements: [JSONValue] = []
      try scanner.array { scanner throws(CheckpointError) in
        elements.append(try JSONValue(&scanner))
      }
      content = .array(elements)
    case .string: content = .string(try scanner.string())
    case .number: content = .number(try scanner.number())
    case .bool: content = .bool(try scanner.bool())
    case .null:
      guard scanner.takeNull() else { throw scanner.found("a value") }
      content = .null
    }
  }

  /// What it is, for an error.
  package var kind: String {
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
