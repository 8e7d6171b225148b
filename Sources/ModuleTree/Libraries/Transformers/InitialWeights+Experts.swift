/// What mixtures of experts do to the parameters that they own.
///
/// Source: transformers 5.24, `_init_weights` of each family's `PreTrainedModel`.
extension InitialWeights {
  static let experts = ofEach(
    [
      "Mixtral", "Qwen2Moe", "Qwen3Moe", "Olmoe", "Phimoe", "GraniteMoe", "GraniteMoeShared",
      "MiniMax", "FlexOlmo", "DeepseekV2", "DeepseekV3", "GptOss", "Glm4Moe",
    ],
    [
      "Experts": { weights in
        weights.fill("gate_up_proj", weights.normal)
          + weights.fill("gate_up_proj_bias", Constant(0))
          + weights.fill("down_proj", weights.normal)
          + weights.fill("down_proj_bias", Constant(0))
      },
      "TopKRouter": { $0.routed }, "TopkRouter": { $0.routed },
    ]
  ).merging(["GptOssAttention": { $0.fill("sinks", $0.normal) }]) { first, _ in first }

  private var routed: [ConstructionStep] {
    fill("weight", normal) + fill("bias", normal)
      + fill("e_score_correction_bias", Constant(0))
  }
}
