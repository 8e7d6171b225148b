internal import TensorCore

/// What families of language models do to modules of their own classes, after what the base class
/// does.
///
/// Source: transformers 5.24, `_init_weights` of each family's `PreTrainedModel`.
extension InitialWeights {
  static let text: [String: Rule] = [
    // gpt2, and its kin: weights on the residual path are scaled down with the depth.
    "GPT2Attention": { $0.scaledProjection(layers: "GPT2Block") },
    "GPT2MLP": { $0.scaledProjection(layers: "GPT2Block") },
    "GPTBigCodeAttention": { $0.scaledProjection(layers: "GPTBigCodeBlock") },
    "GPTBigCodeMLP": { $0.scaledProjection(layers: "GPTBigCodeBlock") },
    "Conv1D": { $0.root.kind.hasPrefix("GPT2") ? $0.again() : [] },
    // falcon: a subclass of Linear is drawn as such, and once more.
    "FalconLinear": { $0.again() },
    "MarianSinusoidalPositionalEmbedding": { $0.positions },
    "PegasusSinusoidalPositionalEmbedding": { $0.positions },
    "RoFormerSinusoidalPositionalEmbedding": { $0.positions },
    // modernbert
    "ModernBertEmbeddings": { $0.cut("tok_embeddings", $0.deviation) },
    "ModernBertMLP": { $0.cut("Wi", $0.deviation) + $0.cut("Wo", $0.modernOutput) },
    "ModernBertAttention": { $0.cut("Wqkv", $0.deviation) + $0.cut("Wo", $0.modernOutput) },
    "ModernBertPredictionHead": { $0.cut("dense", $0.modernOutput) },
    "ModernBertForMaskedLM": { $0.cut("decoder", $0.modernOutput) },
    "ModernBertForSequenceClassification": { $0.cutClassifier },
    "ModernBertForMultipleChoice": { $0.cutClassifier },
    "ModernBertForTokenClassification": { $0.cutClassifier },
    "ModernBertForQuestionAnswering": { $0.cutClassifier },
    "T5GemmaClassificationHead": { $0.scaledOutput },
    "T5GemmaLMHead": { weights in
      let weight = weights.module.child("out_proj")?.ownParameters.first
      return weight?.isReplaced ?? true ? [] : weights.scaledOutput
    },
  ]

  /// Rules by a family's name and the end of a class's.
  static func ofEach(_ families: [String], _ rules: [String: Rule]) -> [String: Rule] {
    var all: [String: Rule] = [:]
    for family in families {
      for (end, rule) in rules { all[family + end] = rule }
    }
    return all
  }

  /// t5 and its kin, whose deviations follow from the widths; `initializer_factor` is 1.
  static let t5 = ofEach(
    ["T5", "MT5", "UMT5"],
    [
      "Model": { $0.fill("shared.weight", Normal()) },
      "EncoderModel": { $0.fill("shared.weight", Normal()) },
      "ForConditionalGeneration": { weights in
        let head = weights.module["lm_head"]?.ownParameters.first
        return weights.fill("shared.weight", Normal())
          + (head?.isReplaced ?? true ? [] : weights.fill("lm_head.weight", Normal()))
      },
      "ForQuestionAnswering": {
        $0.fill("shared.weight", Normal()) + $0.scaled("qa_outputs")
      },
      "ForTokenClassification": {
        $0.fill("classifier.weight", Normal()) + $0.fill("classifier.bias", Constant(0))
      },
      "ClassificationHead": { $0.scaled("dense") + $0.scaled("out_proj") },
      "DenseActDense": { $0.scaled("wi") + $0.scaled("wo") },
      "DenseGatedActDense": { $0.scaled("wi_0") + $0.scaled("wi_1") + $0.scaled("wo") },
      "Attention": { weights in
        let sizes = weights.sizes("q.weight")
        guard sizes.count == 2, let heads = weights.heads else { return [] }
        let model = Double(sizes[1])
        let query = 1 / (model * Double(sizes[0] / heads)).squareRoot()
        return weights.fill("q.weight", Normal(standardDeviation: query))
          + weights.scaled("k") + weights.scaled("v") + weights.scaled("o")
          + weights.fill(
            "relative_attention_bias.weight", Normal(standardDeviation: 1 / model.squareRoot()))
      },
    ])

  /// The number of heads, from the table of relative positions that one layer has at least.
  private var heads: Int? {
    for module in root.modules() where module.kind == self.module.kind {
      if let sizes = module.child("relative_attention_bias")?.weightSizes, sizes.count == 2,
        sizes[1] > 0
      {
        return sizes[1]
      }
    }
    return nil
  }

  /// Draws the weight of a child with the deviation 1/√inputs; its bias becomes 0.
  func scaled(_ child: String) -> [ConstructionStep] {
    let inputs = sizes("\(child).weight").last ?? 1
    let normal = Normal(standardDeviation: 1 / Double(inputs).squareRoot())
    return fill("\(child).weight", normal) + fill("\(child).bias", Constant(0))
  }

  /// Draws the module's own weight, with a bias of 0.
  func again() -> [ConstructionStep] { fill("weight", normal) + fill("bias", Constant(0)) }

  private func scaledProjection(layers: String) -> [ConstructionStep] {
    let depth = root.modules().count { $0.kind == layers }
    let scale = (2 * Double(max(depth, 1))).squareRoot()
    return fill("c_proj.weight", Normal(standardDeviation: deviation / scale))
  }

  private var scaledOutput: [ConstructionStep] {
    let outputs = Double(sizes("out_proj.weight").first ?? 1)
    let normal = Normal(standardDeviation: deviation * (1 / outputs.squareRoot()))
    return fill("out_proj.weight", normal) + fill("out_proj.bias", Constant(0))
  }

  /// modernbert's `init_weight`, cut at `initializer_cutoff_factor` deviations, 2.
  private func cut(_ child: String, _ deviation: Double) -> [ConstructionStep] {
    fill(
      "\(child).weight",
      TruncatedNormal(
        standardDeviation: deviation, lower: -2 * deviation, upper: 2 * deviation))
      + fill("\(child).bias", Constant(0))
  }

  private var cutClassifier: [ConstructionStep] {
    cut("classifier", 1 / Double(sizes("classifier.weight").last ?? 1).squareRoot())
  }

  private var modernOutput: Double {
    // Each layer has one attention; the classes that build on the model know the same depth.
    let depth = root.modules().count { $0.kind == "ModernBertAttention" }
    return deviation / (2 * Double(max(depth, 1))).squareRoot()
  }

  private var positions: [ConstructionStep] {
    fill("weight", SinusoidalPositions(way: .halves))
  }
}
