package import TensorCore

/// An object of a text that people write: its values by key, and errors with line and column.
package struct JSONObject {
  private let bytes: [UInt8]
  private let offset: Int
  private var members: [(key: String, value: JSONValue)]

  /// Takes a value of the text `bytes` that must be an object with no other keys than `known`.
  package init(_ value: JSONValue, in bytes: [UInt8], keys known: Set<String>)
    throws(CheckpointError)
  {
    guard case .object(let members) = value.content else {
      throw JSONScanner.error(
        bytes, value.offset,
        "expected an object with \(known.sorted().joined(separator: ", ")), found \(value.kind)")
    }
    self.bytes = bytes
    self.members = members
    offset = value.offset
    if let other = members.first(where: { !known.contains($0.key) }) {
      throw JSONScanner.error(
        bytes, other.value.offset,
        "unknown key '\(other.key)': expected one of \(known.sorted().joined(separator: ", "))")
    }
  }

  /// Whether the key is there, even if its value is `null`.
  package func has(_ key: String) -> Bool { members.contains { $0.key == key } }

  private func value(_ key: String) -> JSONValue? { members.first { $0.key == key }?.value }

  /// An error at a key's value, or at the object where there is none.
  package func error(_ key: String?, _ message: String) -> CheckpointError {
    JSONScanner.error(bytes, key.flatMap { value($0)?.offset } ?? offset, message)
  }

  /// An error for a value that is missing or not `what`.
  package func expected(_ what: String, at key: String) -> CheckpointError {
    error(key, "\(key): expected \(what), found \(value(key)?.kind ?? "nothing")")
  }

  /// The string of a key; `nil` if it is missing or `null`.
  package func text(_ key: String) throws(CheckpointError) -> String? {
    switch value(key)?.content {
    case nil, .null: return nil
    case .string(let text): return text
    default: throw expected("a string", at: key)
    }
  }

  /// The string of a key that must be there.
  package func requiredText(_ key: String) throws(CheckpointError) -> String {
    guard let text = try text(key) else { throw expected("a string", at: key) }
    return text
  }

  /// The Boolean of a key, or its default.
  package func flag(_ key: String, default standard: Bool) throws(CheckpointError) -> Bool {
    switch value(key)?.content {
    case nil: return standard
    case .bool(let flag): return flag
    default: throw expected("true or false", at: key)
    }
  }

  /// The integer of a key, 0 or more.
  package func count(_ key: String) throws(CheckpointError) -> Int {
    guard let value = value(key), let count = Self.count(value) else {
      throw expected("an integer from 0 to 2^63 - 1", at: key)
    }
    return count
  }

  /// The integer of a key, 0 or more; `nil` if it is `null`.
  package func countOrNull(_ key: String) throws(CheckpointError) -> Int? {
    if case .null? = value(key)?.content { return nil }
    return try count(key)
  }

  /// The integers of a key, at most 64, each 0 or more; `nil` if it is missing.
  package func counts(_ key: String) throws(CheckpointError) -> [Int]? {
    guard let value = value(key) else { return nil }
    guard case .array(let items) = value.content, items.count <= 64 else {
      throw expected("an array of at most 64 sizes", at: key)
    }
    var counts: [Int] = []
    for item in items {
      guard let count = Self.count(item) else {
        throw JSONScanner.error(
          bytes, item.offset, "expected an integer from 0 to 2^63 - 1, found \(item.kind)")
      }
      counts.append(count)
    }
    return counts
  }

  /// The array of objects of a key; `nil` if it is missing.
  package func objects(_ key: String, keys: Set<String>) throws(CheckpointError) -> [JSONObject]? {
    guard let value = value(key) else { return nil }
    guard case .array(let items) = value.content else { throw expected("an array", at: key) }
    var objects: [JSONObject] = []
    for item in items { objects.append(try JSONObject(item, in: bytes, keys: keys)) }
    return objects
  }

  private static func count(_ value: JSONValue) -> Int? {
    guard case .number(let text) = value.content, let count = Int(text), count >= 0 else {
      return nil
    }
    return count
  }
}
