package import TensorCore

/// One value of a JSON text, with the byte at which it begins.
package struct JSONValue {
  /// The value; numbers are kept as they are spelled.
  package enum Content {
    case object([(key: String, value: JSONValue)])
    case array([JSONValue])
    case string(String)
    case number(String)
    case bool(Bool)
    case null
  }

  /// Offset of its first byte in the text.
  package let offset: Int
  /// The value itself.
  package let content: Content

  /// Reads a whole text, as ``JSONScanner`` does.
  ///
  /// - Throws: ``CheckpointError`` with code `malformed`, line and column.
  package init(_ text: String, maxDepth: Int = JSONScanner.maxDepth) throws(CheckpointError) {
    var scanner = JSONScanner(Array(text.utf8), offsets: .lines, maxDepth: maxDepth)
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
      guard scanner.takeNull() else { throw scanner.expected("a value") }
      content = .null
    }
  }

  /// The value or its kind, for an error.
  package var kind: String {
    switch content {
    case .object: "an object"
    case .array: "an array"
    case .string(let text): text.utf8.count > 40 ? "a long string" : "'\(text)'"
    case .number(let text): text
    case .bool(let value): "\(value)"
    case .null: "null"
    }
  }
}
