public import TensorCore

/// A tensor of a module tree under one of its names.
public struct NamedTensor: Sendable {
  /// What the tensor is to its module.
  package enum Role: Sendable {
    /// Trained.
    case parameter(Parameter)
    /// Not trained.
    case buffer(Buffer)
  }

  /// Dotted name.
  public let name: TensorName
  /// What it is.
  package let role: Role
  /// The name under which the same tensor is met first; differs from ``name`` for tied tensors
  /// and below shared modules.
  package let original: TensorName

  /// Sizes, outermost first.
  public var shape: Shape {
    switch role {
    case .parameter(let parameter): parameter.shape
    case .buffer(let buffer): buffer.shape
    }
  }

  /// Element type in a model of the given type.
  package func dtype(inModelOf dtype: DType) -> DType {
    switch role {
    case .parameter(let parameter): parameter.dtype ?? dtype
    case .buffer(let buffer): buffer.dtype ?? dtype
    }
  }

  /// Whether `state_dict()` holds it.
  package var isPersistent: Bool {
    if case .buffer(let buffer) = role { buffer.isPersistent } else { true }
  }

  /// How it gets its initial values; `nil` when they are unknown.
  package var initializer: (any Initializer)? {
    switch role {
    case .parameter(let parameter): parameter.initializer
    case .buffer(let buffer): buffer.initializer
    }
  }

  /// Why its initial values are unknown, where someone found out.
  package var reason: String? {
    switch role {
    case .parameter(let parameter): parameter.reason
    case .buffer(let buffer): buffer.reason
    }
  }

  /// Why the sizes it was given are not a tensor's; `nil` if they are.
  package var refusal: CheckpointError? {
    switch role {
    case .parameter(let parameter): parameter.refusal
    case .buffer(let buffer): buffer.refusal
    }
  }

  /// Whether it is trained.
  public var isParameter: Bool {
    if case .parameter = role { true } else { false }
  }
}

extension Module {
  /// Every parameter, each once, in the order of `parameters()`.
  package func parameters() -> [Parameter] {
    namedParameters().compactMap {
      if case .parameter(let parameter) = $0.role { parameter } else { nil }
    }
  }

  /// Parameters by name, in the order of `named_parameters(remove_duplicate=…)`.
  public func namedParameters(removeDuplicates: Bool = true) -> [NamedTensor] {
    namedTensors(removeDuplicates: removeDuplicates).filter(\.isParameter)
  }

  /// Buffers by name, persistent or not, as `named_buffers(remove_duplicate=…)`.
  public func namedBuffers(removeDuplicates: Bool = true) -> [NamedTensor] {
    namedTensors(removeDuplicates: removeDuplicates).filter { !$0.isParameter }
  }

  /// Every name that `state_dict()` has, in its order: module by module in pre-order, a module's
  /// parameters before its buffers; tied tensors and shared modules appear under every name.
  public func stateDict() -> [NamedTensor] {
    namedTensors(removeDuplicates: false).filter(\.isPersistent)
  }

  /// The same tree with more parameters, by the path of the module that owns them from then on;
  /// paths that lead to no module are passed by.
  package func adding(_ parameters: [TensorName: [Parameter]]) -> Module {
    changingModules { $0.ownParameters += parameters[TensorName($1)] ?? [] }
  }

  /// The same tree with each module changed, given its path.
  func changingModules(
    at path: String = "", _ change: (inout Module, _ path: String) -> Void
  ) -> Module {
    var copy = self
    change(&copy, path)
    for index in copy.ownChildren.indices {
      let inside = TensorName.text(of: copy.ownChildren[index].name, in: path)
      copy.ownChildren[index].module = copy.ownChildren[index].module?.changingModules(
        at: inside, change)
    }
    return copy
  }

  package func namedTensors(removeDuplicates: Bool) -> [NamedTensor] {
    var first: [ObjectIdentifier: TensorName] = [:]
    var result: [NamedTensor] = []
    for node in namedModules(removeDuplicates: removeDuplicates) {
      func original(_ own: String) -> TensorName {
        TensorName(node.original.isEmpty ? own : "\(node.original).\(own)")
      }
      for parameter in node.module.ownParameters {
        var source = original(parameter.name)
        if let identity = parameter.identity.map({ ObjectIdentifier($0) }) {
          source = first[identity] ?? source
          first[identity] = source
        }
        let name = TensorName(node.name(of: parameter.name))
        if removeDuplicates && name != source { continue }
        result.append(NamedTensor(name: name, role: .parameter(parameter), original: source))
      }
      for buffer in node.module.ownBuffers {
        let name = TensorName(node.name(of: buffer.name))
        result.append(
          NamedTensor(name: name, role: .buffer(buffer), original: original(buffer.name)))
      }
    }
    return result
  }

