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

  /// Plans all values: constructs the model, applies the rules, then takes the steps in turn.
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
    if let seed {
      let initialization = try initialization(seed: seed)
      tree = initialization.tree
      plan = Plan(checkpoint: try initialization.checkpoint())
    } else {
      tree = try model == nil ? inferred ?? module() : module()
      plan = Plan(checkpoint: Checkpoint(entries: [], modules: tree.labels))
      for tensor in tensors { plan.unknown[tensor.name] = .elsewhere }
    }
    let tied = tree.tying(ties)
    for step in steps {
      let known = plan.checkpoint.entries.map { ($0.name, $0.info) }
      let present = seed == nil ? tensors : known
      switch step {
      case .reinitialize(let reinitialization):
        plan.replace(try reinitialization.plan(over: present, tree: tied, cpuPath: cpuPath))
      case .copy(let copy, let source):
        for name in try copy.names(among: present, tree: tree) {
          plan.unknown[name] = .checkpoint(source)
        }
      }
    }
    plan.checkpoint.setText(try json, for: Checkpoint.recipeKey)
    return plan
  }

  /// The model constructed and the rules applied with a seed; later steps are left out.
  func initialization(seed: Seed) throws -> Initialization {
    var plan = try Initialization(
      of: module(), dtype: dtype, generator: Generator(seed: seed.value, cpuPath: cpuPath))
    try plan.construct()
    try plan.apply(rules, order: order)
    return plan
  }

  private func module() throws -> Module {
    guard let model else {
      throw CheckpointError(
        .missing, "the recipe has no model; give one with 'model: FILE' or --model")
    }
    return model.module
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
}
