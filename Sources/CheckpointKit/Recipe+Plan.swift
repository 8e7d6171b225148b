import ModuleTree
public import TensorCore
import TorchRandom

/// From a recipe to the checkpoint that it describes.
extension Recipe {
  /// The tensors that a recipe describes, and those whose values it cannot give.
  public struct Plan: Sendable {
    /// Tensors in `state_dict()` order, sampled when they are read, with the tree's labels and the
    /// recipe as metadata.
    public var checkpoint: Checkpoint
    /// Names of tensors that came from elsewhere, each with its origin.
    public var unknown: [TensorName: Origin] = [:]
  }

  /// Where values come from that a recipe cannot give.
  public enum Origin: Sendable, CustomStringConvertible {
    /// From training, or from another program.
    case elsewhere
    /// From the checkpoint with this fingerprint.
    case checkpoint(String)

    /// A phrase with the whole fingerprint.
    public var description: String {
      switch self {
      case .elsewhere: "its values came from elsewhere"
      case .checkpoint(let fingerprint): "copied from the checkpoint \(fingerprint)"
      }
    }

    /// A phrase for a line of a table, with the first 12 digits of the fingerprint.
    public var text: String {
      guard case .checkpoint(let fingerprint) = self else { return description }
      return Self.checkpoint(String(fingerprint.prefix(12))).description.escapingControls
    }
  }

  /// Plans all values: takes the steps in turn.
  ///
  /// `tensors` is what the file holds, for a recipe without a seed; `inferred` stands in for the
  /// model of a recipe that has none because the file has none; `ties` are the names that share a
  /// tensor in the file, which a step changes together.
  /// - Throws: `CheckpointError` for a recipe without a model, or with a step that matches nothing.
  public func plan(
    over tensors: [(name: TensorName, info: TensorInfo)] = [], inferred: Module? = nil,
    ties: [TensorName: TensorName] = [:]
  ) throws -> Plan {
    var plan: Plan
    let tree: Module
    var rest = steps[...]
    if let seed {
      let initialization = try initialization(seed: seed)
      tree = initialization.tree
      plan = Plan(checkpoint: try initialization.checkpoint())
      rest = rest.drop(while: \.isDrawing)
    } else {
      tree = try constructions.isEmpty ? inferred ?? self.tree() : self.tree()
      plan = Plan(checkpoint: Checkpoint(entries: [], modules: tree.labels))
      for tensor in tensors { plan.unknown[tensor.name] = .elsewhere }
      rest = rest.drop { if case .construct = $0 { true } else { false } }
    }
    let tied = tree.tying(ties)
    for step in rest {
      let known = plan.checkpoint.entries.map { ($0.name, $0.info) }
      let present = seed == nil ? tensors : known
      switch step {
      case .reinitialize(let reinitialization):
        let known = plan.checkpoint.entriesByName
        let redrawn = try reinitialization.plan(
          over: present, tree: tied, cpuPath: cpuPath,
          current: present.map { name, _ in
            (name, plan.unknown[name] == nil ? known[name] : nil)
          })
        plan.replace(redrawn.entries)
        plan.forget(redrawn.unknown)
      case .copy(let copy, let source):
        for name in try copy.names(among: present, tree: tree) {
          plan.unknown[name] = .checkpoint(source)
        }
      case .cast(let dtype, let selector):
        let selected = try selector.map { try SelectedTensors($0, in: tree) }
        try plan.cast(to: dtype) { try selected?.contains($0) ?? true }
      case .keep(let match, let exclude):
        let kept = try Reinitialization(match: match, exclude: exclude)
          .names(among: present, tree: tree)
        plan.keep(Set(kept))
      case .skip, .construct, .rules, .replace, .give:
        throw CheckpointError(
          .unsupported, "the recipe draws again after values were redrawn or left out")
      }
    }
    plan.checkpoint.setText(try json, for: Checkpoint.recipeKey)
    return plan
  }

