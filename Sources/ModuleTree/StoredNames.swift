package import TensorCore

/// Names of a tree's tensors in the file that it was read from, where they differ from those in the
/// tree: Keras's files number variables and name layers by their classes.
struct StoredNames {
  /// The name in the tree, by the one in the file; of a shared tensor, the first.
  private(set) var places: [TensorName: TensorName] = [:]
  private var names: [TensorName: TensorName] = [:]

  init(_ modules: [NamedModule]) {
    for node in modules {
      for (own, stored) in node.module.storedNames {
        let name = TensorName(node.name(of: own))
        names[name] = stored
        if places[stored] == nil { places[stored] = name }
      }
    }
  }

  /// The name in the file of a tensor of the tree; `nil` if it is the same.
  func name(of tensor: String) -> TensorName? {
    names.isEmpty ? nil : names[TensorName(tensor)]
  }
}

extension Module {
  fileprivate var storedNames: [(own: String, stored: TensorName)] {
    ownParameters.compactMap { parameter in parameter.storedName.map { (parameter.name, $0) } }
      + ownBuffers.compactMap { buffer in buffer.storedName.map { (buffer.name, $0) } }
  }

  /// The same tree, in which tensors have these names in the file.
  package func storing(_ names: [TensorName: TensorName]) -> Module {
    if names.isEmpty { return self }
    return changingModules { module, path in
      func stored(_ own: String) -> TensorName? {
        names[TensorName(TensorName.text(of: own, in: path))]
      }
      for index in module.ownParameters.indices {
        module.ownParameters[index].storedName = stored(module.ownParameters[index].name)
      }
      for index in module.ownBuffers.indices {
        module.ownBuffers[index].storedName = stored(module.ownBuffers[index].name)
      }
    }
  }
}
