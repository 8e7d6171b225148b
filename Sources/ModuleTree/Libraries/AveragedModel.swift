import TensorCore

/// `torch.optim.swa_utils.AveragedModel`, which counts its updates in a buffer.
///
/// The copy that it averages is a deep copy, so only the model's own draws are made.
/// Source: PyTorch 2.15 `torch/optim/swa_utils.py`.
extension LibraryClass {
  static let averaged: LibraryClass = {
    var found = LibraryClass("AveragedModel", "module")
    found.isMeant = { $0.ownChildren.count == 1 && $0.arguments.isEmpty }
    found.hidden = { _ in
      Hidden(buffers: [Buffer("n_averaged", shape: [], dtype: .int64, value: 0)])
    }
    return found
  }()
}