  /// All values that are drawn from one generator with a seed; what comes after a redraw is left out.
  package func initialization(seed: Seed) throws -> Initialization {
    var tree = try tree()
    let drawing = steps.prefix(while: \.isDrawing)
    var successors: [(path: String, module: Module)] = []
    // Until it is replaced, the earlier layer stands in the tree.
    for case .replace(let path, let old) in drawing.reversed() {
      guard let module = tree[path], !path.isEmpty else {
        throw CheckpointError(.missing, "'was \(path)': the model has no module '\(path)'")
      }
      successors.append((path, module))
      tree[path] = old.module
    }
    var plan = try Initialization(
      of: try built(tree), dtype: dtype, generator: Generator(seed: seed.value, cpuPath: cpuPath))
    plan.pending = drawing.compactMap { step in
      switch step {
      case .construct(let construction): construction.prefix
      case .give(_, let target): plan.tree[target] == nil ? nil : target
      default: nil
      }
    }
    for step in drawing {
      switch step {
      case .construct(let construction): plan.pending.removeAll { $0 == construction.prefix }
      case .give(_, let target) where !constructions.contains { $0.prefix == target }:
        plan.pending.removeAll { $0 == target }
      default: break
      }
      switch step {
      case .skip(let skip): try plan.perform(skip)
      case .construct(let construction): try plan.construct(at: construction.prefix)
      case .rules(let rules, let order): try plan.apply(rules, order: order)
      case .replace:
        if let next = successors.popLast() { try plan.replace(at: next.path, with: next.module) }
      case .cast(let dtype, let selector): try plan.cast(to: dtype, selector)
      case .give(let source, let target): try plan.copyAll(from: source, to: target)
      case .keep, .reinitialize, .copy: break
      }
    }
    return plan
  }

  /// The tree as the library's constructors build it.
  private func built(_ tree: Module) throws -> Module {
    guard library == .torch || !constructions.contains(where: \.model.isDescribed) else {
      throw CheckpointError(
        .unsupported,
        "a model description already says what the constructor does: leave out --library")
    }
    return try tree.built(by: library)
  }
}

extension Recipe.Step {
  /// Whether the step is one of those on the recipe's own generator.
  fileprivate var isDrawing: Bool {
    switch self {
    case .skip, .construct, .rules, .replace, .cast, .give: true
    case .keep, .reinitialize, .copy: false
    }
  }
}

extension Recipe.Plan {
  /// Puts entries in the places of those with their names; others follow, sorted by name.
  fileprivate mutating func replace(_ entries: [TensorName: Checkpoint.Entry]) {
    for name in entries.keys { unknown[name] = nil }
    var left = entries
    for index in checkpoint.entries.indices {
      guard let entry = left.removeValue(forKey: checkpoint.entries[index].name) else { continue }
      checkpoint.entries[index] = entry
    }
    checkpoint.entries += left.values.sorted { $0.name < $1.name }
  }

  /// Takes tensors for changed in a way that only the file tells.
  fileprivate mutating func forget(_ names: [TensorName]) {
    if names.isEmpty { return }
    for name in names { unknown[name] = .elsewhere }
    checkpoint.entries.removeAll { unknown[$0.name] != nil }
  }

  /// Rounds the floating-point tensors that `isSelected` takes.
  fileprivate mutating func cast(
    to dtype: DType, where isSelected: (TensorName) throws -> Bool
  ) throws {
    checkpoint.entries = try checkpoint.entries.map { entry in
      guard try isSelected(entry.name), entry.info.dtype.isFloatingPoint, entry.info.dtype != dtype
      else { return entry }
      return try entry.cast(to: dtype)
    }
  }

  /// Leaves out all other tensors.
  fileprivate mutating func keep(_ names: Set<TensorName>) {
    checkpoint.entries = checkpoint.entries.filter { names.contains($0.name) }.map { entry in
      var entry = entry
      if let alias = entry.alias, !names.contains(alias) { entry.alias = nil }
      return entry
    }
    unknown = unknown.filter { names.contains($0.key) }
  }
}
