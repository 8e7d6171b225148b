import TensorCore

/// Modules of a pickle: what their state is, and the tree that they form.
extension PyTorchTree {
  /// Whether a value is a module, pickled or of TorchScript.
  func isModule(_ reference: Pickle.Reference) -> Bool {
    PickledModule(reference, in: pickle) != nil || isScript(reference)
  }

  /// Parameters, persistent buffers, and submodules, and what else the state of a quantized module
  /// has.
  func members(of module: PickledModule) -> [PickledModule.Item] {
    let own = module.parameters + module.buffers
    let packed = module.keepsAttributes ? module.attributes.filter { holdsTensor($0.value) } : []
    return own + packed + module.children
  }

  /// The parts of the packed parameters of a quantized module, as its `state_dict()` has them.
  func packedContent(_ reference: Pickle.Reference) -> [PickledModule.Item]? {
    guard let object = pickle.object(reference), let callee = pickle.callee(object) else {
      return nil
    }
    if ["build_tensorlist", "restore_type_tag"].contains(callee.name),
      callee.module == "torch.jit._pickle"
    {
      return pickle.elements(object.arguments)?.first.flatMap(numbered)
    }
    guard let state = object.state else { return nil }
    if isPacked(reference) { return numbered(state) }
    guard callee.fullName == "torch.ScriptObject", let content = pickle.elements(state)?.first
    else { return nil }
    return numbered(content) ?? [("0", content)]
  }

  private func numbered(_ list: Pickle.Reference) -> [PickledModule.Item]? {
    pickle.elements(list)?.enumerated().map { (String($0), $1) }
  }

  /// Whether a value is packed parameters of a TorchScript archive.
  private func isPacked(_ reference: Pickle.Reference) -> Bool {
    pickle.object(reference).flatMap(pickle.callee)?.module
      .hasPrefix("__torch__.torch.classes.") == true
  }

  // MARK: - TorchScript

  /// Parameters, buffers, and submodules of a TorchScript module.
  func scriptMembers(_ reference: Pickle.Reference) -> [PickledModule.Item]? {
    guard let object = pickle.object(reference), let names = stateMembers(of: object) else {
      return nil
    }
    guard let attributes = attributes(of: object) else {
      return object.state.flatMap(pickle.elements).flatMap(PickledModule.convolution)?.tensors
    }
    let own = names.compactMap { name in attributes.first { TensorName($0.name) == name } }
    return own + attributes.filter { isScript($0.value) || isPacked($0.value) }
  }

  func isScript(_ reference: Pickle.Reference) -> Bool {
    pickle.object(reference).flatMap(stateMembers(of:)) != nil
  }

  private func stateMembers(of object: Pickle.Object) -> [TensorName]? {
    pickle.callee(object).flatMap { stateMembers[$0.fullName] }
  }

  private func attributes(of object: Pickle.Object) -> [PickledModule.Item]? {
    object.state.flatMap(pickle.items).map(pickle.named)
  }

  // MARK: - Labels

  /// The module tree of what is opened, as labels; `nil` if something else than modules holds tensors.
  ///
  /// Containers of modules are labeled `Module`, and so is what else leads to one of `tensors`. Modules
  /// that stand at several places appear at each.
  /// - Throws: ``CheckpointError`` `malformed` as ``leaves(_:prefix:)`` does.
  func labels(
    _ parts: [(reference: Pickle.Reference, prefix: String)], of tensors: [TensorName]
  ) throws(CheckpointError) -> (labels: [ModuleLabel], shared: [TensorName: TensorName])? {
    var labels = ModuleLabelList(self)
    for (reference, prefix) in parts {
      try labels.add(containersOf: prefix)
      guard try labels.add(reference, at: prefix, depth: 0) else { return nil }
    }
    guard labels.hasModules else { return nil }
    for name in tensors { try labels.add(containersOf: name.text) }
    return (labels.labels, labels.shared)
  }

  /// The class and the printed arguments of a module; `nil` for another value.
  fileprivate func label(
    _ reference: Pickle.Reference, _ values: inout PickleValues
  ) -> (kind: String, arguments: String, children: [PickledModule.Item])? {
    if let module = PickledModule(reference, in: pickle) {
      let (kind, isTorch) = module.kind
      if kind == "ParameterList" || kind == "ParameterDict" {
        return (kind, collection(module), module.children)
      }
      let isInherited = !isTorch && !TorchModuleText.prints(kind)
      let base = isInherited ? TorchModuleText.base(of: module) : nil
      let arguments = TorchModuleText.arguments(
        of: base ?? kind,
        attribute: { name in module.attribute(name).flatMap { plain($0, &values) } },
        hasParameter: { module.hasParameter($0, in: pickle) })
      // Another library's class of a name of PyTorch's counts as that one if it prints like it.
      if arguments == nil, !isTorch { return (module.longName, "", module.children) }
      return (kind, arguments ?? "", module.children)
    }
    guard let object = pickle.object(reference), let callee = pickle.callee(object),
      let names = stateMembers[callee.fullName], let attributes = attributes(of: object)
    else { return nil }
    let constants = scriptConstants[callee.fullName] ?? [:]
    let arguments = TorchModuleText.arguments(
      of: callee.name,
      attribute: { name in
        constants[name]
          ?? attributes.first { $0.name.utf8.elementsEqual(name.utf8) }.flatMap {
            plain($0.value, &values)
          }
      },
      hasParameter: { name in names.contains { $0.text.utf8.elementsEqual(name.utf8) } })
    let isTorch = callee.module.hasPrefix("__torch__.torch.")
    let kind = arguments == nil && !isTorch ? callee.fullName : callee.name
    return (kind, arguments ?? "", attributes.filter { isScript($0.value) })
  }

