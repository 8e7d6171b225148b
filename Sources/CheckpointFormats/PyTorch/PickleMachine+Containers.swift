import TensorCore

/// Lists, dictionaries, names, and calls, which are recorded and not made.
extension PickleMachine {
  mutating func append(_ new: [Reference]) throws(CheckpointError) {
    if isLean { return forget(new) }
    switch values[Int(try stack.top())] {
    case .list(let index), .set(let index):
      try charge(new, after: lists[index].count)
      lists[index] += new
    case .object(let index):
      try charge(new, after: objects[index].elements.count)
      objects[index].elements += new
    default:
      throw CheckpointError(
        .malformed, "cannot add elements to a value that is neither a list nor a set")
    }
  }

  mutating func setItems(_ pairs: [Reference]) throws(CheckpointError) {
    if isLean { return forget(pairs) }
    switch values[Int(try stack.top())] {
    case .dictionary(let index):
      try charge(pairs, after: lists[index].count)
      lists[index] += pairs
    case .object(let index):
      try charge(pairs, after: objects[index].items.count)
      objects[index].items += pairs
    default:
      throw CheckpointError(.malformed, "cannot set items of a value that is not a dictionary")
    }
  }

  mutating func global(
    _ module: String, _ name: String
  ) throws(CheckpointError) -> Pickle.Value {
    .global(try names.index(of: module, name, at: opcode))
  }

  mutating func call(
    _ callee: Reference, _ arguments: Reference
  ) throws(CheckpointError) {
    guard case .tuple = values[Int(arguments)] else {
      throw CheckpointError(.malformed, "expected a tuple as the arguments of a call")
    }
    try charge(MemoryLayout<Pickle.Object>.stride)
    objects.append(Pickle.Object(callee: callee, arguments: arguments, offset: opcode))
    try push(.object(objects.count - 1))
  }

  mutating func build(_ state: Reference) throws(CheckpointError) {
    guard case .object(let index) = values[Int(try stack.top())] else {
      throw CheckpointError(.malformed, "cannot set the state of a value that is not an object")
    }
    // Only objects have a state. Python would let a pickle replace the attributes of other values.
    objects[index].state = state
    if readsArrays, let array = joblibArray(objects[index]) { try pass(array, of: index) }
  }
}
