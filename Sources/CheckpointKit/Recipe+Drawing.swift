import ModuleTree
public import TensorCore
import TorchRandom

extension Recipe {
  /// The values that a recipe gives, and the tensors whose values it cannot give.
  public struct Drawn: Sendable {
    /// Tensors in `state_dict()` order, with the tree's labels and the recipe as metadata.
    public var checkpoint: Checkpoint
    /// Names of tensors that came from elsewhere, each with where from.
    public var unknown: [TensorName: String] = [:]
  }

  /// Draws the values: constructs the model, applies the rules, then the redraws in turn.
  ///
  /// `tensors` is what the file holds, for a recipe that only knows redraws.
  /// - Throws: `CheckpointError` for a recipe without model, or one that does not fit.
  public func draw(over tensors: [(name: TensorName, info: TensorInfo)] = []) throws -> Drawn {
    var result: Drawn
    let tree: Module
    if let seed {
      let plan = try plan(seed: Seed(seed).value)
      tree = plan.tree
      result = Drawn(checkpoint: try plan.checkpoint())
    } else {
      tree = try module()
      result = Drawn(checkpoint: Checkpoint(entries: [], modules: tree.labels))
      for tensor in tensors { result.unknown[tensor.name] = "not made from a recipe" }
    }
    for redraw in redraws { try apply(redraw, to: &result, tensors, tree) }
    result.checkpoint.metadata[Checkpoint.recipeKey] = try json
    return result
  }

  /// The model constructed and the rules applied, as a seed has it; redraws are left out.
  func plan(seed: UInt64) throws -> Initialization {
    var plan = try Initialization(
      of: module(), dtype: try Self.floatingPoint(named: dtype),
      generator: Generator(seed: seed, cpuPath: cpuPath))
    try plan.construct()
    try plan.apply(rules.map { try Rule($0) }, order: Rule.Order(named: order))
    return plan
  }

  private func module() throws -> Module {
    guard let model else {
      throw CheckpointError(
        .missing, "the recipe names no model; give one with 'model: FILE' or --model")
    }
    return try Model(text: model, extra: extra).module
  }

  private func apply(
    _ redraw: Redraw, to result: inout Drawn, _ tensors: [(name: TensorName, info: TensorInfo)],
    _ tree: Module
  ) throws {
    let known = result.checkpoint.entries.map { ($0.name, $0.info) }
    let present = seed == nil ? tensors : known
    if let source = redraw.copiedFrom {
      let all = Checkpoint(
        entries: present.map { name, info in
          Checkpoint.Entry(name: name, info: info) { _, _ in }
        })
      let copied = try Selection(match: redraw.match, exclude: redraw.exclude)
        .entries(of: all, tree: tree)
      for entry in copied { result.unknown[entry.name] = "copied from the checkpoint \(source)" }
      return
    }
    var step = Reinitialization(match: redraw.match, exclude: redraw.exclude)
    step.rules = try redraw.rules.map { try Rule($0) }
    step.order = try Rule.Order(named: redraw.order)
    step.seed = try Seed(redraw.seed)
    let drawn = try step.draw(over: present, tree: tree, cpuPath: cpuPath)
    for (name, entry) in drawn {
      result.unknown[name] = nil
      if let index = result.checkpoint.entries.firstIndex(where: { $0.name == name }) {
        result.checkpoint.entries[index] = entry
      } else {
        result.checkpoint.entries.append(entry)
      }
    }
  }
}