  /// A number, a text, or a short list of such.
  private func plain(_ reference: Pickle.Reference, _ values: inout PickleValues) -> Value? {
    pickle.breadth(reference) <= 64 ? values.attribute(reference) : nil
  }

  /// What a list or a dictionary of parameters prints, one line for each tensor.
  private func collection(_ module: PickledModule) -> String {
    let isList = module.kind.name == "ParameterList"
    let attributes = module.attributes.filter { decoder.isTensor($0.value) }
    let tensors =
      module.parameters.map { ($0, "Parameter") } + attributes.map { ($0, "Tensor") }
    return tensors.compactMap { item, what in
      guard case .tensor(let tensor)? = try? decoder.decode(item.value) else { return nil }
      let dtype = tensor.info.dtype
      // A dictionary prints `torch.FloatTensor`, a list `torch.float32`.
      let storage = PyTorchGlobals.storageName(dtype)?.dropLast("Storage".utf8.count)
      let type = isList ? dtype.torchName : storage.map { $0 + "Tensor" } ?? "Tensor"
      let size = tensor.info.shape.map(String.init).joined(separator: "x")
      return "  (\(item.name)): \(what) containing: [torch.\(type) of size \(size)]"
    }.joined(separator: "\n")
  }
}

/// Collects the labels of modules, parents before children.
private struct ModuleLabelList {
  private let tree: PyTorchTree
  private(set) var labels: [ModuleLabel] = []
  /// Paths at which a module stands that was met before, each with its first path.
  private(set) var shared: [TensorName: TensorName] = [:]
  private var first: [Pickle.Reference: TensorName] = [:]
  /// Whether any label is that of a module.
  private(set) var hasModules = false
  private var paths: Set<TensorName> = []
  /// The values that contain the one that is being added.
  private var ancestors: Set<Pickle.Reference> = []
  private var room: PyTorchTree.Room
  private var values: PickleValues

  init(_ tree: PyTorchTree) {
    self.tree = tree
    room = tree.room
    values = PickleValues(tree)
  }

  /// Adds the containers that a path leads through.
  mutating func add(containersOf path: String) throws(CheckpointError) {
    var missing: [String] = []
    var path = path
    while !path.isEmpty {
      path = TensorName(path).parentAndLeaf.parent
      if paths.contains(TensorName(path)) { break }
      guard missing.count < Pickle.maxDepth, room.steps.charge(1 + path.utf8.count / 64) else {
        throw PyTorchTree.tooDeep
      }
      missing.append(path)
    }
    for path in missing.reversed() {
      try add(ModuleLabel(path: path, kind: "Module", arguments: ""))
    }
  }

  private mutating func add(_ label: ModuleLabel) throws(CheckpointError) {
    let memory = 160 + label.path.utf8.count + label.arguments.utf8.count
    guard room.memory.charge(memory), labels.count < Budget.current.maxModules else {
      throw PyTorchTree.tooDeep
    }
    paths.insert(TensorName(label.path))
    labels.append(label)
  }

  /// Adds a module and what is inside it, or a container of nothing but modules; false for another
  /// value.
  mutating func add(
    _ reference: Pickle.Reference, at path: String, depth: Int
  ) throws(CheckpointError) -> Bool {
    let steps = 1 + path.utf8.count / 64 + tree.pickle.breadth(reference)
    guard depth <= Pickle.maxDepth, room.steps.charge(steps) else { throw PyTorchTree.tooDeep }
    guard ancestors.insert(reference).inserted else { return true }
    defer { ancestors.remove(reference) }
    func inside(_ name: String) -> String { TensorName.text(of: name, in: path) }
    if let (kind, arguments, children) = tree.label(reference, &values) {
      hasModules = true
      if let other = first[reference] {
        if shared[TensorName(TensorName(path).parentAndLeaf.parent)] == nil {
          shared[TensorName(path)] = other
        }
      } else {
        first[reference] = TensorName(path)
      }
      try add(ModuleLabel(path: path, kind: kind, arguments: arguments))
      guard room.steps.charge(children.count) else { throw PyTorchTree.tooDeep }
      for (name, child) in children {
        if case .none = tree.pickle[child] {
          try add(ModuleLabel(path: inside(name), kind: "None", arguments: ""))
        } else if try !add(child, at: inside(name), depth: depth + 1) {
          try add(ModuleLabel(path: inside(name), kind: "Module", arguments: ""))
        }
      }
      return true
    }
    guard tree.isContainer(reference) else { return false }
    try add(ModuleLabel(path: path, kind: "Module", arguments: ""))
    for (name, child) in tree.children(reference) where tree.holdsTensor(child) {
      guard try add(child, at: inside(name), depth: depth + 1) else { return false }
    }
    return true
  }
}

extension PyTorchTree {
  /// Whether a value is a list, a tuple, or a dictionary, also an ordered one.
  fileprivate func isContainer(_ reference: Pickle.Reference) -> Bool {
    pickle.items(reference) != nil || pickle.elements(reference) != nil
  }
}
