internal import TensorCore

/// What families of models of images and sound do to modules, after what the base class does.
///
/// Source: transformers 5.24, `_init_weights` of each family's `PreTrainedModel`.
extension InitialWeights {
  static let vision: [String: Rule] = [
    "ViTEmbeddings": { $0.tokens("position_embeddings", "cls_token") },
    "Dinov2Embeddings": { $0.tokens("position_embeddings", "cls_token") },
    "BlipVisionEmbeddings": { $0.tokens("position_embedding", "class_embedding") },
    "DeiTEmbeddings": {
      $0.tokens("position_embeddings", "cls_token")
        + $0.fill("cls_token", Constant(0)) + $0.fill("position_embeddings", Constant(0))
    },
    "SiglipVisionEmbeddings": { weights in
      let width = Double(weights.sizes("position_embedding.weight").last ?? 1)
      return weights.fill(
        "position_embedding.weight", Normal(standardDeviation: 1 / width.squareRoot()))
    },
    "SiglipAttention": { weights in
      let names = ["q_proj", "k_proj", "v_proj", "out_proj"]
      return names.flatMap { weights.fill("\($0).weight", XavierUniform()) }
        + names.flatMap { weights.fill("\($0).bias", Constant(0)) }
    },
    "SiglipMLP": { weights in
      let small = Normal(standardDeviation: 1e-6)
      return ["fc1", "fc2"].flatMap { weights.fill("\($0).weight", XavierUniform()) }
        + ["fc1", "fc2"].flatMap { weights.fill("\($0).bias", small) }
    },
    "SiglipMultiheadAttentionPoolingHead": {
      $0.fill("probe", XavierUniform()) + $0.fill("attention.in_proj_weight", XavierUniform())
        + $0.fill("attention.in_proj_bias", Constant(0))
    },
    "SiglipModel": {
      $0.fill("logit_scale", Constant(0)) + $0.fill("logit_bias", Constant(0))
    },
    "WhisperEncoder": { $0.fill("embed_positions.weight", SinusoidalPositions(way: .whisper)) },
    "SiglipForImageClassification": { $0.projected("classifier") },
  ]

  /// What a family does to every module of PyTorch's classes.
  static let familyRules: [String: Rule] = [
    "ResNet": residual,
    "MobileViT": { $0.normNormal }, "MobileViTV2": { $0.normNormal },
    "Dinov2": { weights in
      let cut = TruncatedNormal(standardDeviation: weights.deviation)
      return weights.isKind("Linear", "Conv2d")
        ? weights.fill("weight", cut) + weights.fill("bias", Constant(0)) : []
    },
    "PvtV2": { weights in
      if weights.isKind("Linear") {
        let cut = TruncatedNormal(standardDeviation: weights.deviation)
        return weights.fill("weight", cut) + weights.fill("bias", Constant(0))
      }
      guard weights.isKind("Conv2d"), let layer = weights.module.layer as? Convolution else {
        return []
      }
      let kernel = Double(weights.module.weightSize(from: 2))
      let fan = kernel * Double(layer.outputs) / Double(max(layer.options.groups, 1))
      return weights.fill("weight", Normal(standardDeviation: (2 / max(fan, 1)).squareRoot()))
        + weights.fill("bias", Constant(0))
    },
    "XLM": { $0.embedding }, "Flaubert": { $0.embedding },
    "Siglip": { weights in
      if weights.isKind("Embedding") {
        let width = Double(weights.sizes("weight").last ?? 1)
        return weights.fill("weight", Normal(standardDeviation: (1 / width).squareRoot()))
      }
      guard weights.isKind("Linear", "Conv2d") else { return [] }
      let inputs = Double(max(weights.module.weightSize(from: 1), 1))
      let deviation = (1 / inputs).squareRoot() / 0.87962566103423978
      return weights.fill("weight", TruncatedNormal(standardDeviation: deviation))
        + weights.fill("bias", Constant(0))
    },
    "Wav2Vec2": { $0.convolved(hasBias: true) }, "UniSpeech": { $0.convolved(hasBias: true) },
    "Hubert": { $0.convolved(hasBias: false) }, "Data2VecAudio": { $0.convolved(hasBias: true) },
    "WavLM": { $0.convolved(hasBias: true) },
  ]

