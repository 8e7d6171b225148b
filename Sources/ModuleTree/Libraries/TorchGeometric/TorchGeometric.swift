internal import TensorCore

/// Convolutions of torch_geometric 2.8 that own tensors which printed text does not show, and whose
/// constructor calls `reset_parameters` of the network that it is given.
///
/// Source: torch_geometric 2.8 `nn/conv/gin_conv.py`.
extension LibraryClass {
  static let torchGeometric: [LibraryClass] = ["GINConv", "GINEConv"].map { kind in
    var found = LibraryClass(kind)
    // A parameter with `train_eps=True`; its name, shape, and value are the same.
    found.hidden = { _ in Hidden(buffers: [Buffer("eps", shape: [1], value: 0)]) }
    found.construction = { module in
      let inner = module.ownChildren.filter { $0.module != nil }.map {
        ConstructionStep.child($0.name)
      }
      return [.ownParameters] + inner + inner
    }
    found.assumption = "eps is taken to be 0, the default"
    return found
  }
}
