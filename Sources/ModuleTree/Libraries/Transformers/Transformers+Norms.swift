internal import TensorCore

/// Scales and norms whose own text has no size, and what they are sized by.
///
/// Source: transformers 5.24 `models/`, the constructors of these classes.
extension LibraryClass {
  /// Scales of layers.
  static let scales: [LibraryClass] = [
    layerScale("ConvNextLayer", "dwconv pwconv1", ["layer_scale_parameter"], 1e-6, like: "dwconv"),
    layerScale(
      "PoolFormerLayer", "pooling", ["layer_scale_1", "layer_scale_2"], 1e-5, like: "before_norm"),
    layerScale(
      "BeitLayer", "attention layernorm_before", ["lambda_1", "lambda_2"], 0.1,
      like: "layernorm_before"),
    layerScale(
      "Data2VecVisionLayer", "attention layernorm_before", ["lambda_1", "lambda_2"], 0.1,
      like: "layernorm_before"),
    inside("ConvNextV2Layer", "grn pwconv1") { module in
      let width = module.child("pwconv1")?.weightSizes.first ?? 0
      return [
        "grn": Hidden(parameters: [
          .zeros("weight", 1, 1, 1, width), .zeros("bias", 1, 1, 1, width),
        ])
      ]
    }.covering("ConvNextV2GRN"),
    dinov2("Dinov2Layer"), dinov2("Dinov2WithRegistersLayer"), windows,
  ]

  /// swin: biases of relative positions in windows, none of which is printed.
  private static var windows: LibraryClass {
    var found = inside("SwinAttention", "q_proj relative_position_bias") { module in
      let width = module.child("q_proj")?.weightSizes.first ?? 0
      guard width > 0, width % 32 == 0 else { return [:] }
      return [
        "relative_position_bias": Hidden(parameters: [
          .zeros("relative_position_bias_table", 13 * 13, width / 32)
        ])
      ]
    }
    found.assumption =
      "windows of 7 x 7 and heads of 32 channels are assumed, as swin-tiny has them"
    return found
  }

  private static func layerScale(
    _ kind: String, _ children: String, _ names: [String], _ value: Double, like child: String
  ) -> LibraryClass {
    var found = LibraryClass(kind, children)
    found.hidden = { module in
      let width = module.child(child)?.weightSizes.first ?? 0
      return Hidden(
        parameters: names.map {
          Parameter($0, shape: [width], initializer: Constant(value))
        })
    }
    found.assumption = "\(names[0]) is taken to be \(value), the default"
    return found
  }

  private static func dinov2(_ kind: String) -> LibraryClass {
    inside(kind, "norm1 attention layer_scale1 norm2 layer_scale2") { module in
      let width = module.child("norm1")?.weightSizes.first ?? 0
      let scale = Hidden(parameters: [
        Parameter("lambda1", shape: [width], initializer: Constant(1))
      ])
      return ["layer_scale1": scale, "layer_scale2": scale]
    }.covering("\(kind.dropLast("Layer".utf8.count))LayerScale")
  }

  /// A class with modules inside that have tensors.
  private static func inside(
    _ kind: String, _ children: String,
    _ tensors: @escaping @Sendable (Module) -> [String: Hidden]
  ) -> LibraryClass {
    var found = LibraryClass(kind, children)
    found.hidden = { Hidden(inside: tensors($0)) }
    return found
  }

  /// The class, which also tells what classes inside own.
  private func covering(_ kinds: String...) -> LibraryClass {
    var found = self
    found.covers.formUnion(kinds)
    return found
  }

  /// A class with norms inside that print nothing, of the width of the last size of a weight.
  private static func normed(
    _ kind: String, _ norm: String, like weight: String, hasBias: Bool = false
  ) -> LibraryClass {
    inside(kind, norm) { $0.scale(of: norm, like: weight, hasBias: hasBias) }
  }

