internal import TensorCore

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

  mutating func perform(_ steps: [ConstructionStep]) throws {
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
      keepingFirst: namedTensors(removeDuplicates: false).map { ($0.name, $0.original) })
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
