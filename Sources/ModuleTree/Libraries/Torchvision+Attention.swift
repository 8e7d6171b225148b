internal import TensorCore

/// The transformers of torchvision 0.29.2, and its models of detection and segmentation.
///
/// Source: torchvision 0.29.2 `models/vision_transformer.py`, `swin_transformer.py`, `maxvit.py`,
/// `segmentation/`, `detection/`.
extension LibraryClass {
  static let attention: [LibraryClass] = [
    visionTransformer, encoder,
    LibraryClass("MLPBlock", redraws: [perceptron]),
    LibraryClass(
      "SwinTransformer", "features norm avgpool head", lacking: "patch_embed",
      redraws: [Redraw("Linear", weight: TruncatedNormal(standardDeviation: 0.02), bias: .zeros)]),
    swinBlock("SwinTransformerBlock"), swinBlock("SwinTransformerBlockV2"), windowAttention,
    LibraryClass(
      "MaxVit", "stem blocks classifier",
      redraws: [
        Redraw("Conv2d", weight: Normal(standardDeviation: 0.02), bias: .zeros),
        Redraw("BatchNorm2d", weight: Constant(1), bias: .zeros),
        Redraw("Linear", weight: Normal(standardDeviation: 0.02), bias: .zeros),
      ]),
  ]

  static let dense: [LibraryClass] = [
    intermediateLayers, segmentation("FCN"), segmentation("DeepLabV3"),
    LibraryClass(
      "FeaturePyramidNetwork", "inner_blocks layer_blocks",
      redraws: [Redraw("Conv2d", weight: KaimingUniform(a: 1), bias: .zeros)]),
    LibraryClass(
      "RPNHead", "conv cls_logits bbox_pred",
      redraws: [Redraw("Conv2d", weight: Normal(standardDeviation: 0.01), bias: .zeros)]),
  ]

  private static let perceptron = Redraw(
    "Linear", weight: XavierUniform(), bias: Normal(standardDeviation: 1e-6))

  private static var visionTransformer: LibraryClass {
    var found = LibraryClass("VisionTransformer", "conv_proj encoder heads")
    found.hidden = { module in
      let width = module["conv_proj"]?.weightSizes.first ?? 0
      return Hidden(
        parameters: [Parameter("class_token", shape: [1, 1, width], initializer: Constant(0))])
    }
    found.finishing = { module in
      var steps: [ConstructionStep] = []
      func patch(_ name: String, _ weight: some Initializer) {
        let parameters = module[name]?.ownParameters.map(\.name) ?? []
        if parameters.contains("weight") { steps.append(.fill("\(name).weight", weight)) }
        if parameters.contains("bias") { steps.append(.fill("\(name).bias", Constant(0))) }
      }
      func scaled(_ name: String) -> TruncatedNormal {
        let fan = module[name]?.weightSize(from: 1) ?? 1
        return TruncatedNormal(standardDeviation: (1 / Double(fan)).squareRoot())
      }
      if module["conv_proj.conv_last"] != nil {
        let outputs = Double(module["conv_proj.conv_last"]?.weightSizes.first ?? 1)
        patch("conv_proj.conv_last", Normal(standardDeviation: (2 / outputs).squareRoot()))
      } else {
        patch("conv_proj", scaled("conv_proj"))
      }
      if module["heads.pre_logits"] != nil {
        patch("heads.pre_logits", scaled("heads.pre_logits"))
      }
      patch("heads.head", Constant(0))
      return steps
    }
    return found
  }

  private static var encoder: LibraryClass {
    var found = LibraryClass("Encoder", "dropout layers ln")
    found.hidden = { module in
      guard let first = module.child("layers")?.ownChildren.first?.module,
        first.kind == "EncoderBlock", let width = first.child("ln_1")?.weightSizes.first
      else { return Hidden() }
      let initial = Normal(standardDeviation: 0.02)
      return Hidden(parameters: [
        Parameter("pos_embedding", shape: [1, 197, width], initializer: initial)
      ])
    }
    found.assumption = "pos_embedding is taken to be that of 14 x 14 patches, 224 pixels by 16"
    return found
  }

  private static func swinBlock(_ kind: String) -> LibraryClass {
    var found = LibraryClass(kind, "norm1 attn norm2 mlp")
    found.finishing = { module in
      guard let mlp = module.child("mlp") else { return [] }
      let own = LibraryClass("MLP", redraws: [perceptron]).redrawing(mlp)
      return own.map { step in
        if case .fill(let name, let initializer) = step {
          .fill("mlp.\(name)", initializer)
        } else {
          step
        }
      }
    }
    return found
  }

  private static var windowAttention: LibraryClass {
    var found = LibraryClass("ShiftedWindowAttention", "qkv proj")
    found.hidden = { module in
      let heads = (module.child("proj")?.weightSizes.first ?? 0) / 32
      let (side, positions) = (7, 13)
      var index: [UInt8] = []
      for query in 0..<side * side {
        for key in 0..<side * side {
          let row = query / side - key / side + side - 1
          let column = query % side - key % side + side - 1
          let value = UInt64(row * positions + column)
          index += (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
        }
      }
      return Hidden(
        parameters: [
          Parameter(
            "relative_position_bias_table", shape: [positions * positions, heads],
            initializer: TruncatedNormal(standardDeviation: 0.02))
        ],
        buffers: [
          Buffer(
            "relative_position_index", shape: [index.count / 8], dtype: .int64,
            initializer: LiteralValues(index))
        ])
    }
    found.assumption = "windows of 7 x 7 and heads of 32 channels are assumed, as swin_t has them"
    found.construction = { _ in [.child("qkv"), .child("proj"), .ownParameters] }
    return found
  }

  /// The backbone of a model of detection or segmentation: a ResNet whose `fc`, for 1,000 classes,
  /// was drawn and left out.
  private static var intermediateLayers: LibraryClass {
    var found = LibraryClass(
      "IntermediateLayerGetter", "conv1 bn1 layer1 layer4",
      redraws: [
        Redraw("Conv2d", weight: KaimingNormal(mode: .fanOut, nonlinearity: .relu)),
        Redraw("BatchNorm2d", "GroupNorm", weight: Constant(1), bias: .zeros),
      ])
    found.construction = { module in
      let last = module.child("layer4")?.ownChildren.last?.module
      let width = (last?.child("conv3") ?? last?.child("conv2"))?.weightSizes.first ?? 0
      return module.construction + [
        .discard(
          shape: [1_000, width], dtype: nil, KaimingUniform(a: 5.0.squareRoot())),
        .discard(shape: [1_000], dtype: nil, Uniform(fan: width)),
      ]
    }
    return found
  }

  /// The auxiliary head is built before the main one and printed after it.
  private static func segmentation(_ kind: String) -> LibraryClass {
    var found = LibraryClass(kind, "backbone classifier")
    found.construction = { module in
      let auxiliary = module.child("aux_classifier") == nil ? [] : ["aux_classifier"]
      return (["backbone"] + auxiliary + ["classifier"]).map { .child($0) }
    }
    return found
  }
}
