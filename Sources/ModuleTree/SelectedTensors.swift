package import TensorCore

/// The tensors that a selector means in one model, which are never none.
package struct SelectedTensors {
  private let selector: ResolvedSelector
  private let kinds: [TensorName: String]

  /// Settles a selector against a tree.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` with code `missing` when it means no tensor, saying
  ///   whether it
  ///   means modules that own none; or as ``ResolvedSelector`` does.
  package init(_ selector: Selector, in tree: Module) throws {
    try self.init(selector, modules: tree.namedModules(removeDuplicates: false))
  }

  init(_ selector: Selector, modules: [NamedModule]) throws {
    self.selector = try ResolvedSelector(selector, modules: modules)
    kinds = Dictionary(
      modules.map { (TensorName($0.path), $0.module.kind) }, uniquingKeysWith: { first, _ in first }
    )
    if modules.contains(where: { node in node.tensors.contains { contains(node, $0.name) } }) {
      return
    }
    let matching = modules.filter { self.selector.matches(path: $0.path, kind: $0.module.kind) }
    if matching.isEmpty {
      throw CheckpointError(.missing, "selector '\(selector)' matches nothing")
    }
    let owner = matching.first { !$0.module.stateDict().isEmpty }
    throw CheckpointError(
      .missing,
      "selector '\(selector)' matches modules without tensors of their own"
        + (owner.map {
          "; write '\($0.path.isEmpty ? "**" : $0.path + ".**")' for everything inside"
        } ?? "")
    )
  }

  func contains(_ node: NamedModule, _ own: String) -> Bool {
    selector.matches(path: node.path, kind: node.module.kind, parameter: own)
  }

  /// Whether a tensor is meant; one of no module in the tree is judged by its name alone.
  package func contains(_ tensor: TensorName) -> Bool {
    let (path, leaf) = tensor.parentAndLeaf
    return selector.matches(path: path, kind: kinds[TensorName(path)] ?? "", parameter: leaf)
  }
}
