import JSONText
import ModuleTree
import TensorCore
import TorchRandom

/// The JSON that a checkpoint carries, version 1 of its schema.
///
/// The keys are `version`, `model` and `extra` (texts; left out without a model), `seed` (a decimal
/// text; left out when the values came from elsewhere), `rules`, `order`, `dtype`, `torch` (PyTorch's
/// version and CPU path) and `redraws` (the steps).
extension Recipe: Codable {
  private static let version = 1
  /// Version of PyTorch whose values these are.
  private static let torchVersion = "2.15"

  private enum Key: String, CodingKey {
    case version, model, extra, seed, rules, order, dtype, torch, redraws
  }

  /// Decodes the JSON of a checkpoint's metadata.
  ///
  /// - Throws: `CheckpointError` naming the key whose value is unknown.
  public init(json text: String) throws {
    do {
      self = try Self(jsonText: text)
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
    let extra = try values.decodeIfPresent(String.self, forKey: .extra)
    model = try values.parseIfPresent(.model) { try Model(text: $0, extra: extra) }
    seed = try values.parseIfPresent(.seed) { try Seed($0) }
    rules = try values.parseAll(.rules) { try Rule($0) }
    order = try values.parse(.order) { try Rule.Order(named: $0) }
    dtype = try values.parse(.dtype, Self.floatingPoint)
    cpuPath = try values.parse(.torch, Self.cpuPath)
    steps = try values.decode([Step].self, forKey: .redraws)
  }

  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Key.self)
    try values.encode(Self.version, forKey: .version)
    try values.encodeIfPresent(model?.text, forKey: .model)
    try values.encodeIfPresent(model?.extra, forKey: .extra)
    try values.encodeIfPresent(seed?.description, forKey: .seed)
    try values.encode(rules.map(\.description), forKey: .rules)
    try values.encode(order.rawValue, forKey: .order)
    try values.encode(dtype.torchName, forKey: .dtype)
    try values.encode("\(Self.torchVersion) \(cpuPath.rawValue)", forKey: .torch)
    try values.encode(steps, forKey: .redraws)
  }

  private static func cpuPath(torch text: String) throws -> CPUPath {
    for path in CPUPath.allCases where text == "\(torchVersion) \(path.rawValue)" { return path }
    let known = CPUPath.allCases.map { "'\(torchVersion) \($0.rawValue)'" }
    throw CheckpointError(
      .unsupported, "unknown '\(text)': expected \(known.joined(separator: " or "))")
  }
}

/// One of the recipe's `redraws`: `match`, `exclude`, `rules`, `order`, `seed`, and for a copy the
/// fingerprint `copiedFrom`.
extension Recipe.Step: Codable {
  private enum Key: String, CodingKey { case match, exclude, rules, order, seed, copiedFrom }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Key.self)
    var step = Reinitialization(
      match: try values.parseAll(.match) { try Selector($0) },
      exclude: try values.parseAll(.exclude) { try Selector($0) })
    step.rules = try values.parseAll(.rules) { try Rule($0) }
    step.order = try values.parse(.order) { try Rule.Order(named: $0) }
    step.seed = try values.parse(.seed) { try Seed($0) }
    if let source = try values.decodeIfPresent(String.self, forKey: .copiedFrom) {
      self = .copy(step, from: source)
    } else {
      self = .reinitialize(step)
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Key.self)
    let step: Reinitialization
    switch self {
    case .reinitialize(let drawn): step = drawn
    case .copy(let copied, let source):
      step = copied
      try values.encode(source, forKey: .copiedFrom)
    }
    try values.encode(step.match.map(\.source), forKey: .match)
    try values.encode(step.exclude.map(\.source), forKey: .exclude)
    try values.encode(step.rules.map(\.description), forKey: .rules)
    try values.encode(step.order.rawValue, forKey: .order)
    try values.encode(step.seed.description, forKey: .seed)
  }
}

/// Texts that become typed values; an error names the key.
extension KeyedDecodingContainer {
  fileprivate func parse<Value>(_ key: Key, _ parse: (String) throws -> Value) throws -> Value {
    try naming(key, try decode(String.self, forKey: key), parse)
  }

  fileprivate func parseIfPresent<Value>(
    _ key: Key, _ parse: (String) throws -> Value
  ) throws -> Value? {
    try decodeIfPresent(String.self, forKey: key).map { try naming(key, $0, parse) }
  }

  fileprivate func parseAll<Value>(
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
