import ArgumentParser
import CheckpointKit

/// Options that change between the layouts of Keras and PyTorch.
struct LayoutOptions: ParsableArguments {
  @Flag(
    help: """
      Convert tensors of Keras layers for PyTorch modules: kernels transposed, gates \
      reordered, kernel → weight, gamma → weight, moving_mean → running_mean and so on. See \
      the KerasLayouts article for the mapping. --match and --rename see the new names.
      """)
  var toTorchLayout = false

  @Flag(
    help: """
      Convert tensors of PyTorch modules for Keras layers: the layers of the --like file, or \
      by default those that match the modules' classes.
      """)
  var toKerasLayout = false

  func validate() throws {
    if toTorchLayout && toKerasLayout {
      throw ValidationError("--to-torch-layout and --to-keras-layout exclude each other")
    }
  }

  /// Whether a layout is asked for.
  var isAsked: Bool { toTorchLayout || toKerasLayout }

  /// The checkpoint in the layout that is asked for; `like` is that of the file of which a copy is
  /// filled.
  func apply(
    to checkpoint: Checkpoint, like: Checkpoint?, note: (String) -> Void
  ) throws -> Checkpoint {
    guard isAsked else { return checkpoint }
    let result =
      toTorchLayout
      ? try KerasLayout.toTorch(checkpoint)
      : try KerasLayout.toKeras(checkpoint, like: like)
    result.notes.forEach(note)
    return result.checkpoint
  }

  /// The options as they were typed, for the provenance.
  var options: [String] {
    (toTorchLayout ? ["--to-torch-layout"] : []) + (toKerasLayout ? ["--to-keras-layout"] : [])
  }
}
