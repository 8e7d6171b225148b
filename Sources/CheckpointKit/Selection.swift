public import ModuleTree
public import TensorCore

/// The tensors that `--match` takes and `--exclude` leaves out.
public struct Selection: Sendable {
  /// All selectors as one; `nil` takes every tensor.
  public let selector: Selector?
  /// The model whose classes count, instead of those of the checkpoint's own tree.
  public var model: Model?

  /// Takes what any selector of `match` takes (without any: everything), except what any of
  /// `exclude` takes.
  public init(match: [Selector] = [], exclude: [Selector] = [], model: Model? = nil) {
    self.model = model
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
    self.init(
      match: try match.map { try Selector($0) }, exclude: try exclude.map { try Selector($0) },
      model: model)
  }

  private static func union(_ selectors: [Selector]) -> Selector? {
    guard let first = selectors.first else { return nil }
    return selectors.dropFirst().reduce(first) { $0.union($1) }
  }

  /// The tensors taken, in file order; classes are judged by `tree`, else by ``model``, else by the
  /// checkpoint's own tree.
  ///
  /// `notes` is called if the classes that a selector may mean had to be inferred.
  /// - Throws: `CheckpointError` with code `missing` when nothing is taken.
  public func entries(
    of checkpoint: Checkpoint, tree: Module? = nil, notes: (String) -> Void = { _ in }
  ) throws -> [Checkpoint.Entry] {
    guard let selector else { return checkpoint.entries }
    let tree = try tree ?? self.tree(of: checkpoint, for: selector, notes: notes)
    let selected = try SelectedTensors(selector, in: tree)
    return checkpoint.entries.filter { selected.contains($0.name) }
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
  /// `notes` is told when classes had to be inferred.
  package func pair(
    _ left: Checkpoint, _ right: Checkpoint, notes: (String) -> Void = { _ in }
  ) throws -> (Checkpoint, Checkpoint) {
    guard let selector else { return (left, right) }
    let source = left.modules.isEmpty && !right.modules.isEmpty ? right : left
    // The tree of one with the tensors of both: what only one has can be meant too.
    var both = source
    let known = Set(source.entries.map(\.name))
    both.entries += (left.entries + right.entries).filter { !known.contains($0.name) }
    let selected = try SelectedTensors(
      selector, in: try tree(of: both, for: selector, notes: notes))
    var (left, right) = (left, right)
    left.entries.removeAll { !selected.contains($0.name) }
    right.entries.removeAll { !selected.contains($0.name) }
    return (left, right)
  }
}
