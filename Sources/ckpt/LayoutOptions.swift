import ArgumentParser
import CheckpointKit

/// Options that change between the layouts of Keras and PyTorch.
struct LayoutOptions: ParsableArguments {
  @Flag(
    help: """
      Turn tensors of Keras's layers into those of PyTorch's modules: kernels transposed, gates \
      reordered, kernel → weight, gamma → weight, moving_mean → running_mean and so on. What goes \
      where stands in the article KerasLayouts of the documentation. --match and --rename see the \
      new names.
      """)
  var toTorchLayout = false

  @Flag(
    help: """
      Turn tensors of PyTorch's modules into those of Keras's layers: of the layers in the file of \
      --like, or, without one, of those that the modules' classes tell.
      """)
  var toKerasLayout = false

  func validate() throws {
    if toTorchLayout && toKerasLayout {
      throw ValidationError("--to-torch-layout and --to-keras-layout exclude each other")
    }
  }

  /// Whether a layout is asked for.
  var isAsked: Bool { toTorchLayout || toKerasLayout }

  /// The checkpoint in the layout that is asked for; `like` is the file whose structure is filled.
  func callAsFunction(
    _ checkpoint: Checkpoint, like: String?, note: (String) -> Void
  ) throws -> Checkpoint {
    guard isAsked else { return checkpoint }
    let result =
      toTorchLayout
      ? try KerasLayout.torch(checkpoint)
      : try KerasLayout.keras(
        checkpoint, like: like.map { try CheckpointSource.open($0).checkpoint })
    result.notes.forEach(note)
    return result.checkpoint
  }

  /// The options as they were typed.
  var steps: [String] {
    (toTorchLayout ? ["--to-torch-layout"] : []) + (toKerasLayout ? ["--to-keras-layout"] : [])
  }
}
