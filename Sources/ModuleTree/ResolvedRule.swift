internal import TensorCore

/// A rule that has been settled against one tree.
struct ResolvedRule {
  let rule: Rule
  private let selector: ResolvedSelector
  /// The methods that a module which the selector names has itself: they are not called inside it.
  private var ownMethods: Set<String> = []

  /// One tensor, or part of it, that a rule fills; or a method that it calls.
  struct Filling {
    let parameter: String
    let assignment: Rule.Assignment

    init(parameter: String, assignment: Rule.Assignment) {
      self.parameter = parameter
      self.assignment = assignment
    }

    /// The layer's own way.
    init(parameter: String) {
      self.init(parameter: parameter, assignment: Rule.Assignment(parameter, nil))
    }
  }

  init(_ rule: Rule, modules: [NamedModule]) throws {
    self.rule = rule
    do {
      selector = try ResolvedSelector(rule.selector, modules: modules)
    } catch let error as CheckpointError {
      throw CheckpointError(error.code, "rule '\(rule)': \(error.message)")
    }
    let matching = try modules.filter { node in
      try selector.matches(path: node.path, kind: node.module.kind)
        || node.tensors.contains {
          try selector.matches(path: node.path, kind: node.module.kind, parameter: $0.name)
        }
    }
    if matching.isEmpty { throw CheckpointError(.missing, "rule '\(rule)' matches no module") }
    for assignment in rule.assignments {
      try check(assignment, matching)
      let isOwn = try matching.contains { node in
        try assignment.isCall && node.module.hasMethod(assignment.parameter)
          && selector.matches(path: node.path, kind: node.module.kind, isDirect: true)
      }
      if isOwn { ownMethods.insert(assignment.parameter) }
    }
  }

  private func check(_ assignment: Rule.Assignment, _ matching: [NamedModule]) throws {
    if assignment.isCall {
      if matching.contains(where: { $0.module.hasMethod(assignment.parameter) }) { return }
      throw CheckpointError(
        .missing,
        "rule '\(rule)' calls \(assignment.parameter), which no module it matches is known to have")
    }
    let isThere = matching.contains { node in
      node.tensors.contains { assignment.names($0.name) }
        || node.module.layer?.optionalParameters.contains { assignment.names($0) } ?? false
    }
    if isThere { return }
    var names: [String] = []
    for name in matching.flatMap({ $0.tensors.map(\.name) }) where !names.contains(name) {
      names.append(name)
    }
    throw CheckpointError(
      .missing,
      "rule '\(rule)' names '\(assignment.parameter)', which no module it matches has; they have "
        + (names.isEmpty ? "no tensors of their own" : names.joined(separator: ", ")))
  }

  /// What the rule does at a module: assignments in their order, but tensors in order of registration
  /// where neighboring assignments have patterns.
  func fillings(for node: NamedModule) throws -> [Filling] {
    var result: [Filling] = []
    var assignments = rule.assignments[...]
    while let first = assignments.first {
      if first.isCall {
        assignments.removeFirst()
        let isCalled = try selector.matches(
          path: node.path, kind: node.module.kind,
          isDirect: ownMethods.contains(first.parameter))
        if isCalled, node.module.hasMethod(first.parameter) {
          result.append(Filling(parameter: first.parameter, assignment: first))
        }
        continue
      }
      let run = assignments.prefix { $0.isPattern == first.isPattern && !$0.isCall }
      if first.isPattern {
        for parameter in node.module.ownParameters {
          for assignment in run where try takes(assignment, node, parameter.name) {
            result.append(Filling(parameter: parameter.name, assignment: assignment))
          }
        }
      } else {
        for assignment in run where try takes(assignment, node, assignment.parameter) {
          result.append(Filling(parameter: assignment.parameter, assignment: assignment))
        }
      }
      assignments = assignments.dropFirst(run.count)
    }
    return result
  }

  private func takes(
    _ assignment: Rule.Assignment, _ node: NamedModule, _ own: String
  ) throws -> Bool {
    guard assignment.names(own), let context = node.context(of: own), try matches(node, own) else {
      return false
    }
    return try assignment.condition?.holds(in: context) ?? true
  }

  private func matches(_ node: NamedModule, _ own: String?) throws -> Bool {
    try selector.matches(path: node.path, kind: node.module.kind, parameter: own)
  }
}

