public import CheckpointFormats
public import ModuleTree
public import TensorCore
import TorchRandom

/// Redraws chosen tensors of a checkpoint, or copies them from another, and leaves the rest alone.
public struct Reinitialization: Sendable {
  /// Selectors, any of which takes a tensor.
  public var match: [Selector]
  /// Selectors, any of which leaves a tensor out.
  public var exclude: [Selector]
  /// How tensors are filled; those without a rule as their layers' `reset_parameters` does.
  public var rules: [Rule] = []
  /// Order in which the matched modules are walked.
  public var order = Rule.Order.modules
  /// Seed of the fresh generator.
  public var seed = Seed(0)

  /// Redraws what any of `match` takes and none of `exclude` leaves out.
  public init(
    match: [Selector], exclude: [Selector] = [], rules: [Rule] = [],
    order: Rule.Order = .modules, seed: Seed = Seed(0)
  ) {
    self.match = match
    self.exclude = exclude
    self.rules = rules
    self.order = order
    self.seed = seed
  }

  /// A checkpoint with some tensors replaced.
  public struct Result: Sendable {
    /// The checkpoint, its recipe brought up to date.
    public var checkpoint: Checkpoint
    /// Names of the tensors replaced, in file order.
    public var replaced: [TensorName] = []
    /// Ties that the file claims and that no longer hold, one sentence each.
    public let notes: [String]

    fileprivate func renamed(_ names: [TensorName: TensorName]) -> Result {
      var copy = self
      copy.checkpoint = checkpoint.renamed(names)
      copy.replaced = replaced.map { names[$0] ?? $0 }
      return copy
    }
  }

  /// Redraws with a generator seeded with ``seed``, as a loop over the matched modules would.
  ///
  /// `tree` gives the classes, see `Checkpoint.tree(model:)`.
  /// - Throws: `CheckpointError` when nothing is matched, a tensor of the tree is missing in
  ///   the checkpoint or has another shape there, or an excluded one is tied to a matched one.
  public func applied(to opened: Opened, tree: Checkpoint.Tree) throws -> Result {
    var opened = opened
    let notes = try opened.confirmTies()
    let checkpoint = opened.checkpoint.renamed(tree.names)
    var recipe = try checkpoint.recipe() ?? Recipe(valuesFromElsewhereFor: tree)
    let tensors = checkpoint.entries.map { ($0.name, $0.info) }
    let redrawn = try plan(
      over: tensors, tree: tree.module, cpuPath: recipe.cpuPath,
      current: checkpoint.entries.map { ($0.name, $0) })
    let planned = redrawn.entries
    recipe.steps.append(.reinitialize(self))
    let selected = Set(try names(among: tensors, tree: tree.module))
    try keepExcluded(planned, selected, tree: tree.module, calls: redrawn.calls)
    return try replace(
      checkpoint, by: planned, recipe: recipe,
      notes + redrawn.notes + fanNotes(in: tree)
        + Self.notes(onFurther: planned, selected, calls: redrawn.calls)
    ).renamed(tree.storedNames)
  }

  /// Copies the matched tensors from `other` instead; they can then not be drawn again.
  ///
  /// `fingerprint` is the other checkpoint's, for the recipe.
  /// - Throws: `CheckpointError` when nothing is matched, `other` lacks a matched tensor or
  ///   has it in another type or shape, or an excluded one is tied to a matched one.
  public func applied(
    to opened: Opened, tree: Checkpoint.Tree, copyingFrom other: Checkpoint,
    fingerprint: Fingerprint
  ) throws -> Result {
    var opened = opened
    let notes = try opened.confirmTies()
    let checkpoint = opened.checkpoint.renamed(tree.names)
    // Two files of one Keras model may give its tensors different names.
    let others = tree.names.isEmpty ? [:] : try KerasTree(other)?.names ?? tree.names
    let theirs = other.renamed(others).entriesByName
    var copies: [TensorName: Checkpoint.Entry] = [:]
    for entry in try selection.entries(of: checkpoint, tree: tree.module) {
      guard let source = theirs[entry.name] else {
        throw CheckpointError(
          .missing, "selected, but missing from the checkpoint to copy from",
          tensor: entry.name.text)
      }
      copies[entry.name] = source
    }
    let selected = Set(copies.keys)
    for (name, other) in tree.module.tiedNames(of: selected) { copies[name] = copies[other] }
    try keepExcluded(copies, selected, tree: tree.module)
    var recipe = try checkpoint.recipe() ?? Recipe(valuesFromElsewhereFor: tree)
    let copy = Reinitialization(match: match, exclude: exclude, order: order)
    recipe.steps.append(.copy(copy, from: fingerprint.digest.description))
    return try replace(
      checkpoint, by: copies, recipe: recipe, notes + Self.notes(onFurther: copies, selected)
    ).renamed(tree.storedNames)
  }

  /// A sentence about each class whose modules keep tensors of their own.
  private static func notes(onSkipped skipped: [Initialization.Skipped]) -> [String] {
    Dictionary(grouping: skipped, by: \.kind).sorted { $0.key < $1.key }.map { _, modules in
      let first = modules[0]
      let more =
        modules.count > 1 ? " and those of \(modules.count - 1) more \(first.kind)" : ""
      return "left '\(first.name)'\(more) as in the file: \(first.reason)"
    }
  }

