/// What a value holds, `nil` where it is of another kind.
extension JSONValue {
  /// The members of an object.
  package var members: [(key: String, value: JSONValue)]? {
    if case .object(let members) = content { members } else { nil }
  }

  /// The first member of an object with this key.
  package subscript(key: String) -> JSONValue? { members?.first { $0.key == key }?.value }

  /// The elements of an array.
  package var elements: [JSONValue]? {
    if case .array(let elements) = content { elements } else { nil }
  }

  /// The text of a string.
  package var text: String? { if case .string(let text) = content { text } else { nil } }

  /// A number that is an integer.
  package var integer: Int? { if case .number(let text) = content { Int(text) } else { nil } }

  /// A number, rounded.
  package var number: Double? { if case .number(let text) = content { Double(text) } else { nil } }

  /// The elements of an array of integers; `nil` if one is something else.
  package var integers: [Int]? {
    let integers = elements?.compactMap(\.integer)
    return integers?.count == elements?.count ? integers : nil
  }

  /// A truth value.
  package var flag: Bool? { if case .bool(let flag) = content { flag } else { nil } }
}
