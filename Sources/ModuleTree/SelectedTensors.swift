package import TensorCore

/// The tensors that a selector means in one model, which are never none.
package struct SelectedTensors {
  private let selector: ResolvedSelector
  private let kinds: [TensorName: String]
  private let stored: StoredNames

  /// Settles a selector against a tree, and against `names`, those of the file in question.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` with code `missing` when it means none of the names, or
  ///   no tensor of the tree if there are none, with the nearest names; or as ``ResolvedSelector``
  ///   does.
  package init(_ selector: Selector, in tree: Module, names: [TensorName]? = nil) throws {
    try self.init(
      selector, modules: tree.namedModules(removeDuplicates: false), names: names)
  }

  init(_ selector: Selector, modules: [NamedModule], names: [TensorName]? = nil) throws {
    self.selector = try ResolvedSelector(selector, modules: modules, names: names ?? [])
    stored = StoredNames(modules)
    kinds = Dictionary(keepingFirst: modules.map { (TensorName($0.path), $0.module.kind) })
    let isFound =
      try names.map { try $0.contains(where: contains) }
      ?? modules.contains { node in try node.tensors.contains { try contains(node, $0.name) } }
    if isFound { return }
    let place = names == nil ? "" : " in the file"
    let matching = try modules.filter {
      try self.selector.matches(path: $0.path, kind: $0.module.kind)
    }
    if !matching.isEmpty, matching.allSatisfy(\.module.isWithoutTensors) {
      throw CheckpointError(
        .missing, "selector '\(selector)' matches only modules without tensors")
    }
    let known =
      names
      ?? modules.flatMap { node in
        node.tensors.map { TensorName(node.name(of: $0.name)) }
      }
    let missed = try modules.first { node in
      try node.tensors.contains { try contains(node, $0.name) }
    }
    let advice: String
    if let missed,
      let name = try missed.tensors.first(where: { try contains(missed, $0.name) })?.name
    {
      let example = known.first.map { ", the file for example '\($0)'" } ?? ""
      advice = "; the model has '\(missed.name(of: name))'\(example)"
    } else {
      let near = selector.words.lazy.map { nearestNames(to: $0, among: known) }
        .first { !$0.isEmpty }
      advice = near?.question ?? ""
    }
    throw CheckpointError(
      .missing, "selector '\(selector)' matches nothing\(place)\(advice)")
  }

  func contains(_ node: NamedModule, _ own: String) throws -> Bool {
    try selector.matches(path: node.path, kind: node.module.kind, parameter: own)
  }

  /// Whether a module itself is meant, and so all that is inside it.
  func contains(_ node: NamedModule) throws -> Bool {
    try selector.matches(path: node.path, kind: node.module.kind)
  }

  /// Whether a module, or a tensor of its own, is meant for itself and not only as a part of a container.
  func containsDirectly(_ node: NamedModule) throws -> Bool {
    func matches(_ own: String?) throws -> Bool {
      try selector.matches(path: node.path, kind: node.module.kind, parameter: own, isDirect: true)
    }
    return try matches(nil) || node.tensors.contains { try matches($0.name) }
  }

  /// Whether a tensor is meant, by its name in the tree or in the file; one of no module in the tree is
  /// judged by its name alone.
  package func contains(_ tensor: TensorName) throws -> Bool {
    let (path, leaf) = (stored.places[tensor] ?? tensor).parentAndLeaf
    return try selector.matches(path: path, kind: kinds[TensorName(path)] ?? "", parameter: leaf)
  }
}

extension Module {
  /// Whether neither the module nor anything inside it owns a tensor.
  fileprivate var isWithoutTensors: Bool {
    ownParameters.isEmpty && ownBuffers.isEmpty
      && ownChildren.allSatisfy { $0.module?.isWithoutTensors ?? true }
  }
}