  /// A sentence about rules that count the fans of kernels in Keras's layout, if there are any.
  private func fanNotes(in tree: Checkpoint.Tree) -> [String] {
    let counting = rules.lazy.flatMap(\.assignments).compactMap(\.initializer).map { "\($0)" }
      .contains { text in ["kaiming", "xavier", "fan_"].contains { text.contains($0) } }
    guard counting, !tree.names.isEmpty else { return [] }
    return [
      "fans are counted as torch.nn.init counts them, outputs along the first axis and inputs along the "
        + "second; Keras's kernels have them last, so give a standard deviation or a bound instead"
    ]
  }

  /// A sentence about each tensor that is replaced because it is tied to a selected one, or because a
  /// method of a selected module fills it.
  private static func notes(
    onFurther entries: [TensorName: Checkpoint.Entry], _ selected: Set<TensorName>,
    calls: [TensorName: String] = [:]
  ) -> [String] {
    entries.keys.filter { !selected.contains($0) }.sorted().map { name in
      let reason =
        calls[name].map { "\($0) fills it" }
        ?? "it is tied to a selected tensor; pass --untie to separate them"
      return "'\(name)' changes as well: \(reason)"
    }
  }

  /// Refuses to replace an excluded tensor because it is tied to a selected one, or filled by a method
  /// of a selected module.
  private func keepExcluded(
    _ entries: [TensorName: Checkpoint.Entry], _ selected: Set<TensorName>, tree: Module,
    calls: [TensorName: String] = [:]
  ) throws {
    let tied = entries.keys.filter { !selected.contains($0) }.sorted()
    if tied.isEmpty { return }
    for selector in exclude {
      let excluded = try SelectedTensors(selector, in: tree)
      guard let name = try tied.first(where: excluded.contains) else { continue }
      if let call = calls[name] {
        throw CheckpointError(
          .mismatched, "is excluded, but \(call) fills it", tensor: name.text)
      }
      let names = tree.tiedNames(of: [name]).keys.filter(selected.contains)
      let other = names.min().map { "'\($0)'" } ?? "a selected tensor"
      throw CheckpointError(
        .mismatched, "is excluded, but tied to \(other); pass --untie to separate them",
        tensor: name.text)
    }
  }

  private var selection: Selection { Selection(match: match, exclude: exclude) }

  /// Names of a checkpoint's tensors that the selectors take, in its order.
  ///
  /// - Throws: `CheckpointError` when a selector matches nothing.
  public func names(in checkpoint: Checkpoint, tree: Checkpoint.Tree) throws -> [TensorName] {
    try names(among: checkpoint.entries.map { ($0.name, $0.info) }, tree: tree.module)
  }

  /// Names of the tensors that the selectors take.
  func names(
    among tensors: [(name: TensorName, info: TensorInfo)], tree: Module
  ) throws -> [TensorName] {
    guard let selector = selection.selector else { return tensors.map(\.name) }
    let selected = try SelectedTensors(selector, in: tree)
    return try tensors.map(\.name).filter(selected.contains)
  }

  /// What a loop over the matched modules gives.
  struct Redrawn {
    /// The new values.
    var entries: [TensorName: Checkpoint.Entry] = [:]
    /// Tensors whose new values are computed from such as are not known.
    var unknown: [TensorName] = []
    /// The method that filled a tensor, where it is that of a module around its own.
    var calls: [TensorName: String] = [:]
    var notes: [String] = []
  }

  /// Plans the values of the matched tensors, in the types that `tensors` have.
  ///
  /// `current` holds the values that they have, `nil` for those that are not known.
  func plan(
    over tensors: [(name: TensorName, info: TensorInfo)], tree: Module, cpuPath: CPUPath,
    current: [(name: TensorName, entry: Checkpoint.Entry?)]
  ) throws -> Redrawn {
    let dtypes = Dictionary(keepingFirst: tensors.map { ($0.name, $0.info.dtype) })
    var plan = try Initialization(
      of: tree, generator: Generator(seed: seed.value, cpuPath: cpuPath), dtypes: dtypes)
    try plan.take(current)
    let loop = try plan.reset(selection.selector ?? .all, rules: rules, order: order)
    var result = Redrawn(calls: loop.calls, notes: Self.notes(onSkipped: loop.skipped))
    for name in loop.names {
      if plan.values(of: name)?.isFromElsewhere == true {
        result.unknown.append(name)
      } else {
        result.entries[name] = try plan.entry(of: name)
      }
    }
    return result
  }

  private func replace(
    _ checkpoint: Checkpoint, by entries: [TensorName: Checkpoint.Entry], recipe: Recipe,
    _ notes: [String]
  ) throws -> Result {
    var result = Result(checkpoint: checkpoint, notes: notes)
    for (index, entry) in checkpoint.entries.enumerated() {
      guard let new = entries[entry.name] else { continue }
      guard new.info == entry.info else {
        throw CheckpointError(
          .mismatched,
          "expected \(entry.info.dtype.rawValue) \(entry.info.shape) as in the file, found \(new.info.dtype.rawValue) \(new.info.shape) in the replacement",
          tensor: entry.name.text)
      }
      result.checkpoint.entries[index] = new
      result.checkpoint.entries[index].name = entry.name
      result.checkpoint.entries[index].alias = entry.alias
      result.replaced.append(entry.name)
    }
    let there = Set(result.replaced)
    if let missing = entries.keys.filter({ !there.contains($0) }).min() {
      throw CheckpointError(
        .missing, "in the model but missing from the file", tensor: missing.text)
    }
    result.checkpoint.setText(try recipe.json, for: Checkpoint.recipeKey)
    return result
  }
}
