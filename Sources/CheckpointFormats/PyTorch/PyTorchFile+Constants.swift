import TensorCore

/// Tensors that are constants of TorchScript code.
extension PyTorchFile {
  /// One sentence about constants that are not read; none if there are none.
  var constantsNote: [String] {
    if constantCount == 0 { return [] }
    return [
      constantCount == 1
        ? "1 tensor is a constant of its code and is left out"
        : "\(constantCount) tensors are constants of its code and are left out"
    ]
  }

  /// A module that `torch.jit.freeze` has made, whose parameters are constants of its code, under the
  /// names that they have there, `CONSTANTS.c0`; `nil` for another file.
  ///
  /// Source: torch 2.15 `csrc/jit/serialization/export_module.cpp`: the tuple `constants.pkl`.
  func frozen() throws(CheckpointError) -> Opened? {
    guard constantCount > 0, case .archive(let archive, let folder) = container else { return nil }
    let file = try PyTorchArchive.file(
      archive, folder: folder, pickleName: "constants.pkl", storages: PyTorchArchive.constants)
    guard let constants = file.pickle.elements(file.pickle.root) else { return nil }
    let decoder = PyTorchTensorDecoder(pickle: file.pickle)
    let tree = PyTorchTree(decoder)
    var entries = PyTorchEntryList(file: file, decoder: decoder)
    for (index, constant) in constants.enumerated() {
      for leaf in try tree.leaves(constant, prefix: "CONSTANTS.c\(index)") { try entries.add(leaf) }
    }
    let others = constants.count { !tree.holdsTensor($0) }
    var opened = Opened(Checkpoint(entries: entries.entries, metadata: metadata))
    opened.checkpoint.leftOut = entries.leftOut
    opened.coverage = coverage
    opened.notes =
      notes + entries.notes + [
        "the module is frozen (torch.jit.freeze): its weights are constants of its code, named as there"
      ]
    if others > 0 {
      opened.notes.append(
        "\(others) constant\(others == 1 ? " is" : "s are") not of tensors; left out")
    }
    return opened
  }
}