  /// The same tree with the tensor `name` replaced by the tensor `other`, as
  /// `self.head.weight = self.embedding.weight` does: the values are those of `other`.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` with code `missing` or `mismatched` when there is no such
  ///   parameter or the shapes differ.
  public func tying(
    _ name: TensorName, to other: TensorName
  ) throws(CheckpointError) -> Module {
    let originals = Dictionary(
      keepingFirst: namedTensors(removeDuplicates: false).map { ($0.name, $0.original) })
    let (targetName, sourceName) = (originals[name] ?? name, originals[other] ?? other)
    if targetName == sourceName, name != other, originals[name] != nil { return self }
    let target = try parameter(targetName)
    let source = try parameter(sourceName)
    guard source.shape == target.shape else {
      throw CheckpointError(
        .mismatched,
        "expected shape \(source.shape), that of '\(other)', found shape \(target.shape)",
        tensor: name.text)
    }
    let identity = source.identity ?? Identity()
    var copy = self
    copy.update(sourceName) { $0.identity = identity }
    copy.update(targetName) { $0.identity = identity }
    copy.update(name) { $0.isReplaced = true }
    // What was tied to the target before is tied to the source with it.
    guard let old = target.identity else { return copy }
    for node in namedModules() {
      for parameter in node.module.ownParameters where parameter.identity === old {
        copy.update(TensorName(node.name(of: parameter.name))) {
          $0.identity = identity
          $0.isReplaced = true
        }
      }
    }
    return copy
  }

  /// The same tree with parameters tied, each to another of the same shape that is itself not tied.
  ///
  /// Names of other things than parameters are passed by. One pass, however many ties there are.
  package func tying(_ ties: [TensorName: TensorName]) -> Module {
    if ties.isEmpty { return self }
    let tensors = namedTensors(removeDuplicates: false)
    var identities: [TensorName: Identity] = [:]
    for tensor in tensors {
      if case .parameter(let parameter) = tensor.role {
        identities[tensor.name] = parameter.identity
      }
    }
    for tensor in tensors {
      guard let other = ties[tensor.name] else { continue }
      let identity = identities[other] ?? identities[tensor.name] ?? Identity()
      (identities[other], identities[tensor.name]) = (identity, identity)
    }
    return changingModules { module, path in
      for index in module.ownParameters.indices {
        let name = TensorName.text(of: module.ownParameters[index].name, in: path)
        if let identity = identities[TensorName(name)] {
          module.ownParameters[index].identity = identity
        }
      }
    }
  }

  /// The other names of tensors that have one of these names, each with that one.
  package func tiedNames(of names: Set<TensorName>) -> [TensorName: TensorName] {
    let tensors = namedTensors(removeDuplicates: false)
    var known: [TensorName: TensorName] = [:]
    for tensor in tensors where names.contains(tensor.name) { known[tensor.original] = tensor.name }
    var others: [TensorName: TensorName] = [:]
    for tensor in tensors where !names.contains(tensor.name) {
      others[tensor.name] = known[tensor.original]
    }
    return others
  }

  /// The same tree with one module at both paths, as `self.b = self.a` makes it.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` with code `mismatched` when one is below the other or the two
  ///   have other tensors.
  package func sharing(_ path: String, with other: String) throws -> Module {
    guard let here = self[path], let there = self[other] else { return self }
    func tensors(_ module: Module) -> [String] {
      module.stateDict().map { "\($0.name) \($0.shape)" }
    }
    let isBelow =
      "\(path).".utf8.starts(with: "\(other).".utf8)
      || "\(other).".utf8.starts(with: "\(path).".utf8)
    guard !isBelow, !path.isEmpty, !other.isEmpty, tensors(here) == tensors(there) else {
      throw CheckpointError(
        .mismatched,
        "modules '\(path)' and '\(other)' cannot be one: their tensors differ, or one contains the "
          + "other")
    }
    var copy = self
    copy[other]?.identity = there.identity ?? Identity()
    copy[path] = copy[other]
    copy[path]?.isReference = true
    return copy
  }

  private func parameter(_ name: TensorName) throws(CheckpointError) -> Parameter {
    let (path, leaf) = name.parentAndLeaf
    guard let found = self[path]?.ownParameters.first(where: { $0.name.isSameText(leaf) }) else {
      throw CheckpointError(.missing, "the model has no such parameter", tensor: name.text)
    }
    return found
  }

  private mutating func update(_ name: TensorName, _ change: (inout Parameter) -> Void) {
    let (path, leaf) = name.parentAndLeaf
    guard var module = self[path],
      let index = module.ownParameters.firstIndex(where: { $0.name.isSameText(leaf) })
    else { return }
    change(&module.ownParameters[index])
    self[path] = module
  }
}
