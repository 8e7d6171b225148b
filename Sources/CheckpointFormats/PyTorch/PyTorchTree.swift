import TensorCore

/// The tensors of a pickle with their names: in state dicts, whole modules, and whatever holds them.
struct PyTorchTree {
  let pickle: Pickle
  let decoder: PyTorchTensorDecoder
  /// Names of parameters and buffers by TorchScript class.
  let stateMembers: [String: [TensorName]]
  /// Constants that the source of TorchScript classes holds, by class and name.
  let scriptConstants: [String: [String: Value]]
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

  init(
    _ decoder: PyTorchTensorDecoder, stateMembers: [String: [TensorName]] = [:],
    scriptConstants: [String: [String: Value]] = [:]
  ) {
    self.decoder = decoder
    self.stateMembers = stateMembers
    self.scriptConstants = scriptConstants
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
    try walk(reference, prefix: prefix).leaves
  }

  /// What is below a value.
  struct Contents {
    var leaves: [Leaf] = []
    /// Names of what modules hold besides their state.
    var leftOut: [String] = []
    /// Names of values that contain themselves, at the places that lead back to them.
    var cycles: [String] = []
  }

  /// The tensors below a value, and the names of what is not read there.
  func walk(
    _ reference: Pickle.Reference, prefix: String
  ) throws(CheckpointError) -> Contents {
    var walk = Walk(room: room)
    try self.walk(reference, prefix, makers: [], depth: 0, &walk)
    let leftOut = walk.leftOut.filter { !walk.seen.contains($0.value) }.map(\.name)
    return Contents(leaves: walk.leaves, leftOut: leftOut, cycles: walk.cycles)
  }

  /// The work and the memory that a walk may still use.
  struct Room {
    var steps: Budget.Account
    var memory: Budget.Account
  }

  /// Room for one walk through the pickle.
  var room: Room {
    Room(
      steps: Budget.current.account(of: .pickleSteps, size: pickle.values.count),
      memory: Budget.current.account(of: .pickledTensors, size: pickle.end))
  }

  private struct Walk {
    var room: Room
    var leaves: [Leaf] = []
    /// Modules and tensors that were found.
    var seen: Set<Pickle.Reference> = []
    /// Tensors and modules that modules hold as plain attributes or as buffers that are not persistent.
    var leftOut: [PickledModule.Item] = []
    /// Lists, dictionaries, and objects in attributes that were searched for such.
    var searched: Set<Pickle.Reference> = []
    /// The values that lead to the one that is being walked.
    var path: Set<Pickle.Reference> = []
    var cycles: [String] = []
  }

  private func walk(
    _ reference: Pickle.Reference, _ path: String, makers: [Pickle.Reference], depth: Int,
    _ walk: inout Walk
  ) throws(CheckpointError) {
    guard holdsTensor(reference) else { return }
    let isTensor = decoder.isTensor(reference)
    // A value that many hold is walked once for each way to it, so the walk is charged before it is
    // made.
    let steps = 1 + path.utf8.count / 64 + (isTensor ? 0 : pickle.breadth(reference))
    let isNamed = isTensor || walk.path.contains(reference)
    let memory = isNamed ? Self.memoryForEachLeaf + path.utf8.count : 0
    guard depth <= Pickle.maxDepth, walk.room.steps.charge(steps), walk.room.memory.charge(memory)
    else { throw Self.tooDeep }
    if isTensor {
      walk.seen.insert(reference)
      walk.leaves.append(Leaf(name: path, reference: reference, makers: makers))
      return
    }
    guard walk.path.insert(reference).inserted else {
      walk.cycles.append(path)
      return
    }
    defer { walk.path.remove(reference) }
    var makers = makers
    if let object = pickle.object(reference),
      pickle.callee(object).map({ !PyTorchGlobals.isRecognized($0) }) ?? true
    {
      makers.append(reference)
    }
    let module = PickledModule(reference, in: pickle)
    if let module {
      walk.seen.insert(reference)
      try noteLeftOut(of: module, path, &walk)
    }
    let children = module.map(members(of:)) ?? children(reference)
    guard walk.room.steps.charge(children.count) else { throw Self.tooDeep }
    for (name, child) in children {
      try self.walk(
        child, path.isEmpty || name.isEmpty ? path + name : "\(path).\(name)", makers: makers,
        depth: depth + 1, &walk)
    }
  }

  /// Notes what `state_dict()` does not list: tensors that are attributes or buffers that are not
  /// persistent, and tensors and modules inside attributes that are lists, dictionaries, or objects.
  private func noteLeftOut(
    of module: PickledModule, _ path: String, _ walk: inout Walk
  ) throws(CheckpointError) {
    let plain = module.keepsAttributes ? [] : module.attributes
    var pending: [PickledModule.Item] = []
    for (name, value) in module.transientBuffers + plain where holdsTensor(value) {
      pending.append((TensorName.text(of: name, in: path), value))
    }
    pending.reverse()
    while let (name, value) = pending.popLast() {
      let steps = 1 + name.utf8.count / 64 + pickle.breadth(value)
      guard walk.room.steps.charge(steps) else { throw Self.tooDeep }
      if decoder.isTensor(value) || PickledModule(value, in: pickle) != nil {
        guard walk.room.memory.charge(Self.memoryForEachLeaf / 4 + name.utf8.count) else {
          throw Self.tooDeep
        }
        walk.leftOut.append((name, value))
      } else if walk.searched.insert(value).inserted {
        for (key, child) in children(value).reversed() where holdsTensor(child) {
          pending.append((key.isEmpty ? name : "\(name).\(key)", child))
        }
      }
    }
  }

  static let tooDeep = CheckpointError(
    .malformed, "values are nested more than \(Pickle.maxDepth) levels deep, or in too many ways")

  /// The values that a value contains, with their names.
  func children(
    _ reference: Pickle.Reference
  ) -> [(name: String, value: Pickle.Reference)] {
    if let module = PickledModule(reference, in: pickle) { return members(of: module) }
    if let members = scriptMembers(reference) { return members }
    if let content = packedContent(reference) { return content }
    if let items = pickle.items(reference) { return pickle.named(items) }
    if let objects = decoder.objects(reference) { return objects }
    switch pickle[reference] {
    case .tuple, .list:
      return (pickle.elements(reference) ?? []).enumerated().map { (String($0), $1) }
    case .set(let index):
      return pickle.lists[index].enumerated().map { (String($0), $1) }
    case .object(let index):
      let object = pickle.objects[index]
      if let tensor = pickle.paddleArray(object) { return [("", tensor)] }
      var members = object.elements.enumerated().map { (name: String($0), value: $1) }
      members += pickle.named(
        stride(from: 0, to: object.items.count - 1, by: 2).map {
          (object.items[$0], object.items[$0 + 1])
        })
      if let state = object.state {
        // A state is the `__dict__`, or a pair of it and the slots, or a value for `__setstate__`.
        members += pickle.items(state).map(pickle.named) ?? [("state", state)]
      } else {
        members += (pickle.elements(object.arguments) ?? []).enumerated().map { (String($0), $1) }
      }
      return members
    default: return []
    }
  }
}
