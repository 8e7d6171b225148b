import FoundationEssentials

/// The folder `Fixtures/` of this checkout, and what tests do with it.
public enum Fixtures {
  /// Absolute path of a fixture, `goldens/ops.json`.
  public static func path(_ name: String) -> String {
    var parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
    parts.removeLast(3)
    return parts.joined(separator: "/") + "/Fixtures/" + name
  }

  /// The fixture's bytes.
  public static func bytes(_ name: String) throws -> [UInt8] {
    try Array(Data(contentsOf: URL(filePath: path(name))))
  }

  /// Decodes a fixture of JSON.
  public static func json<Value: Decodable>(_ name: String, as type: Value.Type) throws -> Value {
    try JSONDecoder().decode(type, from: Data(contentsOf: URL(filePath: path(name))))
  }

  /// Decodes the `cases` of a golden file (see `Fixtures/goldens/SCHEMA.md`).
  public static func cases<Case: Decodable>(_ name: String, as type: Case.Type) throws -> [Case] {
    let data = try Data(contentsOf: URL(filePath: path(name)))
    return try JSONDecoder().decode(GoldenFile<Case>.self, from: data).cases
  }
}

private struct GoldenFile<Case: Decodable>: Decodable { let cases: [Case] }
