import TensorCore

/// What a side file says of single tensors, applied to a tree.
extension SideFile.Tensor {
  /// A module that owns the tensor: as a new one, or in place of one whose initial values are not
  /// known, as of a model that was saved whole.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` `mismatched` when the module has another tensor of this name.
  func put(into module: Module) throws(CheckpointError) -> Module {
    var copy = module
    func isThis(_ name: String) -> Bool { name.isSameText(parameter.name) }
    if let index = copy.ownParameters.firstIndex(where: { isThis($0.name) }) {
      let known = copy.ownParameters[index]
      if !(module.layer is ParameterCollection) {
        try check(known.shape, known.initializer, in: module)
      }
      var new = Parameter(
        parameter.name, shape: parameter.shape.sizes, dtype: parameter.dtype ?? known.dtype,
        parameter.initializer)
      new.identity = known.identity
      copy.ownParameters[index] = new
    } else if let index = copy.ownBuffers.firstIndex(where: { isThis($0.name) }) {
      let known = copy.ownBuffers[index]
      try check(known.shape, known.initializer, in: module)
      copy.ownBuffers[index] = Buffer(
        known.name, shape: known.shape.sizes, dtype: parameter.dtype ?? known.dtype,
        initializer: parameter.initializer, isPersistent: known.isPersistent)
    } else {
      copy.ownParameters.append(parameter)
    }
    return copy
  }

  private func check(
    _ shape: Shape, _ initializer: (any Initializer)?, in module: Module
  ) throws(CheckpointError) {
    guard initializer == nil else {
      throw CheckpointError(
        .mismatched,
        "line \(line): \(module.kind) already has a '\(parameter.name)'")
    }
    guard shape == parameter.shape else {
      throw CheckpointError(
        .mismatched,
        "line \(line): expected shape \(shape) for '\(parameter.name)' of \(module.kind), found "
          + "\(parameter.shape)")
    }
  }
}
