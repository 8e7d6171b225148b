public import ModuleTree
public import TensorCore

/// The tensors that `--match` takes and `--exclude` leaves out.
public struct Selection: Sendable {
  /// All selectors as one; `nil` takes every tensor.
  public let selector: Selector?
  /// Selectors, any of which takes a tensor; everything is taken without any.
  let match: [Selector]
  /// Selectors, any of which leaves a tensor out.
  let exclude: [Selector]
  /// The model whose classes count, instead of those of the checkpoint's own tree.
  public var model: Model?

  /// Takes what any selector of `match` takes (without any: everything), except what any of
  /// `exclude` takes.
  public init(match: [Selector] = [], exclude: [Selector] = [], model: Model? = nil) {
    self.model = model
    self.match = match
    self.exclude = exclude
    let taken = Self.union(match)
    let left = Self.union(exclude)
    selector =
      switch (taken, left) {
      case (nil, nil): nil
      case (let taken, let left?): (taken ?? .all).subtracting(left)
      case (let taken?, nil): taken
      }
  }

  /// Parses the selectors.
  public init(match: [String], exclude: [String] = [], model: Model? = nil) throws {
    self = try MatchingSteps.$shared.withValue(MatchingSteps()) {
      Self(
        match: try match.map { try Selector($0) }, exclude: try exclude.map { try Selector($0) },
        model: model)
    }
  }

  private static func union(_ selectors: [Selector]) -> Selector? {
    guard let first = selectors.first else { return nil }
    return selectors.dropFirst().reduce(first) { $0.union($1) }
  }

  /// The tensors taken, in file order; classes are judged by `tree`, else by ``model``, else by the
  /// checkpoint's own tree.
  ///
  /// `notes` is called if the classes that a selector may mean had to be inferred.
  /// - Throws: `CheckpointError` with code `missing` when a selector matches none of the tensors,
  ///   or nothing is left of them.
  public func entries(
    of checkpoint: Checkpoint, tree: Module? = nil, notes: (String) -> Void = { _ in }
  ) throws -> [Checkpoint.Entry] {
    guard let selector else { return checkpoint.entries }
    let tree = try tree ?? self.tree(of: checkpoint, for: selector, notes: notes)
    let isTaken = try predicate(
      of: checkpoint.entries.map(\.name) + checkpoint.leftOut.keys, tree: tree)
    try refuse(checkpoint.leftOut, where: isTaken)
    return try checkpoint.entries.filter { try isTaken($0.name) }
  }

  /// Refuses tensors that cannot be read if they are asked for by `--match`.
  private func refuse(
    _ leftOut: [TensorName: String], where isTaken: (TensorName) throws -> Bool
  ) throws {
    let unread = match.isEmpty ? [:] : try leftOut.filter { try isTaken($0.key) }
    if let (name, reason) = unread.min(by: { $0.key < $1.key }) {
      throw CheckpointError(.unsupported, "cannot be read: \(reason)", tensor: name.text)
    }
  }

  /// Which names are taken: every selector must match some of them, and something must be left.
  private func predicate(
    of names: [TensorName], tree: Module
  ) throws -> (TensorName) throws -> Bool {
    let match = try match.map { try SelectedTensors($0, in: tree, names: names) }
    let exclude = try exclude.map { try SelectedTensors($0, in: tree, names: names) }
    func isTaken(_ name: TensorName) throws -> Bool {
      try (match.isEmpty || match.contains { try $0.contains(name) })
        && !exclude.contains { try $0.contains(name) }
    }
    guard try names.contains(where: isTaken) else {
      throw CheckpointError(
        .missing, "nothing is left: --exclude leaves out everything that is selected")
    }
    return isTaken
  }

  private func tree(
    of checkpoint: Checkpoint, for selector: Selector, notes: (String) -> Void
  ) throws -> Module {
    let tree = try checkpoint.tree(model: model)
    if selector.mayMeanClasses { tree.notes.forEach(notes) }
    return tree.module
  }

  /// Both checkpoints with only the tensors taken of them, judged by the tree of whichever carries
  /// one, the first if both do; one of the two may be left without any.
  ///
  /// A tensor of the second that `pairing` pairs is judged by its name in the first. `notes` is told
  /// when classes had to be inferred.
  package func pair(
    _ left: Checkpoint, _ right: Checkpoint, pairing: NamePairing,
    notes: (String) -> Void = { _ in }
  ) throws -> (Checkpoint, Checkpoint) {
    guard let selector else { return (left, right) }
    let names = pairing.inverse
    let renamed = right.renamed(names)
    // The tree of one with the tensors of both: what only one has can be meant too.
    var both = left.modules.isEmpty && !right.modules.isEmpty ? renamed : left
    let known = Set(left.entries.map(\.name))
    both.entries = left.entries + renamed.entries.filter { !known.contains($0.name) }
    let leftOut = left.leftOut.merging(right.leftOut) { first, _ in first }
    let isTaken = try predicate(
      of: both.entries.map(\.name) + leftOut.keys,
      tree: tree(of: both, for: selector, notes: notes))
    try refuse(leftOut, where: isTaken)
    var (left, right) = (left, right)
    left.leftOut = try left.leftOut.filter { try isTaken($0.key) }
    right.leftOut = try right.leftOut.filter { try isTaken($0.key) }
    try left.entries.removeAll { try !isTaken($0.name) }
    try right.entries.removeAll { try !isTaken(names[$0.name] ?? $0.name) }
    return (left, right)
  }
}
