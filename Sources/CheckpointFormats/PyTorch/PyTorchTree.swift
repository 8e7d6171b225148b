import TensorCore

/// The tensors of a pickle by their names: state dicts, whole modules and whatever holds them.
struct PyTorchTree {
  let pickle: Pickle
  let decoder: PyTorchTensorDecoder
  /// For classes of TorchScript the names of parameters and buffers.
  private let stateMembers: [String: [TensorName]]
  /// For each value whether a tensor can be reached from it.
  private let holdsTensor: [Bool]

  /// A tensor by name, and what it was reached through.
  struct Leaf {
    let name: String
    let reference: Pickle.Reference
    /// Values that the pickle would have made by calls that are not known.
    let makers: [Pickle.Reference]
  }

  /// Several names may lead to one value, so that a small pickle could name endlessly many.
  private static let stepsForEachValue = 64

  init(_ decoder: PyTorchTensorDecoder, stateMembers: [String: [TensorName]] = [:]) {
    self.decoder = decoder
    self.stateMembers = stateMembers
    pickle = decoder.pickle
    holdsTensor = Self.reach(decoder)
  }

  /// Goes from tensors to all that hold them, which cycles do not hinder.
  private static func reach(_ decoder: PyTorchTensorDecoder) -> [Bool] {
    let pickle = decoder.pickle
    let all = 0..<Pickle.Reference(pickle.values.count)
    var holders = [[Pickle.Reference]](repeating: [], count: pickle.values.count)
    var pending: [Pickle.Reference] = []
    var holds = [Bool](repeating: false, count: pickle.values.count)
    for value in all {
      if decoder.isTensor(value) {
        holds[Int(value)] = true
        pending.append(value)
        continue
      }
      for child in pickle.children(value) { holders[Int(child)].append(value) }
    }
    while let value = pending.popLast() {
      for holder in holders[Int(value)] where !holds[Int(holder)] {
        holds[Int(holder)] = true
        pending.append(holder)
      }
    }
    return holds
  }

  /// Whether a tensor can be reached from a value.
  func holdsTensor(_ reference: Pickle.Reference) -> Bool { holdsTensor[Int(reference)] }

  /// The tensors under a value, each name with `prefix` before it.
  ///
  /// - Throws: ``CheckpointError`` `malformed` when values are nested too deeply or hold each other
  ///   in too many ways.
  func leaves(_ reference: Pickle.Reference, prefix: String) throws(CheckpointError) -> [Leaf] {
    var leaves: [Leaf] = []
    var steps = 1000 + Self.stepsForEachValue * pickle.values.count
    try walk(reference, prefix, makers: [], depth: 0, &steps, into: &leaves)
    return leaves
  }

  private func walk(
    _ reference: Pickle.Reference, _ path: String, makers: [Pickle.Reference], depth: Int,
    _ steps: inout Int, into leaves: inout [Leaf]
  ) throws(CheckpointError) {
    guard holdsTensor(reference) else { return }
    steps -= 1
    guard depth <= Pickle.deepest, steps > 0 else {
      throw CheckpointError(
        .malformed, "values are nested more than \(Pickle.deepest) deep, or in too many ways")
    }
    if decoder.isTensor(reference) {
      leaves.append(Leaf(name: path, reference: reference, makers: makers))
      return
    }
    var makers = makers
    if let object = pickle.object(reference),
      pickle.callee(object).map({ !PyTorchGlobals.isKnown($0) }) ?? true
    {
      makers.append(reference)
    }
    for (name, child) in children(reference) {
      try walk(
        child, path.isEmpty ? name : "\(path).\(name)", makers: makers, depth: depth + 1, &steps,
        into: &leaves)
    }
  }

  /// What a value holds, by name.
  private func children(
    _ reference: Pickle.Reference
  ) -> [(name: String, value: Pickle.Reference)] {
    if let members = moduleMembers(reference) ?? scriptMembers(reference) { return members }
    if let items = pickle.items(reference) { return named(items) }
    switch pickle[reference] {
    case .tuple, .list:
      return (pickle.elements(reference) ?? []).enumerated().map { (String($0), $1) }
    case .set(let place):
      return pickle.lists[place].enumerated().map { (String($0), $1) }
    case .object(let place):
      let object = pickle.objects[place]
      var members = object.elements.enumerated().map { (name: String($0), value: $1) }
      members += named(
        stride(from: 0, to: object.items.count - 1, by: 2).map {
          (object.items[$0], object.items[$0 + 1])
        })
      if let state = object.state {
        // A state is the `__dict__`, or it and the slots, or a value for `__setstate__`.
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

  /// Parameters, buffers that belong to the state, and submodules of a pickled `nn.Module`.
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

  /// Parameters, buffers and submodules of a module of TorchScript.
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

  /// The elements of a set, in either of the ways in which protocols write it.
  private func elements(_ reference: Pickle.Reference) -> [Pickle.Reference] {
    switch pickle[reference] {
    case .set(let place): pickle.lists[place]
    case .object(let place):
      (pickle.elements(pickle.objects[place].arguments)?.first).flatMap(pickle.elements) ?? []
    default: []
    }
  }
}
