public import ModuleTree
public import TensorCore
public import TorchRandom

/// Everything needed to reproduce a checkpoint's values: a model, a seed, and what was done after.
///
/// A recipe is stored as JSON in a checkpoint's metadata under `Checkpoint.recipeKey` (see
/// `Recipe+JSON.swift`) and written by people as a text file with one `key: value` per line (see
/// ``init(text:loadModel:)``). Both are parsed once, here it is typed values.
public struct Recipe: Sendable {
  /// Something done to the values after the model was built and the rules were applied.
  public enum Step: Sendable {
    /// Some tensors were redrawn with a fresh generator.
    case reinitialize(Reinitialization)
    /// Some tensors were copied from the checkpoint with this fingerprint; only the selectors of
    /// the reinitialization matter.
    case copy(Reinitialization, from: String)
  }

  /// The model that is constructed.
  public var model: Model?
  /// Argument of `torch.manual_seed`; `nil` when the values came from elsewhere, so that only the
  /// tensors of ``steps`` can be reproduced.
  public var seed: Seed? = Seed(0)
  /// Rules applied after construction, continuing with the same generator.
  public var rules: [Rule] = []
  /// Order in which the rules walk the tree.
  public var order = Rule.Order.modules
  /// PyTorch's default dtype during construction.
  public var dtype = DType.float32
  /// PyTorch's CPU path whose values these are.
  public var cpuPath = CPUPath.avx2
  /// Later steps, oldest first.
  public var steps: [Step] = []

  /// An empty recipe: no model, seed 0.
  public init() {}

  /// The recipe of a checkpoint whose values came from elsewhere, before its first redraw.
  init(valuesFromElsewhereFor tree: Checkpoint.Tree) throws {
    // A guess is not written down: it is made again from the same names and shapes.
    model = try tree.isInferred ? nil : tree.model()
    seed = nil
  }

  /// Finds a dtype that layers can be built in.
  package static func floatingPoint(named text: String) throws -> DType {
    guard let dtype = DType(spelled: text), dtype.isFloatingPoint else {
      throw CheckpointError(
        .unsupported,
        "unknown dtype '\(text)': expected \(DType.floatingPoint.alternatives)")
    }
    return dtype
  }
}

extension Checkpoint {
  /// The recipe stored in the checkpoint's metadata; `nil` if there is none.
  ///
  /// - Throws: `CheckpointError` naming the first key whose value is unknown.
  public func recipe() throws -> Recipe? {
    try metadata[Self.recipeKey].map { try Recipe(json: $0) }
  }
}
