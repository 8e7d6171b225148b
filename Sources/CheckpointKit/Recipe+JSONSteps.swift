import JSONText
import ModuleTree
import TensorCore

/// A step of a recipe as JSON.
///
/// `construct` (a model's text) with `extra`, `as`, and `atConstruction` (rules); `skip`; `rules` with
/// `order`; `was` (a layer) with `name`; `cast` (a dtype) with `match`; `copy` (a name) with `to`;
/// `keep` and `exclude` (selectors); `redraw` (selectors) with `exclude`, `rules`, `order`, `seed`, and
/// for a copy the fingerprint `copiedFrom`.
extension Recipe.Step: Codable {
  private enum Key: String, CodingKey {
    case construct, extra, `as`, atConstruction, skip, rules, order, was, name, cast, match, copy,
      to
    case keep, exclude, redraw, seed, copiedFrom
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Key.self)
    func selectors(_ key: Key) throws -> [Selector] {
      try values.contains(key) ? values.parseAll(key) { try Selector($0) } : []
    }
    func rules(_ key: Key) throws -> [Rule] {
      try values.contains(key) ? values.parseAll(key) { try Rule($0) } : []
    }
    func order() throws -> Rule.Order { try values.parse(.order) { try Rule.Order(named: $0) } }
    if values.contains(.construct) {
      let extra = try values.decodeIfPresent(String.self, forKey: .extra)
      let model = try values.parse(.construct) { try Model(text: $0, extra: extra) }
      self = .construct(
        Recipe.Construction(
          model, as: try values.decodeIfPresent(String.self, forKey: .as) ?? "",
          rules: try rules(.atConstruction)))
    } else if values.contains(.skip) {
      self = .skip(try values.parse(.skip) { try Skip($0) })
    } else if values.contains(.redraw) {
      var step = Reinitialization(match: try selectors(.redraw), exclude: try selectors(.exclude))
      step.rules = try rules(.rules)
      step.order = try order()
      step.seed = try values.parse(.seed) { try Seed($0) }
      if let source = try values.decodeIfPresent(String.self, forKey: .copiedFrom) {
        self = .copy(step, from: source)
      } else {
        self = .reinitialize(step)
      }
    } else if values.contains(.rules) {
      self = .rules(try rules(.rules), order: try order())
    } else if values.contains(.was) {
      let layer = try values.parse(.was) { try Recipe.Layer($0) }
      self = .replace(try values.decode(String.self, forKey: .name), was: layer)
    } else if values.contains(.cast) {
      self = .cast(
        try values.parse(.cast) { try Recipe.floatingPoint(named: $0) },
        try values.parseIfPresent(.match) { try Selector($0) })
    } else if values.contains(.copy) {
      self = .give(
        try values.decode(String.self, forKey: .copy),
        to: try values.decode(String.self, forKey: .to))
    } else if values.contains(.keep) {
      self = .keep(match: try selectors(.keep), exclude: try selectors(.exclude))
    } else {
      throw CheckpointError(
        .malformed,
        "steps: expected construct, skip, rules, was, cast, copy, keep, or redraw, found none")
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Key.self)
    switch self {
    case .skip(let skip): try values.encode(skip.description, forKey: .skip)
    case .construct(let construction):
      try values.encode(construction.model.text, forKey: .construct)
      try values.encodeIfPresent(construction.model.extra, forKey: .extra)
      if !construction.prefix.isEmpty { try values.encode(construction.prefix, forKey: .as) }
      if !construction.rules.isEmpty {
        try values.encode(construction.rules.map(\.description), forKey: .atConstruction)
      }
    case .rules(let rules, let order):
      try values.encode(rules.map(\.description), forKey: .rules)
      try values.encode(order.rawValue, forKey: .order)
    case .replace(let path, let layer):
      try values.encode(layer.description, forKey: .was)
      try values.encode(path, forKey: .name)
    case .cast(let dtype, let selector):
      try values.encode(dtype.torchName, forKey: .cast)
      try values.encodeIfPresent(selector?.source, forKey: .match)
    case .give(let source, let target):
      try values.encode(source, forKey: .copy)
      try values.encode(target, forKey: .to)
    case .keep(let match, let exclude):
      try values.encode(match.map(\.source), forKey: .keep)
      try values.encode(exclude.map(\.source), forKey: .exclude)
    case .reinitialize(let step): try encode(step, to: &values)
    case .copy(let step, let source):
      try encode(step, to: &values)
      try values.encode(source, forKey: .copiedFrom)
    }
  }

  private func encode(
    _ step: Reinitialization, to values: inout KeyedEncodingContainer<Key>
  ) throws {
    try values.encode(step.match.map(\.source), forKey: .redraw)
    try values.encode(step.exclude.map(\.source), forKey: .exclude)
    try values.encode(step.rules.map(\.description), forKey: .rules)
    try values.encode(step.order.rawValue, forKey: .order)
    try values.encode(step.seed.description, forKey: .seed)
  }
}
