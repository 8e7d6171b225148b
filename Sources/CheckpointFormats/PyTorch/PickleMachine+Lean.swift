import TensorCore

/// Searching a pickle for names and calls only, in little memory however long it is.
extension PickleMachine {
  /// How much there was of everything when a mark was set.
  struct Place {
    let values: Int
    let tuples: Int
    let lists: Int
    let objects: Int
    let globals: Int
    let changes: Int
    let kept: Int
    let distant: Int
    let charged: Int
    let memory: Budget.Account
  }

  var place: Place {
    Place(
      values: values.count, tuples: tuples.count, lists: lists.count, objects: objects.count,
      globals: names.globals.count, changes: memo.changes, kept: input.kept.count,
      distant: input.distant.count, charged: chargedBytes, memory: memory)
  }

  /// Pops the values after the last mark, and gives up all that were made since if nothing refers to
  /// them, neither the memo nor a call, and none may be a pickle itself.
  mutating func dropToMark() throws(CheckpointError) {
    let start = stack.place
    _ = try stack.popToMark()
    guard let start, memo.changes == start.changes, objects.count == start.objects,
      names.globals.count == start.globals, !hasBytes(since: start)
    else { return }
    values.removeLast(values.count - start.values)
    tuples.removeLast(tuples.count - start.tuples)
    lists.removeLast(lists.count - start.lists)
    input.forget(after: start.kept, start.distant)
    (memory, chargedBytes) = (start.memory, start.charged)
  }

  private func hasBytes(since place: Place) -> Bool {
    values[place.values...].contains { value in
      switch value {
      case .bytes(let range): range.count > 4
      case .distant(let index): !input.distant[index].isText
      default: false
      }
    }
  }

  /// Gives up the last value that was made if it is a number and the last one that was popped.
  mutating func forget(_ popped: [Reference]) {
    guard let last = popped.last, Int(last) == values.count - 1, Int(last) >= Self.sharedCount
    else { return }
    switch values[Int(last)] {
    case .int, .float:
      values.removeLast()
      memory.refund(MemoryLayout<Pickle.Value>.stride)
    default: break
    }
  }
}
