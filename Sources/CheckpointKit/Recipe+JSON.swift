import JSONText
import ModuleTree
public import TensorCore
import TorchRandom

/// The JSON that a checkpoint carries, version 2 of its schema.
///
/// The keys are `version`, `seed` (a decimal text; left out when the values came from elsewhere),
/// `library` (left out for `torch`), `dtype`, `torch` (PyTorch's version and CPU path) and `steps`, each an object whose one key of
/// `construct`, `skip`, `rules`, `was`, `cast`, `copy`, `keep`, and `redraw` says what it is.
extension Recipe: Codable {
  private static let version = 2
  /// Version of PyTorch whose values these are.
  private static let torchVersion = "2.15"

  private enum Key: String, CodingKey {
    case version, seed, library, dtype, torch, steps
  }

  /// Decodes the JSON of a checkpoint's metadata.
  ///
  /// - Throws: `CheckpointError` naming the key whose value is unknown.
  public init(json text: String) throws(CheckpointError) {
    do {
      // Its expressions are whoever's made the file.
      self = try MatchingSteps.$shared.withValue(MatchingSteps()) { try Self(jsonText: text) }
    } catch let error as CheckpointError {
      throw CheckpointError(error.code, "recipe: \(error.message)")
    } catch {
      throw CheckpointError(
        .malformed,
        "recipe: expected the JSON that 'ckpt init' writes, found '\(text.prefix(60))'")
    }
  }

  /// The JSON of a checkpoint's metadata: keys sorted, one line.
  public var json: String {
    get throws { try jsonText() }
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Key.self)
    let version = try values.decode(Int.self, forKey: .version)
    guard version == Self.version else {
      throw CheckpointError(
        .unsupported, "expected version \(Self.version), found version \(version)")
    }
    seed = try values.parseIfPresent(.seed) { try Seed($0) }
    library = try values.parseIfPresent(.library) { try Library(named: $0) } ?? .torch
    dtype = try values.parse(.dtype, Self.floatingPoint)
    cpuPath = try values.parse(.torch, Self.cpuPath)
    steps = try values.decode([Step].self, forKey: .steps)
  }

  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Key.self)
    try values.encode(Self.version, forKey: .version)
    try values.encodeIfPresent(seed?.description, forKey: .seed)
    if library != .torch { try values.encode(library.rawValue, forKey: .library) }
    try values.encode(dtype.torchName, forKey: .dtype)
    try values.encode("\(Self.torchVersion) \(cpuPath.rawValue)", forKey: .torch)
    try values.encode(steps, forKey: .steps)
  }

  private static func cpuPath(torch text: String) throws -> CPUPath {
    for path in CPUPath.allCases where text == "\(torchVersion) \(path.rawValue)" { return path }
    let known = CPUPath.allCases.map { "'\(torchVersion) \($0.rawValue)'" }
    throw CheckpointError(
      .unsupported, "unknown '\(text)': expected \(known.joined(separator: " or "))")
  }
}

/// Texts that become typed values; an error names the key.
extension KeyedDecodingContainer {
  func parse<Value>(_ key: Key, _ parse: (String) throws -> Value) throws -> Value {
    try naming(key, try decode(String.self, forKey: key), parse)
  }

  func parseIfPresent<Value>(
    _ key: Key, _ parse: (String) throws -> Value
  ) throws -> Value? {
    try decodeIfPresent(String.self, forKey: key).map { try naming(key, $0, parse) }
  }

  func parseAll<Value>(
    _ key: Key, _ parse: (String) throws -> Value
  ) throws -> [Value] {
    try decode([String].self, forKey: key).map { try naming(key, $0, parse) }
  }

  private func naming<Value>(
    _ key: Key, _ text: String, _ parse: (String) throws -> Value
  ) throws -> Value {
    do {
      return try parse(text)
    } catch let error as CheckpointError {
      throw CheckpointError(error.code, "\(key.stringValue): \(error.message)")
    }
  }
}
