public import TensorCore

extension Initialization {
  /// Applies rules in a loop over the model, the generator running on from where it stands.
  ///
  /// Each module gets every rule that fits it, in their order; a tensor that a module does not
  /// have (`bias=False`) is passed over.
  /// - Throws: ``TensorCore/CheckpointError`` when a rule fits nothing, names a tensor that no
  ///   module it fits
  ///   can have, or an initialiser refuses a tensor.
  public mutating func apply(_ rules: [Rule], order: Rule.Order) throws {
    let resolved = try rules.map { try ResolvedRule($0, places: places) }
    for place in modules(in: order) {
      for rule in resolved {
        for assignment in rule.assignments(for: place) {
          try fill(place, assignment.parameter, assignment.initializer)
        }
      }
    }
  }

  /// Fills the selected tensors anew, each as the rules that fit it say, else as its layer does.
  ///
  /// Modules are reached in `order`. In each, the tensors without a rule come first, in order of
  /// registration, then those with one in the rules' order.
  /// - Returns: the names of the tensors, each once, in order of `state_dict()`.
  /// - Throws: ``TensorCore/CheckpointError`` when nothing is selected, the selected tensors' first
  ///   values
  ///   are not known, or as ``apply(_:order:)`` does.
  @discardableResult
  public mutating func reset(
    _ selector: Selector, rules: [Rule] = [], order: Rule.Order = .modules
  ) throws -> [TensorName] {
    let selection = try SelectedTensors(selector, places: places)
    let resolved = try rules.map { try ResolvedRule($0, places: places) }
    var hits = [Bool](repeating: false, count: rules.count)
    var touched: Set<TensorName> = []
    for place in modules(in: order) {
      let own = place.tensors.filter { selection.contains(place, $0.name) }
      if own.isEmpty { continue }
      var assigned: [(parameter: String, initializer: (any Initializer)?)] = []
      for (index, rule) in resolved.enumerated() {
        let fitting = rule.assignments(for: place).filter { assignment in
          own.contains { $0.name.isSameText(assignment.parameter) }
        }
        if !fitting.isEmpty { hits[index] = true }
        assigned += fitting.map { ($0.parameter, $0.initializer) }
      }
      for tensor in own where !assigned.contains(where: { $0.parameter.isSameText(tensor.name) }) {
        try fill(place, tensor.name, nil)
      }
      for (parameter, initializer) in assigned { try fill(place, parameter, initializer) }
      touched.formUnion(own.map { TensorName(place.name(of: $0.name)) })
    }
    if let index = hits.firstIndex(of: false) {
      throw CheckpointError(.missing, "rule '\(rules[index])' fits none of the selected tensors")
    }
    let originals = Set(tensors.filter { touched.contains($0.name) }.map(\.original))
    return tensors.filter { originals.contains($0.original) }.map(\.name)
  }

  private func modules(in order: Rule.Order) -> [PlacedModule] {
    switch order {
    case .modules: places.filter { $0.path.isSameText($0.original) }
    case .apply: tree.applyOrder()
    }
  }

  private mutating func fill(
    _ place: PlacedModule, _ own: String, _ initializer: (any Initializer)?
  ) throws {
    let name = TensorName(place.name(of: own))
    guard
      let chosen = initializer
        ?? place.tensors.first(where: { $0.name.isSameText(own) })?.initializer
    else {
      throw CheckpointError(
        .missing, "its layer's own first values are not known; give a rule for it",
        tensor: name.text)
    }
    try plan(name, chosen)
  }
}

extension PlacedModule {
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

  init(_ rule: Rule, places: [PlacedModule]) throws {
    self.rule = rule
    do {
      selector = try ResolvedSelector(rule.selector, modules: places)
    } catch let error as CheckpointError {
      throw CheckpointError(error.code, "rule '\(rule)': \(error.message)")
    }
    let matching = places.filter { place in
      selector.matches(path: place.path, kind: place.module.kind)
        || place.tensors.contains {
          selector.matches(path: place.path, kind: place.module.kind, parameter: $0.name)
        }
    }
    if matching.isEmpty { throw CheckpointError(.missing, "rule '\(rule)' fits no module") }
    for assignment in rule.assignments {
      let isThere = matching.contains { place in
        place.tensors.contains { $0.name.isSameText(assignment.parameter) }
          || place.module.layer?.optionalParameters.contains(assignment.parameter) ?? false
      }
      if isThere { continue }
      var names: [String] = []
      for name in matching.flatMap({ $0.tensors.map(\.name) }) where !names.contains(name) {
        names.append(name)
      }
      throw CheckpointError(
        .missing,
        "rule '\(rule)' names '\(assignment.parameter)', which no module it fits has; they have "
          + (names.isEmpty ? "no tensors of their own" : names.joined(separator: ", ")))
    }
  }

  func assignments(for place: PlacedModule) -> [Rule.Assignment] {
    rule.assignments.filter { assignment in
      place.tensors.contains { $0.name.isSameText(assignment.parameter) }
        && selector.matches(
          path: place.path, kind: place.module.kind, parameter: assignment.parameter)
    }
  }
}
