import TensorCore

/// Names of tensors, of which no two may be equal.
extension Set<TensorName> {
  /// Adds the name of another tensor.
  ///
  /// - Throws: ``CheckpointError`` `malformed` if a tensor has it already.
  mutating func add(tensor name: TensorName) throws(CheckpointError) {
    guard insert(name).inserted else {
      throw CheckpointError(.malformed, "two tensors have this name", tensor: name.text)
    }
  }
}

extension Checkpoint {
  /// Refuses two tensors of one name.
  func checkNames() throws(CheckpointError) {
    var names: Set<TensorName> = []
    for entry in entries { try names.add(tensor: entry.name) }
  }
}
