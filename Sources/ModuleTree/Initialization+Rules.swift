package import TensorCore

/// The second stage of a plan: what rules change.
extension Initialization {
  /// Applies rules in a loop over the model, continuing with the same generator.
  ///
  /// Each module gets every rule that matches it, in their order, but in the order `rules` each rule
  /// walks the whole model before the next. A tensor that a module does not have (`bias=False`) is
  /// skipped.
  /// - Throws: ``TensorCore/CheckpointError`` when a rule matches nothing, names a tensor that no module it
  ///   matches can have, or an initializer refuses a tensor.
  public mutating func apply(_ rules: [Rule], order: Rule.Order) throws {
    if !pending.isEmpty {
      for rule in rules {
        let steps = try tree.steps(of: [rule], order: order)
        guard !steps.isEmpty, steps.allSatisfy(concernsPending) else { continue }
        throw CheckpointError(
          .missing, "rule '\(rule)' matches only modules that are constructed after it")
      }
    }
    for step in try tree.steps(of: rules, order: order) where !concernsPending(step) {
      try perform(step)
    }
  }

  /// What a redraw did.
  package struct Redrawn: Sendable {
    /// Names of the tensors, each once, in order of `state_dict()`.
    package var names: [TensorName] = []
    /// Modules left alone because their class has no `reset_parameters`: the class and a path.
    package var skipped: [(kind: String, path: String)] = []
  }

  /// Refills the selected tensors, each by the rules that match it, else as its layer does.
  ///
  /// Modules are reached in `order`. In each, the tensors without a rule come first, in order of
  /// registration, then those with one in the rules' order. As in PyTorch's usual loop, a module
  /// whose class has no `reset_parameters` is left alone where no rule matches it.
  /// - Throws: ``TensorCore/CheckpointError`` when nothing is selected, the initial values of
  ///   a selected tensor are unknown, or as ``apply(_:order:)`` does.
  @discardableResult
  package mutating func reset(
    _ selector: Selector, rules: [Rule] = [], order: Rule.Order = .modules
  ) throws -> Redrawn {
    let selection = try SelectedTensors(selector, modules: namedModules)
    let resolved = try tree.resolved(rules)
    var hits = [Bool](repeating: false, count: rules.count)
    var touched: Set<TensorName> = []
    var result = Redrawn()
    for node in tree.modules(in: order) {
      let own = node.tensors.filter { selection.contains(node, $0.name) }
      if own.isEmpty { continue }
      var assigned: [ResolvedRule.Filling] = []
      for (index, rule) in resolved.enumerated() {
        let fitting = try rule.fillings(for: node).filter { filling in
          filling.assignment.isCall || own.contains { $0.name.isSameText(filling.parameter) }
        }
        if !fitting.isEmpty { hits[index] = true }
        assigned += fitting
      }
      let isCalled = assigned.contains(where: \.assignment.isCall)
      let whole = assigned.filter { $0.assignment.part == nil && !$0.assignment.isCall }
      let rest = own.filter { tensor in
        !isCalled && !whole.contains { $0.parameter.isSameText(tensor.name) }
      }
      if node.module.hasResetParameters {
        for tensor in rest {
          try perform(node.steps(of: .init(parameter: tensor.name)))
          touched.insert(TensorName(node.name(of: tensor.name)))
        }
      } else if !rest.isEmpty {
        result.skipped.append((node.module.kind, node.path))
      }
      for filling in assigned {
        for step in try node.steps(of: filling) {
          try perform(step)
          if case .fill(let name, _) = step { touched.insert(TensorName(name)) }
        }
        if !filling.assignment.isCall {
          touched.insert(TensorName(node.name(of: filling.parameter)))
        }
      }
    }
    if let index = hits.firstIndex(of: false) {
      throw CheckpointError(.missing, "rule '\(rules[index])' matches none of the selected tensors")
    }
    guard !touched.isEmpty else {
      let kinds = Set(result.skipped.map(\.kind)).sorted().joined(separator: ", ")
      throw CheckpointError(
        .missing,
        "nothing to redraw: \(kinds) has no reset_parameters; give a rule, such as "
          + "'\(result.skipped.first?.kind ?? ""): _reset_parameters' where the class has that method"
      )
    }
    let originals = Set(tensors.filter { touched.contains($0.name) }.map(\.original))
    result.names = tensors.filter { originals.contains($0.original) }.map(\.name)
    return result
  }

  private mutating func perform(_ steps: [ConstructionStep]) throws {
    for step in steps { try perform(step) }
  }
}

extension Module {
  /// What rules do to the module and all inside it, in steps of one tensor each.
  func steps(of rules: [Rule], order: Rule.Order) throws -> [ConstructionStep] {
    let resolved = try resolved(rules)
    let nodes = modules(in: order)
    var steps: [ConstructionStep] = []
    guard order == .rules else {
      for node in nodes {
        for rule in resolved {
          for filling in try rule.fillings(for: node) { steps += try node.steps(of: filling) }
        }
      }
      return steps
    }
    let originals = Dictionary(
      namedTensors(removeDuplicates: false).map { ($0.name, $0.original) },
      uniquingKeysWith: { first, _ in first })
    for rule in resolved {
      // `named_parameters()` has each tensor once.
      var passed: [TensorName: TensorName] = [:]
      for node in nodes {
        for filling in try rule.fillings(for: node) {
          let name = TensorName(node.name(of: filling.parameter))
          if filling.assignment.isPattern, let original = originals[name],
            let earlier = passed.updateValue(name, forKey: original), earlier != name
          {
            continue
          }
          steps += try node.steps(of: filling)
        }
      }
    }
    return steps
  }

  func resolved(_ rules: [Rule]) throws -> [ResolvedRule] {
    let modules = namedModules(removeDuplicates: false)
    return try rules.map { try ResolvedRule($0, modules: modules) }
  }

  func modules(in order: Rule.Order) -> [NamedModule] {
    switch order {
    // `modules()` yields each module once; `apply` visits a shared one once for each parent.
    case .modules, .rules: namedModules()
    case .apply: applyOrder()
    }
  }
}
