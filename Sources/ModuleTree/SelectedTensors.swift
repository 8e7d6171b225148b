public import TensorCore

/// The tensors that a selector means in one model, which are never none.
public struct SelectedTensors {
  private let selector: ResolvedSelector
  private let kinds: [TensorName: String]

  /// Settles a selector against a tree.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` with code `missing` when it means no tensor, saying
  ///   whether it
  ///   means modules that own none; or as ``ResolvedSelector`` does.
  public init(_ selector: Selector, in tree: Module) throws {
    try self.init(selector, places: tree.namedModules(removeDuplicates: false))
  }

  init(_ selector: Selector, places: [PlacedModule]) throws {
    self.selector = try ResolvedSelector(selector, modules: places)
    kinds = Dictionary(
      places.map { (TensorName($0.path), $0.module.kind) }, uniquingKeysWith: { first, _ in first })
    if places.contains(where: { place in place.tensors.contains { contains(place, $0.name) } }) {
      return
    }
    let modules = places.filter { self.selector.matches(path: $0.path, kind: $0.module.kind) }
    if modules.isEmpty { throw CheckpointError(.missing, "selector '\(selector)' fits nothing") }
    let owner = modules.first { !$0.module.stateDict().isEmpty }
    throw CheckpointError(
      .missing,
      "selector '\(selector)' means modules without tensors of their own"
        + (owner.map { "; write '\($0.path.isEmpty ? "**" : $0.path + ".**")' for all below" } ?? "")
    )
  }

  func contains(_ place: PlacedModule, _ own: String) -> Bool {
    selector.matches(path: place.path, kind: place.module.kind, parameter: own)
  }

  /// Whether a tensor is meant; one of no module in the tree is judged by its name alone.
  public func contains(_ tensor: TensorName) -> Bool {
    let (path, leaf) = tensor.parentAndLeaf
    return selector.matches(path: path, kind: kinds[TensorName(path)] ?? "", parameter: leaf)
  }
}
