internal import TensorCore

/// Tensors that classes of transformers own and printed text does not show.
///
/// Source: transformers 5.24 `models/`, the constructors of these classes.
extension LibraryClass {
  /// What models own themselves, by class.
  static let ownTensors: [String: @Sendable (inout LibraryClass) -> Void] = {
    var all: [String: @Sendable (inout LibraryClass) -> Void] = [:]
    for family in [
      "Bart", "BigBirdPegasus", "Blenderbot", "BlenderbotSmall", "LED", "MBart", "Mvp", "PLBart",
      "Pegasus",
    ] {
      all[family + "ForConditionalGeneration"] = logitsBias
    }
    all["MarianMTModel"] = logitsBias
    for family in ["T5", "MT5", "UMT5", "LongT5", "SwitchTransformers", "Udop"] {
      all[family + "Stack"] = { found in
        found.hidden = {
          Hidden(inside: $0.scale(of: "final_layer_norm", like: "embed_tokens.weight"))
        }
        found.covers = [family + "LayerNorm"]
      }
    }
    for family in ["Cohere", "Cohere2"] {
      all[family + "Model"] = { found in
        found.hidden = { Hidden(inside: $0.scale(of: "norm", like: "embed_tokens.weight")) }
        found.covers = [family + "LayerNorm"]
      }
    }
    for family in ["Wav2Vec2", "Hubert", "UniSpeech", "Data2VecAudio"] {
      all[family + "Model"] = maskedSpectrum
    }
    for family in ["CLIP", "MetaClip2"] {
      all[family + "Model"] = { found in
        // 2.6592, `logit_scale_init_value`.
        found.hidden = { _ in
          Hidden(parameters: [Parameter("logit_scale", shape: [], initializer: Constant(2.6592))])
        }
      }
    }
    all["WhisperEncoder"] = { found in
      found.remark =
        "the values of embed_positions are within 4e-5 of PyTorch's, but not equal"
    }
    all["SiglipModel"] = { found in
      found.hidden = { _ in
        Hidden(
          parameters: [
            Parameter("logit_scale", shape: [1], initializer: Normal()),
            Parameter("logit_bias", shape: [1], initializer: Normal()),
          ], isLast: true)
      }
    }
    return all
  }()

  private static let logitsBias: @Sendable (inout LibraryClass) -> Void = { found in
    found.hidden = { module in
      let words = module.child("lm_head")?.weightSizes.first ?? 0
      return Hidden(buffers: [Buffer("final_logits_bias", shape: [1, words], value: 0)])
    }
  }

  private static let maskedSpectrum: @Sendable (inout LibraryClass) -> Void = { found in
    found.hidden = { module in
      let width = module["feature_projection.projection"]?.weightSizes.first ?? 0
      return Hidden(parameters: [
        Parameter("masked_spec_embed", shape: [width], initializer: Uniform())
      ])
    }
    found.construction = { module in
      let names = module.ownChildren.filter { $0.module != nil }.map(\.name)
      let first = names.firstIndex(of: "feature_projection").map { $0 + 1 } ?? 0
      return names[..<first].map { .child($0) } + [.ownParameters]
        + names[first...].map { .child($0) }
    }
  }

  /// Heads of language models with a bias beside their decoder's, and tied to it.
  static let heads: [LibraryClass] =
    [
      "AlbertMLMHead", "BertLMPredictionHead", "BigBirdLMPredictionHead",
      "BlipTextLMPredictionHead", "CamembertLMHead", "Data2VecTextLMHead",
      "LegacyDebertaLMPredictionHead", "LegacyDebertaV2LMPredictionHead",
      "ErnieLMPredictionHead", "EsmLMHead", "FNetLMPredictionHead", "FlavaMaskedPredictionHead",
      "JinaEmbeddingsV3LMHead", "LayoutLMLMPredictionHead", "LongformerLMHead", "LukeLMHead",
      "LxmertLMPredictionHead", "MPNetLMHead", "MegatronBertLMPredictionHead",
      "MobileBertLMPredictionHead", "MraLMPredictionHead", "NomicBertLMPredictionHead",
      "NystromformerLMPredictionHead", "ReformerOnlyLMHead", "RoCBertLMPredictionHead",
      "RoFormerLMPredictionHead", "RobertaLMHead", "RobertaPreLayerNormLMHead",
      "SqueezeBertLMPredictionHead", "TapasLMPredictionHead", "VisualBertLMPredictionHead",
      "XLMRobertaLMHead", "XLMRobertaXLLMHead", "XmodLMHead", "YosoLMPredictionHead",
      "ViltMLMHead",
    ].map { kind in
      var found = LibraryClass(kind, "decoder")
      found.hidden = { module in
        let words = module.child("decoder")?.weightSizes.first ?? 0
        return Hidden(parameters: [
          Parameter("bias", shape: [words], initializer: Constant(0))
        ])
      }
      return found
    }

