import FoundationEssentials

/// Swift's own coders, where the text is a `Codable` value: recipes, provenance, and reports.
extension Encodable {
  /// The value as JSON with sorted keys: on one line, or indented by two spaces per level.
  ///
  /// Numbers that are not finite become `"NaN"`, `"Infinity"`, and `"-Infinity"`.
  package func jsonText(isIndented: Bool = false) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    if isIndented { encoder.outputFormatting.insert(.prettyPrinted) }
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    return String(decoding: try encoder.encode(self), as: UTF8.self)
  }
}

extension Decodable {
  /// Decodes a whole text, which ``JSONScanner`` checks first: Swift's decoder takes the last of
  /// two equal keys.
  package init(jsonText text: String) throws {
    var scanner = JSONScanner(Array(text.utf8), offsets: .lines)
    try scanner.skip()
    try scanner.end()
    self = try JSONDecoder().decode(Self.self, from: Data(text.utf8))
  }
}
