internal import TensorCore
internal import TorchRandom

/// The first stage of a plan: what constructing the modules draws.
extension Initialization {
  /// Initializes everything as the constructors do, in the order in which they run.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` when an initializer refuses a tensor.
  public mutating func construct() throws { try construct(at: "") }

  /// Initializes the module at a path as its constructor does.
  package mutating func construct(at path: String) throws {
    for step in withoutReplaced(try flatConstruction(at: path)) { try perform(step) }
  }

  /// Everything that construction does, in order, in steps that each concern one tensor by its
  /// full name: no ``ConstructionStep/child(_:)``, `ownParameters`, `fillMatrices` or `rules`.
  package func flatConstruction(at path: String = "") throws -> [ConstructionStep] {
    guard let module = tree[path] else { return [] }
    let whole = NamedModule(path: path, module: module, original: path)
    let replaced = module.namedModules(removeDuplicates: false)
      .filter { !$0.module.predecessors.isEmpty }
    if replaced.isEmpty { return try flattened(whole) }
    // What is replaced after it was built has drawn in its place, and its successor draws last.
    var before = module
    for node in replaced { before[node.path] = node.module.predecessors[0] }
    var old = tree
    old[path] = before
    let earlier = try Initialization(of: old, dtype: dtype, generator: generator)
    let places = replaced.map { TensorName(whole.name(of: $0.path)) }
    var steps = try earlier.flattened(
      NamedModule(path: path, module: before, original: path)
    ).compactMap { try earlier.withoutTensors(below: places, $0) }
    for (node, place) in zip(replaced, places) {
      steps += try flattened(
        NamedModule(path: place.text, module: node.module, original: place.text))
    }
    return steps
  }

  private func flattened(_ node: NamedModule) throws -> [ConstructionStep] {
    var flattening = Flattening(base: node.path)
    try flatten(node, &flattening)
    return flattening.steps + flattening.last
  }

  /// The step, with only its draws left where it is about a tensor at or below one of some places.
  private func withoutTensors(
    below places: [TensorName], _ step: ConstructionStep
  ) throws -> ConstructionStep? {
    var isInside = false
    _ = step.renamed { name in
      isInside = isInside || places.contains { TensorName(name).isInside($0) }
      return name
    }
    guard isInside else { return step }
    switch step.kind {
    case .fill(let name, let initializer):
      return info(of: TensorName(name)).map {
        .discard(shape: $0.shape.sizes, dtype: $0.dtype, initializer)
      }
    case .fillPart(let name, let elements, let initializer):
      let dtype = info(of: TensorName(name))?.dtype
      return .discard(shape: [elements.count], dtype: dtype, initializer)
    case .fillView(let name, let view, let initializer):
      // What is thrown away is drawn as a whole tensor is.
      guard view.isContiguous else {
        throw CheckpointError(
          .unsupported,
          "a part that is not contiguous in memory cannot be drawn in a layer that is replaced",
          tensor: name)
      }
      return .discard(
        shape: view.sizes, dtype: info(of: TensorName(name))?.dtype, initializer)
    default: return nil
    }
  }

  /// Steps so far, those that come when all is constructed, and what else flattening keeps in mind.
  private struct Flattening {
    /// Path of the model that is constructed.
    let base: String
    var steps: [ConstructionStep] = []
    var last: [ConstructionStep] = []
    /// Rules that are applied to each module as soon as it was built, and whose paths they mean.
    var rules: [(rules: [ResolvedRule], base: String)] = []
    /// Tensors with several names that were drawn under one.
    var drawn: Set<TensorName> = []
  }

  private func flatten(_ node: NamedModule, _ flattening: inout Flattening) throws {
    let module = node.module
    // A shared module was constructed where it is met first.
    if module.isReference || isFurtherPlace(node.path) { return }
    switch module.copied {
    case .deepCopy(let source):
      let place = flattening.base.isEmpty ? source : "\(flattening.base).\(source)"
      return flattenCopy(of: place, to: node.path, into: &flattening.steps)
    case .values(let source):
      let place = flattening.base.isEmpty ? source : "\(flattening.base).\(source)"
      flattenCopy(of: place, to: node.path, into: &flattening.last)
    case nil: break
    }
    flattening.steps += module.preamble.map { $0.renamed(node.name(of:)) }
    // A list of steps that ends in the remainder says itself when what draws is drawn.
    let isListed = module.construction.contains {
      if case .remainder = $0.kind { true } else { false }
    }
    for buffer in module.ownBuffers {
      let name = node.name(of: buffer.name)
      guard let initializer = buffer.initializer,
        !isListed || draws(initializer, for: name) == false
      else { continue }
      flattening.steps.append(.fill(name, initializer))
    }
    let rules =
      module.constructionRules.isEmpty
      ? [] : try module.resolved(module.constructionRules)
    if !rules.isEmpty { flattening.rules.append((rules, node.path)) }
    let children = Dictionary(
      keepingFirst: module.ownChildren.compactMap { child in
        child.module.map { (TensorName(child.name), $0) }
      })
    for step in module.construction {
      switch step.kind {
      case .ownParameters:
        for parameter in module.ownParameters { flatten(parameter, of: node, &flattening) }
      case .child(let name):
        if let child = children[TensorName(name)] ?? module[name] {
          let path = node.name(of: name)
          try flatten(NamedModule(path: path, module: child, original: path), &flattening)
        } else if let parameter = module.parameter(at: name) {
          flatten(
            parameter.parameter,
            of: NamedModule(
              path: parameter.path.isEmpty ? node.path : node.name(of: parameter.path),
              module: module, original: node.path), &flattening)
        }
      case .copy(let source, let target):
        flattenCopy(
          of: node.name(of: source), to: node.name(of: target), into: &flattening.steps)
      case .fillMatrices(let initializer):
        for tensor in module.namedParameters() where tensor.shape.count > 1 {
          flattening.steps.append(.fill(node.name(of: tensor.name.text), initializer))
        }
      case .rules(let rules, let order):
        flattening.steps += try module.steps(of: rules, order: order)
          .map { $0.renamed(node.name(of:)) }
      default: flattening.steps.append(step.renamed(node.name(of:)))
      }
    }
    for (rules, base) in flattening.rules {
      let relative = NamedModule(
        path: node.path.rest(below: base), module: module, original: node.path)
      for rule in rules {
        for filling in try rule.fillings(for: relative) {
          flattening.steps += try node.steps(of: filling)
        }
      }
    }
    if !rules.isEmpty { flattening.rules.removeLast() }
  }

