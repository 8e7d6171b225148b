package import TensorCore

/// What `reinit` does: a loop over the modules of a model whose tensors have values.
extension Initialization {
  /// What a redraw did.
  package struct Redrawn: Sendable {
    /// Names of the tensors, each once, in order of `state_dict()`.
    package var names: [TensorName] = []
    /// Modules of which tensors were left alone, because nothing is known to reset them.
    package var skipped: [Skipped] = []
    /// The method that filled each tensor of a module inside the one that has the method.
    package var calls: [TensorName: String] = [:]
  }

  /// A module that keeps tensors of its own.
  package struct Skipped: Sendable {
    /// The class.
    package let kind: String
    /// The module's path.
    package let path: String
    /// A tensor that is kept.
    package let tensor: String
    /// Whether the class is known, and known to have no `reset_parameters`.
    package let isKnown: Bool
    /// Whether it is known to have `_reset_parameters`.
    package let hasPrivateMethod: Bool

    /// The tensor's name in the model.
    package var name: String { TensorName.text(of: tensor, in: path) }

    /// Why, and what redraws it all the same.
    package var reason: String {
      let remedy =
        hasPrivateMethod
        ? "--rule '\(kind): _reset_parameters' calls the class's private method"
        : "to fill it, give a rule such as --rule '\(kind): \(tensor)=normal'"
      return isKnown
        ? "\(kind) has no reset_parameters; \(remedy)"
        : "\(kind) is not known to fill it in a reset_parameters; \(remedy)"
    }
  }

  /// Gives the tensors the values that they have in a file; one of which nothing is known, `nil`, may
  /// only be filled as a whole, or its values are unknown from then on.
  package mutating func take(
    _ entries: [(name: TensorName, entry: Checkpoint.Entry?)]
  ) throws {
    for (name, entry) in entries {
      let original = original(of: name)
      guard let info = infos[original], values[original] == nil,
        entry.map({ $0.info == info }) ?? true
      else { continue }
      let given = GivenValues(entry: entry)
      values[original] = TensorValues(
        info: info, initializer: given, fill: try given.fill(for: info), start: generator)
    }
  }

  /// Refills the selected tensors, each by the rules that match it, else as its layer does.
  ///
  /// Modules are reached in `order`. In each, the tensors without a rule come first, in order of
  /// registration, then those with one in the rules' order. As in PyTorch's usual loop, a module
  /// whose class has no `reset_parameters`, or an unknown one, is left alone where no rule matches it,
  /// and a container that has one fills what is inside it, before or after the modules inside do.
  /// Those that are selected only as its parts are then reached by it alone.
  /// - Throws: ``TensorCore/CheckpointError`` when nothing is selected, the initial values of
  ///   a selected tensor are unknown, or as ``apply(_:order:)`` does.
  @discardableResult
  package mutating func reset(
    _ selector: Selector, rules: [Rule] = [], order: Rule.Order = .modules
  ) throws -> Redrawn {
    let selection = try SelectedTensors(selector, modules: namedModules)
    let resolved = try tree.resolved(rules)
    let nodes = tree.modules(in: order)
    let covering = try containers(of: nodes, selection, resolved)
    var hits = [Bool](repeating: false, count: rules.count)
    var touched: Set<TensorName> = []
    var result = Redrawn()
    for node in nodes {
      let own = try node.tensors.filter { try selection.contains(node, $0.name) }
      if own.isEmpty, try !node.module.isContainer || !selection.contains(node) { continue }
      var assigned: [ResolvedRule.Filling] = []
      for (index, rule) in resolved.enumerated() {
        let fitting = try rule.fillings(for: node).filter { filling in
          filling.assignment.isCall || own.contains { $0.name.isSameText(filling.parameter) }
        }
        if !fitting.isEmpty { hits[index] = true }
        assigned += fitting
      }
      let isCalled = assigned.contains(where: \.assignment.isCall)
      let isCovered =
        try covering.contains { node.isInside($0) } && !selection.containsDirectly(node)
      if !isCalled, !isCovered {
        let whole = assigned.filter { $0.assignment.part == nil }
        let rest = own.filter { tensor in
          !whole.contains { $0.parameter.isSameText(tensor.name) }
        }
        let (reset, kept) = node.module.dividedByReset(rest)
        for tensor in reset {
          try perform(node.steps(of: .init(parameter: tensor.name)))
          touched.insert(TensorName(node.name(of: tensor.name)))
        }
        if let first = kept.first { result.skipped.append(Skipped(node, keeping: first.name)) }
        if try fillsAll(in: node, selection) {
          try call("reset_parameters", of: node, &touched, &result)
        }
      }
      for filling in assigned {
        if filling.assignment.isCall {
          try call(filling.parameter, of: node, &touched, &result)
        } else {
          try perform(node.steps(of: filling))
          touched.insert(TensorName(node.name(of: filling.parameter)))
        }
      }
    }
    if let index = hits.firstIndex(of: false) {
      throw CheckpointError(.missing, "rule '\(rules[index])' matches none of the selected tensors")
    }
    guard !touched.isEmpty else {
      throw CheckpointError(
        .missing,
        "nothing to redraw"
          + (result.skipped.first.map { " of '\($0.name)': \($0.reason)" } ?? ""))
    }
    let originals = Set(tensors.filter { touched.contains($0.name) }.map(\.original))
    result.names = tensors.filter { originals.contains($0.original) }.map(\.name)
    return result
  }

