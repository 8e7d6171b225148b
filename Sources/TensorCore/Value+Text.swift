/// Values as text for people, and as reports encode them.
extension Value {
  /// One line of about `limit` characters at most, the rest as `...`: `[0.9, 0.999]`, `"adam"`.
  ///
  /// The work is bounded as well, however large the value is.
  public func shortText(limit: Int) -> String {
    var text = ""
    append(to: &text, limit: limit)
    return text.escapingControls.shortened(to: limit)
  }

  private func append(to text: inout String, limit: Int) {
    switch self {
    case .null: text += "null"
    case .bool(let value): text += value ? "true" : "false"
    case .integer(let number): text += String(number)
    case .real(let number): text += "\(number)"
    case .text(let content): text += "\"" + Self.beginning(of: content, limit) + "\""
    case .bytes(let bytes): text += "<\(bytes.count) byte\(bytes.count == 1 ? "" : "s")>"
    case .list(let elements):
      Self.append(elements, "[", "]", to: &text, limit: limit) { $0.append(to: &$1, limit: limit) }
    case .tuple(let elements):
      Self.append(elements, "(", elements.count == 1 ? ",)" : ")", to: &text, limit: limit) {
        $0.append(to: &$1, limit: limit)
      }
    case .dictionary(let members): Self.append(members, "{", "}", to: &text, limit: limit)
    case .opaque(let name, let members):
      if members.isEmpty {
        text += "<\(name)>"
      } else {
        Self.append(members, "\(name)(", ")", to: &text, limit: limit)
      }
    }
  }

  /// More of a text than is shown; a character may have any number of code points.
  private static func beginning(of text: String, _ limit: Int) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.prefix(limit + 1)))
  }

  private static func append(
    _ members: [Member], _ opening: String, _ closing: String, to text: inout String, limit: Int
  ) {
    append(members, opening, closing, to: &text, limit: limit) { member, text in
      text += beginning(of: member.name, limit) + ": "
      member.value.append(to: &text, limit: limit)
    }
  }

  private static func append<Element>(
    _ elements: [Element], _ opening: String, _ closing: String, to text: inout String,
    limit: Int, _ body: (Element, inout String) -> Void
  ) {
    text += opening
    for (index, element) in elements.enumerated() {
      if text.utf8.count > 4 * limit { return }
      if index > 0 { text += ", " }
      body(element, &text)
    }
    text += closing
  }
}

extension Value: Encodable {
  /// Encodes the value for a report: a list or tuple as an array, a dictionary as an object, bytes as
  /// hexadecimal text, an opaque value as an object with its name under `class`.
  ///
  /// Members whose names an object cannot tell apart are an array of names and values, under `members`
  /// in an opaque value.
  ///
  /// What a report cannot tell apart, the exact form of a file can: see `JSONWriter.exact(_:)`.
  public func encode(to encoder: any Encoder) throws {
    switch self {
    case .null:
      var container = encoder.singleValueContainer()
      try container.encodeNil()
    case .bool(let value): try value.encode(to: encoder)
    case .integer(let number): try number.encode(to: encoder)
    case .real(let number): try number.encode(to: encoder)
    case .text(let text): try text.encode(to: encoder)
    case .bytes(let bytes): try bytes.hexDigits().encode(to: encoder)
    case .list(let elements), .tuple(let elements): try elements.encode(to: encoder)
    case .dictionary(let members): try Self.encode(members, to: encoder, kind: nil)
    case .opaque(let name, let members): try Self.encode(members, to: encoder, kind: name)
    }
  }

  private static func encode(
    _ members: [Member], to encoder: any Encoder, kind: String?
  ) throws {
    var names: Set<String> = kind == nil ? [] : ["class"]
    let isClear = members.allSatisfy { names.insert($0.name).inserted }
    if !isClear, kind == nil { return try pairs(of: members).encode(to: encoder) }
    var container = encoder.container(keyedBy: Name.self)
    if let kind { try container.encode(kind, forKey: Name(stringValue: "class")) }
    guard isClear else {
      return try container.encode(pairs(of: members), forKey: Name(stringValue: "members"))
    }
    for member in members {
      try container.encode(member.value, forKey: Name(stringValue: member.name))
    }
  }

  private static func pairs(of members: [Member]) -> Value {
    .list(members.map { .list([.text($0.name), $0.value]) })
  }

  private struct Name: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }
}