  private func flatten(
    _ parameter: Parameter, of node: NamedModule, _ flattening: inout Flattening
  ) {
    guard let initializer = parameter.initializer else { return }
    let name = node.name(of: parameter.name)
    // A tied parameter is drawn before another tensor takes its place.
    if isKept(TensorName(name), isReplaced: parameter.isReplaced, &flattening.drawn) {
      flattening.steps.append(.fill(name, initializer))
    } else {
      flattening.steps.append(
        .discard(shape: parameter.shape.sizes, dtype: parameter.dtype, initializer))
    }
  }

  /// Whether what is drawn under a name is the tensor's: of those that no other replaced, the first.
  private func isKept(
    _ name: TensorName, isReplaced: Bool, _ drawn: inout Set<TensorName>
  ) -> Bool {
    guard hasReplacements else { return isOriginal(name) }
    if isReplaced { return false }
    return drawn.insert(original(of: name)).inserted
  }

  /// Whether an initializer draws anything for a tensor; `nil` where it refuses it.
  private func draws(_ initializer: any Initializer, for name: String) -> Bool? {
    guard let info = info(of: TensorName(name)) else { return nil }
    return (try? initializer.fill(for: info)).map { !$0.isDeterministic }
  }

  private func flattenCopy(
    of source: String, to target: String, into steps: inout [ConstructionStep]
  ) {
    let pairs = copies(from: source, to: target)
    // A tensor that is not part of the model.
    if pairs.isEmpty { steps.append(.copy(of: source, to: target)) }
    for (source, target) in pairs {
      steps.append(.copy(of: source.text, to: target.text))
    }
  }

  mutating func perform(_ step: ConstructionStep) throws {
    switch step.kind {
    case .fill(let name, let initializer): try plan(TensorName(name), initializer)
    case .fillPart(let name, let elements, let initializer):
      guard let info = info(of: TensorName(name)) else { return }
      try planPart(
        of: TensorName(name), StridedPart(elements, of: info.elementCount), initializer)
    case .fillView(let name, let view, let initializer):
      try planPart(of: TensorName(name), view, initializer)
    case .change(let name, let steps):
      guard values(of: TensorName(name)) != nil else {
        throw CheckpointError(
          .missing, "its values are unknown, so they cannot be changed", tensor: name)
      }
      try derive(TensorName(name), from: TensorName(name)) {
        ChangedValues(source: $0, steps: steps)
      }
    case .cast(let name, let dtype): try cast(TensorName(name), to: dtype)
    case .discard(let shape, let dtype, let initializer):
      try discard(TensorInfo(dtype: dtype ?? self.dtype, shape: shape), initializer)
    case .copy(let source, let target):
      copy(TensorName(source), to: TensorName(target))
    case .advance(let words): generator.skip(words: words)
    case .norms(let source, let target, let dimension):
      try derive(TensorName(target), from: TensorName(source)) { Norms(of: $0, along: dimension) }
    case .normalize(let name):
      try derive(TensorName(name), from: TensorName(name)) { UnitVector(of: $0) }
    case .powerMethod(let weight, let u, let v, let rows):
      let (left, right) = (TensorName(u), TensorName(v))
      guard let matrix = values(of: TensorName(weight)), let start = values(of: right) else {
        return
      }
      for (name, isLeft) in [(left, true), (right, false)] {
        try derive(name, from: right) { _ in
          PowerMethod(weight: matrix, start: start, rows: rows, givesLeft: isLeft)
        }
      }
    case .remainder:
      for tensor in tensors where values(of: tensor.name) == nil {
        guard let initializer = tensor.initializer, let info = info(of: tensor.name),
          try initializer.fill(for: info).isDeterministic
        else { continue }
        try plan(tensor.name, initializer)
      }
    case .derived(let step): try perform(step)
    case .ownParameters, .child, .fillMatrices, .rules: break
    }
  }
}

extension Module {
  /// An own parameter, or one of a module inside, by its dotted name.
  fileprivate func parameter(at name: String) -> (path: String, parameter: Parameter)? {
    let (path, leaf) = TensorName(name).parentAndLeaf
    return self[path]?.ownParameters.first { $0.name.isSameText(leaf) }.map { (path, $0) }
  }
}

extension String {
  /// A path as it is counted from `base`, at or above it.
  fileprivate func rest(below base: String) -> String {
    if base.isEmpty { return self }
    return String(Substring(utf8.dropFirst(base.utf8.count + 1)))
  }
}

extension TensorName {
  /// Whether this is the name `other` or one below it.
  func isInside(_ other: TensorName) -> Bool {
    self == other || text.utf8.starts(with: "\(other.text).".utf8)
  }
}

extension Initialization {
  /// Moves the generator past draws that are thrown away.
  package mutating func perform(_ skip: Skip) throws {
    for step in skip.steps { try perform(step) }
  }
}