  /// Tokens and positions beside an embedding of patches.
  static let embeddings: [LibraryClass] = [
    // vit
    tokens("ViTEmbeddings", side: 224, "patch_embeddings.projection") { width, patches in
      (
        [
          Parameter("cls_token", shape: [1, 1, width], initializer: Normal()),
          Parameter("position_embeddings", shape: [1, patches + 1, width], initializer: Normal()),
        ], 1
      )
    },
    // deit, beit without positions, vilt, dpt: nothing is drawn
    tokens("DeiTEmbeddings", side: 224, "patch_embeddings.projection") { width, patches in
      (
        [
          .zeros("cls_token", 1, 1, width), .zeros("position_embeddings", 1, patches + 2, width),
          .zeros("distillation_token", 1, 1, width),
        ], 0
      )
    },
    tokens("BeitEmbeddings", side: 224, "patch_embeddings.projection") { width, _ in
      ([.zeros("cls_token", 1, 1, width)], 0)
    },
    tokens("Data2VecVisionEmbeddings", side: 224, "patch_embeddings.projection") { width, _ in
      ([.zeros("cls_token", 1, 1, width)], 0)
    },
    tokens("ViltEmbeddings", side: 384, "patch_embeddings.projection") { width, patches in
      ([.zeros("cls_token", 1, 1, width), .zeros("position_embeddings", 1, patches + 1, width)], 0)
    },
    tokens("DPTViTEmbeddings", side: 384, "patch_embeddings.projection") { width, patches in
      ([.zeros("cls_token", 1, 1, width), .zeros("position_embeddings", 1, patches + 1, width)], 0)
    },
    tokens("Dinov2Embeddings", side: 224, "patch_embeddings.projection") { width, patches in
      (
        [
          .zeros("cls_token", 1, 1, width), .zeros("mask_token", 1, width),
          Parameter("position_embeddings", shape: [1, patches + 1, width], initializer: Normal()),
        ], 2
      )
    },
    tokens("BlipVisionEmbeddings", side: 384, "patch_embedding") { width, patches in
      (
        [
          Parameter("class_embedding", shape: [1, 1, width], initializer: Normal()),
          Parameter("position_embedding", shape: [1, patches + 1, width], initializer: Normal()),
        ], 1
      )
    },
    classEmbedding("CLIP"), classEmbedding("MetaClip2"), classEmbedding("OwlViT"),
    classEmbedding("Owlv2"), classEmbedding("XCLIP"), classEmbedding("CLIPSeg"),
    pooling("Siglip"),
  ]

  /// A class with tokens, of which the first `early` are made before the patches' layer and the
  /// others after it.
  private static func tokens(
    _ kind: String, side: Int, _ path: String,
    _ make: @escaping @Sendable (_ width: Int, _ patches: Int) -> ([Parameter], early: Int)
  ) -> LibraryClass {
    var found = LibraryClass(kind, path)
    found.hidden = { module in
      guard let patch = module[path]?.weightSizes, patch.count == 4, patch[2] > 0, patch[3] > 0
      else { return Hidden() }
      return Hidden(parameters: make(patch[0], (side / patch[2]) * (side / patch[3])).0)
    }
    found.assumption = "images of \(side) x \(side) pixels and no further tokens are assumed"
    found.construction = { module in
      let early = make(1, 1).early
      let names = module.ownParameters.map(\.name)
      let children = module.ownChildren.filter { $0.module != nil }.map(\.name)
      return
        (names.prefix(early) + children.prefix(1) + names.dropFirst(early)
        + children.dropFirst(1)).map { .child($0) }
    }
    return found
  }

  private static func classEmbedding(_ family: String) -> LibraryClass {
    var found = LibraryClass(
      "\(family)VisionEmbeddings", "patch_embedding position_embedding")
    found.hidden = { module in
      let width = module.child("position_embedding")?.weightSizes.last ?? 0
      return Hidden(parameters: [
        Parameter("class_embedding", shape: [width], initializer: Normal())
      ])
    }
    return found
  }

  private static func pooling(_ family: String) -> LibraryClass {
    var found = LibraryClass("\(family)MultiheadAttentionPoolingHead", "attention layernorm mlp")
    found.hidden = { module in
      let width = module.child("layernorm")?.weightSizes.first ?? 0
      return Hidden(parameters: [
        Parameter("probe", shape: [1, 1, width], initializer: Normal())
      ])
    }
    return found
  }
}

extension Parameter {
  /// A parameter that starts at 0.
  static func zeros(_ name: String, _ sizes: Int...) -> Parameter {
    Parameter(name, shape: sizes, initializer: Constant(0))
  }
}
