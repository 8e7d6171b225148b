package import TensorCore

/// Changes a JSON text without touching the bytes that stay.
extension JSONScanner {
  /// The text with string members set in the object that its member `name` is; every other byte,
  /// white space included, is as it was.
  ///
  /// Members that exist get a new value where they are; others are added at the end, in the order of
  /// their keys. If the text has no such object, it is added as the first member.
  /// - Parameters:
  ///   - texts: the members to set.
  ///   - name: the member of the outermost object that holds them; `null` counts as absent.
  ///   - json: a text that holds an object.
  /// - Returns: the changed text.
  /// - Throws: ``CheckpointError`` `malformed` if the text is not an object of that kind.
  package static func setting(
    _ texts: [String: String], in name: String, of json: [UInt8]
  ) throws(CheckpointError) -> [UInt8] {
    if texts.isEmpty { return json }
    var missing = texts
    var edits: [(range: Range<Int>, text: [UInt8])] = []
    var outerStart: Int?
    var isEmpty = true
    var hasObject = false
    var scanner = JSONScanner(json)
    try scanner.object { scanner, key, position throws(CheckpointError) in
      if isEmpty { outerStart = position }
      isEmpty = false
      guard key.utf8.elementsEqual(name.utf8) else { return try scanner.skip() }
      hasObject = true
      _ = scanner.next()
      let start = scanner.position
      if scanner.takeNull() {
        edits.append((start..<scanner.position, object(missing)))
        return
      }
      var isInnerEmpty = true
      try scanner.object { scanner, key, _ throws(CheckpointError) in
        isInnerEmpty = false
        _ = scanner.next()
        let start = scanner.position
        try scanner.skip()
        guard let text = missing.removeValue(forKey: key) else { return }
        edits.append((start..<scanner.position, string(text)))
      }
      let end = scanner.position - 1  // before the closing brace
      if !missing.isEmpty {
        let added = members(missing)
        edits.append((end..<end, isInnerEmpty ? added : [UInt8(ascii: ",")] + added))
      }
    }
    if !hasObject {
      let added = string(name) + [UInt8(ascii: ":")] + object(texts)
      let start = outerStart ?? scanner.position - 1
      edits.append((start..<start, isEmpty ? added : added + [UInt8(ascii: ",")]))
    }
    var result: [UInt8] = []
    var end = 0
    for (range, text) in edits {
      result += json[end..<range.lowerBound]
      result += text
      end = range.upperBound
    }
    return result + json[end...]
  }

  private static func string(_ text: String) -> [UInt8] {
    var json = JSONWriter()
    json.string(text)
    return json.bytes
  }

  private static func object(_ texts: [String: String]) -> [UInt8] {
    [UInt8(ascii: "{")] + members(texts) + [UInt8(ascii: "}")]
  }

  private static func members(_ texts: [String: String]) -> [UInt8] {
    var json = JSONWriter()
    json.object { $0.members(texts) }
    return Array(json.bytes.dropFirst().dropLast())
  }
}
