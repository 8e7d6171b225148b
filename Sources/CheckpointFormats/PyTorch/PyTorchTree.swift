import TensorCore

/// The tensors of a pickle with their names: in state dicts, whole modules, and whatever holds them.
struct PyTorchTree {
  let pickle: Pickle
  let decoder: PyTorchTensorDecoder
  /// Names of parameters and buffers by TorchScript class.
  private let stateMembers: [String: [TensorName]]
  /// Whether each value leads to a tensor.
  private let holdsTensor: [Bool]

  /// A tensor, its name, and the unrecognized calls on the way to it.
  struct Leaf {
    let name: String
    let reference: Pickle.Reference
    /// Values that the pickle would make by unrecognized calls.
    let makers: [Pickle.Reference]
  }

  /// Bytes of memory for a tensor, beside its name.
  private static let memoryForEachLeaf = 400

  init(_ decoder: PyTorchTensorDecoder, stateMembers: [String: [TensorName]] = [:]) {
    self.decoder = decoder
    self.stateMembers = stateMembers
    pickle = decoder.pickle
    holdsTensor = Self.reach(decoder)
  }

  /// Walks from tensors to all values that contain them, which also works for cycles.
  private static func reach(_ decoder: PyTorchTensorDecoder) -> [Bool] {
    let pickle = decoder.pickle
    let all = 0..<Pickle.Reference(pickle.values.count)
    var holds = [Bool](repeating: false, count: pickle.values.count)
    var pending = all.filter { decoder.isTensor($0) }
    if pending.isEmpty { return holds }
    for tensor in pending { holds[Int(tensor)] = true }
    // The holders of each value, one value's after another's; `ends` are the ends of their ranges.
    // Holders are counted, then placed: two flat arrays instead of an array for each value.
    var ends = [Int32](repeating: 0, count: pickle.values.count + 1)
    func forEachHold(_ body: (_ holder: Pickle.Reference, _ child: Int) -> Void) {
      for holder in all where !holds[Int(holder)] && !decoder.isRandomState(holder) {
        pickle.forEachChild(of: holder) { body(holder, Int($0)) }
      }
    }
    forEachHold { _, child in ends[child + 1] += 1 }
    for index in 1..<ends.count { ends[index] += ends[index - 1] }
    var holders = [Pickle.Reference](repeating: 0, count: Int(ends[ends.count - 1]))
    var filled = ends
    forEachHold { holder, child in
      holders[Int(filled[child])] = holder
      filled[child] += 1
    }
    while let value = pending.popLast() {
      let range = Int(ends[Int(value)])..<Int(ends[Int(value) + 1])
      for holder in holders[range] where !holds[Int(holder)] {
        holds[Int(holder)] = true
        pending.append(holder)
      }
    }
    return holds
  }

  /// Whether a value leads to a tensor.
  func holdsTensor(_ reference: Pickle.Reference) -> Bool { holdsTensor[Int(reference)] }

  /// The tensors below a value; `prefix` is put before their names.
  ///
  /// - Throws: ``CheckpointError`` `malformed` when values are nested too deeply, or contain each
  ///   other in too many ways.
  func leaves(_ reference: Pickle.Reference, prefix: String) throws(CheckpointError) -> [Leaf] {
    var room = Room(
      steps: Budget.current.account(of: .pickleSteps, size: pickle.values.count),
      memory: Budget.current.account(of: .pickledTensors, size: pickle.end))
    var leaves: [Leaf] = []
    try walk(reference, prefix, makers: [], depth: 0, &room, into: &leaves)
    return leaves
  }

  /// The work and the memory that a walk may still use.
  private struct Room {
    var steps: Budget.Account
    var memory: Budget.Account
  }

  private func walk(
    _ reference: Pickle.Reference, _ path: String, makers: [Pickle.Reference], depth: Int,
    _ room: inout Room, into leaves: inout [Leaf]
  ) throws(CheckpointError) {
    guard holdsTensor(reference) else { return }
    let isTensor = decoder.isTensor(reference)
    // A value that many hold is walked once for each way to it, so the walk is charged before it is
    // made.
    let steps = 1 + path.utf8.count / 64 + (isTensor ? 0 : pickle.breadth(reference))
    let memory = isTensor ? Self.memoryForEachLeaf + path.utf8.count : 0
    guard depth <= Pickle.maxDepth, room.steps.charge(steps), room.memory.charge(memory) else {
      throw Self.tooDeep
    }
    if isTensor {
      leaves.append(Leaf(name: path, reference: reference, makers: makers))
      return
    }
    var makers = makers
    if let object = pickle.object(reference),
      pickle.callee(object).map({ !PyTorchGlobals.isRecognized($0) }) ?? true
    {
      makers.append(reference)
    }
    let children = children(reference)
    guard room.steps.charge(children.count) else { throw Self.tooDeep }
    for (name, child) in children {
      try walk(
        child, path.isEmpty || name.isEmpty ? path + name : "\(path).\(name)", makers: makers,
        depth: depth + 1, &room,
        into: &leaves)
    }
  }

