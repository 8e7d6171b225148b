import ModuleTree
public import TensorCore

/// What an inferred tree leaves open, for a search that tries the choices.
public struct OpenChoices: Sendable {
  /// A model for each choice of classes, the likeliest first, without the tensors of no known class.
  public let models: [Model]
  /// Names of the tensors whose initial values the tree does not tell.
  public let undetermined: Set<TensorName>
  /// Those of ``undetermined`` for which the generator may be drawn from.
  private let drawn: Set<TensorName>
  /// All tensors, in the order of construction.
  private let order: [TensorName]

  /// Most choices that are tried.
  static let maxModels = 16

  init(_ inferred: InferredModel, tree: Module, ties: [TensorName: TensorName]) {
    let alternatives = inferred.alternatives(limit: Self.maxModels).map { $0.tying(ties) }
    models = alternatives.map(Model.init)
    let tensors = tree.stateDict()
    order = tensors.map(\.name)
    undetermined = Set(tensors.filter { $0.initializer == nil }.map(\.name))
    var constant = undetermined
    for tree in alternatives {
      let fills = Dictionary(keepingFirst: tree.stateDict().map { ($0.name, $0) })
      constant = constant.filter { name in
        guard let tensor = fills[name], let initializer = tensor.initializer,
          let info = try? TensorInfo(dtype: .float32, shape: tensor.shape)
        else { return false }
        return (try? initializer.fill(for: info).isDeterministic) ?? false
      }
    }
    drawn = undetermined.subtracting(constant)
  }

  /// The tensors that remain undetermined once those of `identical` have been recognized: the
  /// other undetermined ones, and all that may have been drawn after one of them.
  public func inDoubt(identical: Set<TensorName>) -> Set<TensorName> {
    let rest = order.drop { !drawn.contains($0) || identical.contains($0) }
    return undetermined.union(rest).subtracting(identical)
  }
}