  static let norms: [LibraryClass] =
    ["T5", "MT5", "UMT5", "LongT5", "SwitchTransformers", "Udop"].flatMap { family in
      [
        normed(family + "LayerSelfAttention", "layer_norm", like: "SelfAttention.q.weight")
          .covering(family + "LayerNorm"),
        normed(family + "LayerCrossAttention", "layer_norm", like: "EncDecAttention.q.weight")
          .covering(family + "LayerNorm"),
        feedForward(family).covering(family + "LayerNorm"),
      ]
    } + [
      normed("CohereDecoderLayer", "input_layernorm", like: "mlp.up_proj.weight")
        .covering("CohereLayerNorm"),
      normed("Cohere2DecoderLayer", "input_layernorm", like: "mlp.up_proj.weight")
        .covering("Cohere2LayerNorm"),
      normed("DebertaEmbeddings", "LayerNorm", like: "word_embeddings.weight", hasBias: true)
        .covering("DebertaLayerNorm"),
      wide("DebertaSelfOutput", "dense", "LayerNorm"), wide("DebertaOutput", "dense", "LayerNorm"),
      wide("DebertaPredictionHeadTransform", "dense", "LayerNorm"),
      wide("DebertaLMPredictionHead", "dense", "LayerNorm"),
      disentangled,
      // deberta-v2: a class of the same name owns nothing.
      LibraryClass("DisentangledSelfAttention", "query_proj key_proj value_proj"),
    ]
    + LibraryNames.zeroCentered.sorted().map { kind in
      var found = LibraryClass(kind)
      found.hidden = { module in
        let first = module.arguments.drop { !$0.isASCII || !$0.isNumber }.prefix { $0.isNumber }
        guard let width = Int(first) else { return Hidden() }
        return Hidden(parameters: [.zeros("weight", width)])
      }
      return found
    }

  private static func feedForward(_ family: String) -> LibraryClass {
    inside(family + "LayerFF", "DenseReluDense layer_norm") { module in
      let gate = module["DenseReluDense.wi"] == nil ? "wi_0" : "wi"
      return module.scale(of: "layer_norm", like: "DenseReluDense.\(gate).weight")
    }
  }

  /// A class with a norm that prints nothing, of as many channels as a layer has outputs.
  private static func wide(_ kind: String, _ layer: String, _ norm: String) -> LibraryClass {
    inside(kind, "\(layer) \(norm)") { module in
      let width = module.child(layer)?.weightSizes.first ?? 0
      let scale = Parameter("weight", shape: [width], initializer: Constant(1))
      return [norm: Hidden(parameters: [scale, .zeros("bias", width)])]
    }.covering("DebertaLayerNorm")
  }

  private static var disentangled: LibraryClass {
    var found = LibraryClass("DisentangledSelfAttention", "in_proj")
    found.hidden = { module in
      let width = (module.child("in_proj")?.weightSizes.first ?? 0) / 3
      return Hidden(parameters: [.zeros("q_bias", width), .zeros("v_bias", width)])
    }
    return found
  }

  /// Convolutions under weight_norm, whose dimension is not printed.
  static let sound: [LibraryClass] = ["Wav2Vec2", "UniSpeech", "Hubert", "WavLM"].map { family in
    var found = LibraryClass("\(family)PositionalConvEmbedding", "conv")
    found.completing = { module in
      var copy = module
      guard let conv = module.child("conv"), conv["parametrizations.weight"] != nil,
        let hooked = try? conv.hooked("weight", .weightNorm, along: 2)
      else { return module }
      copy["conv"] = hooked
      return copy
    }
    return found
  }
}

extension Module {
  /// The scale of a norm inside, as long as a weight's last size.
  func scale(
    of norm: String, like weight: String, hasBias: Bool = false
  ) -> [String: LibraryClass.Hidden] {
    let (path, leaf) = TensorName(weight).parentAndLeaf
    let sizes = self[path]?.ownParameters.first { $0.name.isSameText(leaf) }?.shape.sizes
    guard let width = sizes?.last else { return [:] }
    let scale = Parameter("weight", shape: [width], initializer: Constant(1))
    return [
      norm: LibraryClass.Hidden(parameters: hasBias ? [scale, .zeros("bias", width)] : [scale])
    ]
  }
}