  private static let tooDeep = CheckpointError(
    .malformed, "values are nested more than \(Pickle.maxDepth) levels deep, or in too many ways")

  /// The values that a value contains, with their names.
  private func children(
    _ reference: Pickle.Reference
  ) -> [(name: String, value: Pickle.Reference)] {
    if let members = moduleMembers(reference) ?? scriptMembers(reference) { return members }
    if let items = pickle.items(reference) { return named(items) }
    if let objects = decoder.objects(reference) { return objects }
    switch pickle[reference] {
    case .tuple, .list:
      return (pickle.elements(reference) ?? []).enumerated().map { (String($0), $1) }
    case .set(let index):
      return pickle.lists[index].enumerated().map { (String($0), $1) }
    case .object(let index):
      let object = pickle.objects[index]
      var members = object.elements.enumerated().map { (name: String($0), value: $1) }
      members += named(
        stride(from: 0, to: object.items.count - 1, by: 2).map {
          (object.items[$0], object.items[$0 + 1])
        })
      if let state = object.state {
        // A state is the `__dict__`, or a pair of it and the slots, or a value for `__setstate__`.
        members += pickle.items(state).map(named) ?? [("state", state)]
      } else {
        members += (pickle.elements(object.arguments) ?? []).enumerated().map { (String($0), $1) }
      }
      return members
    default: return []
    }
  }

  private func named(
    _ items: [(key: Pickle.Reference, value: Pickle.Reference)]
  ) -> [(name: String, value: Pickle.Reference)] {
    items.enumerated().map { (pickle.keyText($1.key) ?? String($0), $1.value) }
  }

  // MARK: - Modules

  /// Whether a value is a module, pickled or of TorchScript.
  func isModule(_ reference: Pickle.Reference) -> Bool {
    moduleMembers(reference) != nil || scriptMembers(reference) != nil
  }

  /// Parameters, persistent buffers, and submodules of a pickled `nn.Module`.
  private func moduleMembers(
    _ reference: Pickle.Reference
  ) -> [(name: String, value: Pickle.Reference)]? {
    guard let state = pickle.object(reference)?.state,
      let parameters = pickle.item(state, "_parameters").flatMap(pickle.items),
      let modules = pickle.item(state, "_modules").flatMap(pickle.items)
    else { return nil }
    let buffers = pickle.item(state, "_buffers").flatMap(pickle.items) ?? []
    let passing = Set(
      (pickle.item(state, "_non_persistent_buffers_set").map(elements) ?? []).compactMap {
        pickle.text($0).map { TensorName($0) }
      })
    return named(parameters)
      + named(buffers).filter { !passing.contains(TensorName($0.name)) } + named(modules)
  }

  /// Parameters, buffers, and submodules of a TorchScript module.
  private func scriptMembers(
    _ reference: Pickle.Reference
  ) -> [(name: String, value: Pickle.Reference)]? {
    guard let object = pickle.object(reference), let names = stateMembers(of: object),
      let state = object.state.flatMap(pickle.items)
    else { return nil }
    let attributes = named(state)
    let own = names.compactMap { name in attributes.first { TensorName($0.name) == name } }
    let modules = attributes.filter { attribute in
      pickle.object(attribute.value).flatMap(stateMembers(of:)) != nil
    }
    return own + modules
  }

  private func stateMembers(of object: Pickle.Object) -> [TensorName]? {
    pickle.callee(object).flatMap { stateMembers[$0.fullName] }
  }

  /// The elements of a set, as protocol 4 writes it or as older ones do.
  private func elements(_ reference: Pickle.Reference) -> [Pickle.Reference] {
    switch pickle[reference] {
    case .set(let index): pickle.lists[index]
    case .object(let index):
      (pickle.elements(pickle.objects[index].arguments)?.first).flatMap(pickle.elements) ?? []
    default: []
    }
  }
}