extension NamedModule {
  /// Own parameters and buffers with the layer's way to fill them.
  var tensors: [(name: String, initializer: (any Initializer)?)] {
    module.ownParameters.map { ($0.name, $0.initializer) }
      + module.ownBuffers.map { ($0.name, $0.initializer) }
  }

  /// What numbers in a rule are computed from, for one of the module's tensors.
  func context(of own: String) -> NumberContext? {
    let shape =
      module.ownParameters.first { $0.name.isSameText(own) }?.shape
      ?? module.ownBuffers.first { $0.name.isSameText(own) }?.shape
    return shape.map { NumberContext(shape: $0, module: module, own: own) }
  }

  /// The step of construction that a filling is; names are full.
  ///
  /// - Throws: `CheckpointError` naming the tensor.
  func steps(of filling: ResolvedRule.Filling) throws -> [ConstructionStep] {
    let (own, assignment) = (filling.parameter, filling.assignment)
    if assignment.isCall { return module.steps(ofMethod: own).map { $0.renamed(name(of:)) } }
    let full = name(of: own)
    return try CheckpointError.placing(tensor: full) {
      guard var context = context(of: own) else { return [] }
      var part: StridedPart?
      if let index = assignment.part {
        let view = try index.resolved(in: context.shape, sizes: context)
        part = view
        let sizes = view.sizes
        context = NumberContext(
          shape: try TensorInfo(dtype: .float32, shape: sizes).shape, module: module, own: own)
      }
      let initial = tensors.first { $0.name.isSameText(own) }?.initializer
      var chosen = assignment.initializer ?? initial
      if let formula = assignment.initializer as? InitializerFormula {
        switch try formula.resolved(initial: initial, in: context) {
        case .initializer(let initializer): chosen = initializer
        case .steps(let steps):
          guard part == nil else {
            throw CheckpointError(.unsupported, "'current' cannot be given to a part of a tensor")
          }
          return [.change(full, steps)]
        }
      }
      guard let chosen else {
        let reason = module.ownParameters.first { $0.name.isSameText(own) }?.reason
        throw CheckpointError(
          .missing,
          reason.map {
            // Some reasons have a remedy of their own.
            let hasRemedy = $0.contains("--model") || $0.contains("; ")
            return "\($0)\(hasRemedy ? ", or" : ";") give its values by --rule"
          }
            ?? "its default initialization is unknown; pass --rule")
      }
      return [part.map { .fillView(full, $0, chosen) } ?? .fill(full, chosen)]
    }
  }
}

extension Module {
  /// Whether the class is known to have a method that fills its tensors.
  func hasMethod(_ name: String) -> Bool {
    name == "reset_parameters" && !(layer is AdaptiveLogSoftmax)
      ? hasResetParameters : !steps(ofMethod: name).isEmpty
  }

  /// Whether a loop over modules that calls `reset_parameters` where there is one reaches this class.
  var hasResetParameters: Bool {
    !(ownParameters.isEmpty && ownBuffers.isEmpty) && steps(ofMethod: "_reset_parameters").isEmpty
      && !(layer is Conv1D || layer is FrozenBatchNorm || layer is ParameterCollection)
      && !(layer == nil && Self.withoutReset.contains(base ?? kind))
  }

  /// Known classes without the method, as a description may give them without arguments.
  private static let withoutReset = [
    "MultiheadAttention", "ParameterList", "ParameterDict", "Conv1D", "FrozenBatchNorm2d",
  ]

  /// What a method does with the generator: the constructor's own steps after it built its children.
  func steps(ofMethod name: String) -> [ConstructionStep] {
    if name == "reset_parameters" {
      if layer is AdaptiveLogSoftmax {
        return namedParameters().compactMap { tensor in
          tensor.initializer.map { .fill(tensor.name.text, $0) }
        }
      }
      return
        (ownParameters.map { ($0.name, $0.initializer) }
        + ownBuffers.map { ($0.name, $0.initializer) })
        .compactMap { name, initializer in initializer.map { .fill(name, $0) } }
    }
    guard layer is MultiheadAttention || layer is Transformer else { return [] }
    return construction.flatMap { step -> [ConstructionStep] in
      switch step.kind {
      case .ownParameters:
        ownParameters.compactMap { parameter in
          parameter.initializer.map { .fill(parameter.name, $0) }
        }
      case .fill: [step]
      case .fillMatrices(let initializer):
        namedParameters().filter { $0.shape.count > 1 }.map { .fill($0.name.text, initializer) }
      default: []
      }
    }
  }
}