  /// Paths of the containers that fill what is inside them, and that are selected for themselves.
  private func containers(
    of nodes: [NamedModule], _ selection: SelectedTensors, _ rules: [ResolvedRule]
  ) throws -> [String] {
    try nodes.filter { node in
      guard node.module.isContainer, try selection.contains(node),
        try selection.containsDirectly(node)
      else { return false }
      return try fillsAll(in: node, selection)
        || rules.contains { try $0.fillings(for: node).contains(where: \.assignment.isCall) }
    }.map(\.path)
  }

  /// Whether a container has `reset_parameters`, and everything in it is selected.
  private func fillsAll(
    in node: NamedModule, _ selection: SelectedTensors
  ) throws -> Bool {
    guard node.module.isContainer, node.module.hasMethod("reset_parameters") else { return false }
    return try node.module.namedTensors(removeDuplicates: false).allSatisfy {
      try selection.contains(TensorName(node.name(of: $0.name.text)))
    }
  }

  private mutating func call(
    _ method: String, of node: NamedModule, _ touched: inout Set<TensorName>,
    _ result: inout Redrawn
  ) throws {
    for step in node.module.steps(ofMethod: method).map({ $0.renamed(node.name(of:)) }) {
      try perform(step)
      guard case .fill(let name, _) = step.kind else { continue }
      touched.insert(TensorName(name))
      let place = node.path.isEmpty ? "the model" : "'\(node.path)'"
      result.calls[original(of: TensorName(name))] = "\(method) of \(place)"
    }
  }
}

extension Initialization.Skipped {
  fileprivate init(_ node: NamedModule, keeping tensor: String) {
    self.init(
      kind: node.module.kind, path: node.path, tensor: tensor,
      isKnown: node.module.isKnownClass && !node.module.hasResetParameters,
      hasPrivateMethod: node.module.hasMethod("_reset_parameters"))
  }
}

extension Module {
  /// Whether there are tensors only inside it.
  fileprivate var isContainer: Bool { ownParameters.isEmpty && ownBuffers.isEmpty }

  /// Whether the class is one that this program knows to own tensors.
  fileprivate var isKnownClass: Bool {
    let name = base ?? kind
    return layer != nil || KnownLayers.knows(name) && Parameterless.classes[name] == nil
  }

  /// Own tensors that `reset_parameters` fills, and those that it leaves alone: all of a class that
  /// is unknown or has no such method, and what a class of the user's own adds to a known one.
  fileprivate func dividedByReset(
    _ tensors: [(name: String, initializer: (any Initializer)?)]
  ) -> (
    reset: [(name: String, initializer: (any Initializer)?)],
    kept: [(name: String, initializer: (any Initializer)?)]
  ) {
    func isReset(_ name: String) -> Bool {
      // Of a module that may be of several classes the reason says more, and Keras fills its layers
      // without such a method.
      if ownParameters.contains(where: { $0.name.isSameText(name) && $0.reason != nil })
        || ownBuffers.contains(where: { $0.name.isSameText(name) && $0.reason != nil })
      {
        return true
      }
      guard hasResetParameters, isKnownClass else { return false }
      // A description may give a class of PyTorch without its arguments.
      guard let layer else { return true }
      let known = layer.parameters.map(\.name) + layer.buffers.map(\.name)
      return hasOwnOrder || known.contains { $0.isSameText(name) }
    }
    return (tensors.filter { isReset($0.name) }, tensors.filter { !isReset($0.name) })
  }
}

extension NamedModule {
  /// Whether the module is below the one at a path.
  fileprivate func isInside(_ container: String) -> Bool {
    container.isEmpty ? !path.isEmpty : path.utf8.starts(with: "\(container).".utf8)
  }
}
