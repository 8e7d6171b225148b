package import TensorCore

/// The second stage of a plan: what rules change.
extension Initialization {
  /// Applies rules in a loop over the model, continuing with the same generator.
  ///
  /// Each module gets every rule that matches it, in their order; a tensor that a module does not
  /// have (`bias=False`) is skipped.
  /// - Throws: ``TensorCore/CheckpointError`` when a rule matches nothing, names a tensor that no module it
  ///   matches can have, or an initializer refuses a tensor.
  public mutating func apply(_ rules: [Rule], order: Rule.Order) throws {
    let resolved = try rules.map { try ResolvedRule($0, modules: namedModules) }
    for node in modules(in: order) {
      for rule in resolved {
        for assignment in rule.assignments(for: node) {
          try fill(node, assignment.parameter, assignment.initializer)
        }
      }
    }
  }

  /// Refills the selected tensors, each by the rules that match it, else as its layer does.
  ///
  /// Modules are reached in `order`. In each, the tensors without a rule come first, in order of
  /// registration, then those with one in the rules' order.
  /// - Returns: the names of the tensors, each once, in order of `state_dict()`.
  /// - Throws: ``TensorCore/CheckpointError`` when nothing is selected, the initial values of
  ///   a selected tensor are unknown, or as ``apply(_:order:)`` does.
  @discardableResult
  package mutating func reset(
    _ selector: Selector, rules: [Rule] = [], order: Rule.Order = .modules
  ) throws -> [TensorName] {
    let selection = try SelectedTensors(selector, modules: namedModules)
    let resolved = try rules.map { try ResolvedRule($0, modules: namedModules) }
    var hits = [Bool](repeating: false, count: rules.count)
    var touched: Set<TensorName> = []
    for node in modules(in: order) {
      let own = node.tensors.filter { selection.contains(node, $0.name) }
      if own.isEmpty { continue }
      var assigned: [(parameter: String, initializer: (any Initializer)?)] = []
      for (index, rule) in resolved.enumerated() {
        let fitting = rule.assignments(for: node).filter { assignment in
          own.contains { $0.name.isSameText(assignment.parameter) }
        }
        if !fitting.isEmpty { hits[index] = true }
        assigned += fitting.map { ($0.parameter, $0.initializer) }
      }
      for tensor in own where !assigned.contains(where: { $0.parameter.isSameText(tensor.name) }) {
        try fill(node, tensor.name, nil)
      }
      for (parameter, initializer) in assigned { try fill(node, parameter, initializer) }
      touched.formUnion(own.map { TensorName(node.name(of: $0.name)) })
    }
    if let index = hits.firstIndex(of: false) {
      throw CheckpointError(.missing, "rule '\(rules[index])' matches none of the selected tensors")
    }
    let originals = Set(tensors.filter { touched.contains($0.name) }.map(\.original))
    return tensors.filter { originals.contains($0.original) }.map(\.name)
  }

  private func modules(in order: Rule.Order) -> [NamedModule] {
    switch order {
    // `modules()` yields each module once; `apply` visits a shared one once for each parent.
    case .modules: namedModules.filter { $0.path.isSameText($0.original) }
    case .apply: tree.applyOrder()
    }
  }

  private mutating func fill(
    _ node: NamedModule, _ own: String, _ initializer: (any Initializer)?
  ) throws {
    let name = TensorName(node.name(of: own))
    guard
      let chosen = initializer
        ?? node.tensors.first(where: { $0.name.isSameText(own) })?.initializer
    else {
      let reason = node.module.ownParameters.first { $0.name.isSameText(own) }?.reason
      throw CheckpointError(
        .missing,
        reason.map { "\($0), or give its values by --rule" }
          ?? "its default initialization is unknown; pass --rule",
        tensor: name.text)
    }
    try plan(name, chosen)
  }
}

extension NamedModule {
  /// Own parameters and buffers with the layer's way to fill them.
  var tensors: [(name: String, initializer: (any Initializer)?)] {
    module.ownParameters.map { ($0.name, $0.initializer) }
      + module.ownBuffers.map { ($0.name, $0.initializer) }
  }
}

/// A rule that has been settled against one tree.
private struct ResolvedRule {
  let rule: Rule
  private let selector: ResolvedSelector

  init(_ rule: Rule, modules: [NamedModule]) throws {
    self.rule = rule
    do {
      selector = try ResolvedSelector(rule.selector, modules: modules)
    } catch let error as CheckpointError {
      throw CheckpointError(error.code, "rule '\(rule)': \(error.message)")
    }
    let matching = modules.filter { node in
      selector.matches(path: node.path, kind: node.module.kind)
        || node.tensors.contains {
          selector.matches(path: node.path, kind: node.module.kind, parameter: $0.name)
        }
    }
    if matching.isEmpty { throw CheckpointError(.missing, "rule '\(rule)' matches no module") }
    for assignment in rule.assignments {
      let isThere = matching.contains { node in
        node.tensors.contains { $0.name.isSameText(assignment.parameter) }
          || node.module.layer?.optionalParameters.contains(assignment.parameter) ?? false
      }
      if isThere { continue }
      var names: [String] = []
      for name in matching.flatMap({ $0.tensors.map(\.name) }) where !names.contains(name) {
        names.append(name)
      }
      throw CheckpointError(
        .missing,
        "rule '\(rule)' names '\(assignment.parameter)', which no module it matches has; they have "
          + (names.isEmpty ? "no tensors of their own" : names.joined(separator: ", ")))
    }
  }

  func assignments(for node: NamedModule) -> [Rule.Assignment] {
    rule.assignments.filter { assignment in
      node.tensors.contains { $0.name.isSameText(assignment.parameter) }
        && selector.matches(
          path: node.path, kind: node.module.kind, parameter: assignment.parameter)
    }
  }
}