  /// clip and its kin; `initializer_factor` is 1.
  static let clip = ofEach(
    ["CLIP", "MetaClip2", "OwlViT", "Owlv2", "XCLIP", "CLIPSeg"],
    [
      "TextEmbeddings": {
        $0.fill("token_embedding.weight", Normal(standardDeviation: 0.02))
          + $0.fill("position_embedding.weight", Normal(standardDeviation: 0.02))
      },
      "VisionEmbeddings": { weights in
        let width = Double(weights.sizes("class_embedding").last ?? 1)
        return weights.fill(
          "class_embedding", Normal(standardDeviation: 1 / width.squareRoot()))
          + weights.fill("patch_embedding.weight", Normal(standardDeviation: 0.02))
          + weights.fill("position_embedding.weight", Normal(standardDeviation: 0.02))
      },
      "Attention": { weights in
        let scale = 1 / Double(weights.sizes("out_proj.weight").last ?? 1).squareRoot()
        let depth = 1 / (2 * Double(weights.count)).squareRoot()
        let inner = Normal(standardDeviation: scale * depth)
        return ["q_proj", "k_proj", "v_proj"].flatMap { weights.fill("\($0).weight", inner) }
          + weights.fill("out_proj.weight", Normal(standardDeviation: scale))
      },
      "MLP": { weights in
        let width = Double(weights.sizes("fc1.weight").last ?? 1)
        let depth = 1 / (2 * Double(weights.count)).squareRoot()
        return weights.fill(
          "fc1.weight", Normal(standardDeviation: 1 / (2 * width).squareRoot()))
          + weights.fill(
            "fc2.weight", Normal(standardDeviation: 1 / width.squareRoot() * depth))
      },
      "Model": { $0.projected("text_projection") + $0.projected("visual_projection") },
      "VisionModelWithProjection": { $0.projected("visual_projection") },
      "TextModelWithProjection": { $0.projected("text_projection") },
      "ForImageClassification": { $0.projected("classifier") },
    ])

  /// wav2vec2 and its kin.
  static let speech = ofEach(
    ["Wav2Vec2", "UniSpeech", "Hubert", "Data2VecAudio", "WavLM"],
    [
      "FeatureProjection": { weights in
        if weights.family == "Hubert" { return [] }
        let bound = (1 / Double(weights.sizes("projection.weight").last ?? 1)).squareRoot()
        let uniform = Uniform(lower: -bound, upper: bound)
        return weights.fill("projection.weight", uniform)
          + weights.fill("projection.bias", uniform)
      },
      "PositionalConvEmbedding": { weights in
        guard ["Wav2Vec2", "UniSpeech", "WavLM"].contains(weights.family),
          let layer = weights.module.child("conv")?.layer as? Convolution
        else { return [] }
        let fan = Double(layer.inputs) * Double(layer.kernel.first ?? 1)
        return weights.fill(
          "conv.weight", Normal(standardDeviation: 2 * (1 / fan).squareRoot()))
          + weights.fill("conv.bias", Constant(0))
      },
      "PositionalConvLayer": { $0.fill("conv.bias", Constant(0)) },
      "Model": { $0.fill("masked_spec_embed", Uniform()) },
    ])

  func isKind(_ kinds: String...) -> Bool {
    let lineage = module.lineage
    return kinds.contains { lineage.contains($0) }
  }

  /// Draws the weight of a projection without a bias, with the deviation 1/√inputs.
  private func projected(_ child: String) -> [ConstructionStep] {
    let inputs = sizes("\(child).weight").last ?? 1
    return fill(
      "\(child).weight", Normal(standardDeviation: 1 / Double(inputs).squareRoot()))
  }

  private func tokens(_ names: String...) -> [ConstructionStep] {
    names.flatMap { fill($0, TruncatedNormal(standardDeviation: deviation)) }
  }

  private static let residual: Rule = { weights in
    if weights.isKind("Conv2d") {
      return weights.fill("weight", KaimingNormal(mode: .fanOut, nonlinearity: .relu))
    }
    guard weights.isKind("Linear") else { return [] }
    return weights.fill("weight", KaimingUniform(a: 5.0.squareRoot()))
      + weights.fill("bias", Uniform(fan: weights.module.weightSize(from: 1)))
  }

  /// regnet's own `_init_weights` does not call the base class's for these classes.
  static let regNet: Rule = residual

  private var normNormal: [ConstructionStep] {
    isKind("BatchNorm2d") ? fill("weight", normal) + fill("bias", Constant(0)) : []
  }

  /// xlm's `embed_init_std`, 2048^-0.5.
  private var embedding: [ConstructionStep] {
    guard isKind("Embedding") else { return [] }
    let padding = (module.layer as? Embedding)?.paddingIndex
    return fill(
      "weight",
      Normal(standardDeviation: 1 / 2_048.0.squareRoot(), paddingIndex: padding))
  }

  private func convolved(hasBias: Bool) -> [ConstructionStep] {
    guard isKind("Conv1d"), let layer = module.layer as? Convolution else { return [] }
    let fan = Double(layer.inputs) * Double(layer.kernel.first ?? 1) / Double(layer.options.groups)
    let bound = (1 / fan).squareRoot()
    let bias: any Initializer =
      hasBias ? Uniform(lower: -bound, upper: bound) : Constant(0)
    return fill("weight", KaimingNormal()) + fill("bias", bias)
  }
}
