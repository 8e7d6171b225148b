import ByteIO
import ModuleTree
import TensorCore

/// Collects the statements of a recipe file.
struct RecipeReader {
  /// A model that is read when all lines are known: its side file may be named after it.
  private struct Pending {
    let file: String
    var prefix = ""
    var extra: String?
    var rules: [Rule] = []
  }

  private enum Item {
    case step(Recipe.Step)
    /// Place of a model among those to read.
    case construct(Int)
  }

  private var recipe = Recipe()
  private var items: [Item] = []
  private var pending: [Pending] = []
  /// What belongs to the model that is named next.
  private var early = Pending(file: "")
  private var seen: Set<String> = []
  private var rules: [Rule] = []
  private var order: Rule.Order?

  mutating func read(_ line: String) throws {
    if let match = line.wholeMatch(of: /construct\s+(\S+)(?:\s+as\s+(\S+))?/) {
      try endRules()
      try place(String(match.output.1), as: match.output.2.map(String.init) ?? "")
    } else if let match = line.wholeMatch(of: /at construction\s*:\s*(.*)/) {
      let rule = try Rule(String(match.output.1))
      if pending.isEmpty {
        early.rules.append(rule)
      } else {
        pending[pending.count - 1].rules.append(rule)
      }
    } else if let match = line.wholeMatch(of: /was\s+([^\s:]+)\s*:\s*(.*)/) {
      try endRules()
      items.append(
        .step(.replace(String(match.output.1), was: try Recipe.Layer(String(match.output.2)))))
    } else if let match = line.wholeMatch(of: /skip\s+([^\s:].*)/) {
      try endRules()
      items.append(.step(.skip(try Skip(String(match.output.1)))))
    } else if let match = line.wholeMatch(of: /cast(?:\s*:\s*|\s+)(\S+)(?:\s+(.*))?/) {
      try endRules()
      items.append(
        .step(
          .cast(
            try Recipe.floatingPoint(named: String(match.output.1)),
            try match.output.2.map { try Selector(String($0)) })))
    } else if let copy = CopyText(line) {
      try endRules()
      items.append(.step(.give(copy.source, to: copy.target)))
    } else if let match = line.wholeMatch(of: /keep\s+(\S.*)/), !line.contains("=") {
      try endRules()
      items.append(.step(.keep(match: [try Selector(String(match.output.1))], exclude: [])))
    } else if line == "then" {
      try endRules()
    } else {
      try readSetting(line)
    }
  }

  private mutating func readSetting(_ line: String) throws {
    guard let colon = line.firstIndex(of: ":") else {
      throw CheckpointError(
        .malformed,
        "expected 'key: value', a rule 'SELECTOR: PARAMETER=INITIALIZER', or a step such as "
          + "'construct FILE as NAME', found '\(line)'")
    }
    let key = line[..<colon].trimmingBlanks
    let value = line[line.index(after: colon)...].trimmingBlanks
    // A rule's selector may have such a name; a call may have named arguments.
    let isSetting =
      ["model", "seed", "library", "dtype", "skip"].contains(key)
      && !value.prefix { $0 != "(" }.contains("=")
    if isSetting, !seen.insert(key).inserted {
      throw CheckpointError(.malformed, "'\(key)' is given a second time")
    }
    switch key {
    case "model" where isSetting: try place(value, as: "")
    case "extra" where !value.contains("="):
      guard pending.last?.extra == nil, early.extra == nil else {
        throw CheckpointError(.malformed, "'extra' is given a second time")
      }
      if pending.isEmpty { early.extra = value } else { pending[pending.count - 1].extra = value }
    case "seed": recipe.seed = try Seed(value)
    case "library" where isSetting: recipe.library = try Library(named: value)
    case "dtype": recipe.dtype = try Recipe.floatingPoint(named: value)
    case "skip" where isSetting: items.insert(.step(.skip(try Skip(value))), at: 0)
    case "order":
      let new = try Rule.Order(named: value)
      // The first one counts for the rules before it as well.
      if order != nil { try endRules() }
      order = new
    default:
      do {
        rules.append(try Rule(line))
      } catch {
        guard !value.contains("="), let near = nearestName(to: key, among: Self.keys) else {
          throw error
        }
        throw CheckpointError(.malformed, "unknown key '\(key)'; did you mean \(near)?")
      }
    }
  }

  private static let keys = ["model", "extra", "seed", "dtype", "skip", "order", "cast"]

  private mutating func place(_ file: String, as prefix: String) throws {
    var model = Pending(file: file)
    model.prefix = prefix
    if pending.isEmpty { (model.extra, model.rules) = (early.extra, early.rules) }
    pending.append(model)
    items.append(.construct(pending.count - 1))
  }

  private mutating func endRules() throws {
    if rules.isEmpty { return }
    items.append(.step(.rules(rules, order: order ?? .modules)))
    rules = []
  }

  /// The recipe, its models read.
  mutating func recipe(
    loadModel: (_ file: String, _ extra: String?) throws -> Model
  ) throws -> Recipe {
    try endRules()
    if pending.isEmpty, early.extra != nil {
      throw CheckpointError(.missing, "'extra' needs a 'model' as well")
    }
    // `model: FILE` may stand after the rules.
    if pending.count == 1, pending[0].prefix.isEmpty,
      let place = items.firstIndex(where: { if case .construct = $0 { true } else { false } }),
      let first = items.firstIndex(where: { if case .step(.skip) = $0 { false } else { true } }),
      first < place
    {
      items.insert(items.remove(at: place), at: first)
    }
    for item in items {
      switch item {
      case .step(let step): recipe.steps.append(step)
      case .construct(let index):
        let model = pending[index]
        recipe.steps.append(
          .construct(
            Recipe.Construction(
              try loadModel(model.file, model.extra), as: model.prefix, rules: model.rules)))
      }
    }
    return recipe
  }
}
