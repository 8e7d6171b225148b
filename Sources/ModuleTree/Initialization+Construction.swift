internal import TensorCore
internal import TorchRandom

/// The first stage of a plan: what constructing the modules draws.
extension Initialization {
  /// Initializes everything as the constructors do, in the order in which they run.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` when an initializer refuses a tensor.
  public mutating func construct() throws {
    for step in flatConstruction() { try perform(step) }
  }

  /// Everything that construction does, in order, in steps that each concern one tensor by its
  /// full name: no ``ConstructionStep/child(_:)``, `ownParameters` or `fillMatrices`.
  package func flatConstruction() -> [ConstructionStep] {
    var steps: [ConstructionStep] = []
    flatten(tree, at: "", into: &steps)
    return steps
  }

  private func flatten(_ module: Module, at path: String, into steps: inout [ConstructionStep]) {
    let node = NamedModule(path: path, module: module, original: path)
    // A shared module was constructed where it is met first.
    if isFurtherPlace(path) { return }
    for buffer in module.ownBuffers {
      guard let initializer = buffer.initializer else { continue }
      steps.append(.fill(node.name(of: buffer.name), initializer))
    }
    let children = Dictionary(
      module.ownChildren.compactMap { child in child.module.map { (TensorName(child.name), $0) } },
      uniquingKeysWith: { first, _ in first })
    for step in module.construction {
      switch step {
      case .ownParameters:
        for parameter in module.ownParameters {
          guard let initializer = parameter.initializer else { continue }
          let name = node.name(of: parameter.name)
          // A tied parameter is drawn before another tensor takes its place.
          let isOwn = isOriginal(TensorName(name))
          steps.append(
            isOwn
              ? .fill(name, initializer)
              : .discard(shape: parameter.shape.sizes, dtype: parameter.dtype, initializer))
        }
      case .child(let name):
        guard let child = children[TensorName(name)] ?? module[name] else { continue }
        flatten(child, at: node.name(of: name), into: &steps)
      case .copy(let source, let target):
        flattenCopy(of: node.name(of: source), to: node.name(of: target), into: &steps)
      case .fill(let name, let initializer):
        steps.append(.fill(node.name(of: name), initializer))
      case .fillPart(let name, let elements, let initializer):
        steps.append(.fillPart(node.name(of: name), elements, initializer))
      case .fillMatrices(let initializer):
        for tensor in module.namedParameters() where tensor.shape.count > 1 {
          steps.append(.fill(node.name(of: tensor.name.text), initializer))
        }
      case .norms(let source, let target, let dimension):
        steps.append(
          .norms(of: node.name(of: source), to: node.name(of: target), along: dimension))
      case .normalize(let name): steps.append(.normalize(node.name(of: name)))
      case .powerMethod(let weight, let u, let v, let rows):
        steps.append(
          .powerMethod(
            weight: node.name(of: weight), u: node.name(of: u), v: node.name(of: v), rows: rows))
      case .discard, .advance, .remainder: steps.append(step)
      }
    }
  }

  private func flattenCopy(
    of source: String, to target: String, into steps: inout [ConstructionStep]
  ) {
    let whole = TensorName(source)
    let prefix = TensorName(source + ".")
    for tensor in tensors {
      if tensor.name == whole {
        steps.append(.copy(of: source, to: target))
      } else if tensor.name.text.utf8.starts(with: prefix.text.utf8) {
        let rest = Substring(tensor.name.text.utf8.dropFirst(prefix.text.utf8.count))
        steps.append(.copy(of: tensor.name.text, to: "\(target).\(rest)"))
      }
    }
  }

  private mutating func perform(_ step: ConstructionStep) throws {
    switch step {
    case .fill(let name, let initializer): try plan(TensorName(name), initializer)
    case .fillPart(let name, let elements, let initializer):
      try planPart(of: TensorName(name), elements, initializer)
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
    case .ownParameters, .child, .fillMatrices: break
    }
  }
}
