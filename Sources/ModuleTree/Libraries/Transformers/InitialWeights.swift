internal import TensorCore

/// What `_init_weights` does with one module of a model.
///
/// Source: transformers 5.24 `modeling_utils.py`, `PreTrainedModel._init_weights`; the classes that
/// families add are in ``rules`` and ``familyRules``.
struct InitialWeights {
  /// The module, by its path in the model.
  let node: NamedModule
  /// The model whose `_init_weights` is called.
  let root: Module
  /// The family that `_init_weights` is from.
  let family: String
  /// Standard deviation of most weights.
  let deviation: Double

  var module: Module { node.module }

  /// The family's own rule after the base class's, in the order of `super()._init_weights(module)`.
  typealias Rule = @Sendable (InitialWeights) -> [ConstructionStep]

  /// Rules by the class that they are for.
  private static let rules = [text, t5, vision, clip, speech, experts].reduce(into: [:]) {
    all, some in
    all.merge(some) { first, _ in first }
  }

  var steps: [ConstructionStep] {
    if family == "RegNet", isKind("Conv2d", "Linear") { return Self.regNet(self) }
    return base + (Self.familyRules[family]?(self) ?? [])
      + (Self.rules[module.kind]?(self) ?? [])
  }

  /// What the base class does; norms keep the 1 and 0 that they have.
  private var base: [ConstructionStep] {
    let lineage = module.lineage
    for kind in lineage {
      switch kind {
      case "Linear", "Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d":
        return fill("weight", normal) + fill("bias", Constant(0))
      case "Embedding":
        let padding = (module.layer as? Embedding)?.paddingIndex
        return fill("weight", Normal(standardDeviation: deviation, paddingIndex: padding))
      case "LSTM":
        return module.ownParameters.flatMap { parameter in
          parameter.name.contains("weight")
            ? fill(parameter.name, XavierUniform()) : fill(parameter.name, Constant(0))
        }
      case "MultiheadAttention":
        return ["in_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight"].flatMap {
          fill($0, XavierUniform())
        } + fill("in_proj_bias", Constant(0)) + fill("out_proj.bias", Constant(0))
          + fill("bias_k", XavierNormal()) + fill("bias_v", XavierNormal())
      default: continue
      }
    }
    return []
  }

  /// Draws around 0 with the model's standard deviation.
  var normal: Normal { Normal(standardDeviation: deviation) }

  /// Fills a parameter at or below the module, if there is such a one.
  func fill(_ own: String, _ initializer: any Initializer) -> [ConstructionStep] {
    let (path, leaf) = TensorName(own).parentAndLeaf
    guard let owner = module[path] else { return [] }
    if let parameter = owner.ownParameters.first(where: { $0.name.isSameText(leaf) }) {
      return [
        // What is tied afterward is drawn, and then another tensor takes its place.
        parameter.isReplaced
          ? .discard(shape: parameter.shape.sizes, dtype: parameter.dtype, initializer)
          : .fill(node.name(of: own), initializer)
      ]
    }
    // A parametrized tensor is computed from others: what is drawn into it is lost.
    if let parts = owner["parametrizations.\(leaf)"]?.ownParameters, let last = parts.last {
      return [.discard(shape: last.shape.sizes, dtype: last.dtype, initializer)]
    }
    return []
  }

  /// Sizes of a parameter at or below the module; empty where there is none.
  func sizes(_ own: String) -> [Int] {
    let (path, leaf) = TensorName(own).parentAndLeaf
    return module[path]?.ownParameters.first { $0.name.isSameText(leaf) }?.shape.sizes ?? []
  }

  /// The number of modules of this module's class in the model: as a rule, that of layers.
  var count: Int { root.modules().count { $0.kind == module.kind } }
}
