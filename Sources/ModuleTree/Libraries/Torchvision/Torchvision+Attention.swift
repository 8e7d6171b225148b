internal import TensorCore

/// The transformers of torchvision 0.29.2.
///
/// Source: torchvision 0.29.2 `models/vision_transformer.py`, `swin_transformer.py`, `maxvit.py`,
/// `video/swin_transformer.py`.
extension LibraryClass {
  static let attention: [LibraryClass] = [
    visionTransformer,
    LibraryClass("MLPBlock", "0 3", redraws: [perceptron]),
    LibraryClass(
      "SwinTransformer", "features norm avgpool head", lacking: "patch_embed",
      redraws: [Redraw("Linear", weight: TruncatedNormal(standardDeviation: 0.02), bias: .zeros)]),
    LibraryClass(
      "SwinTransformer3d", "patch_embed features norm avgpool head",
      redraws: [Redraw("Linear", weight: TruncatedNormal(standardDeviation: 0.02), bias: .zeros)]),
    swinBlock("SwinTransformerBlock"), swinBlock("SwinTransformerBlockV2"),
    windowAttention("ShiftedWindowAttention", window: [7, 7]), windowAttentionV2,
    windowAttention("ShiftedWindowAttention3d", window: [8, 7, 7]),
    relativeAttention,
    LibraryClass(
      "MaxVit", "stem blocks classifier",
      redraws: [
        Redraw("Conv2d", weight: Normal(standardDeviation: 0.02), bias: .zeros),
        Redraw("BatchNorm2d", weight: Constant(1), bias: .zeros),
        Redraw("Linear", weight: Normal(standardDeviation: 0.02), bias: .zeros),
      ]),
  ]

  private static let perceptron = Redraw(
    "Linear", weight: XavierUniform(), bias: Normal(standardDeviation: 1e-6))

  private static var visionTransformer: LibraryClass {
    var found = LibraryClass("VisionTransformer", "conv_proj encoder heads")
    found.covers = ["Encoder"]
    found.hidden = { module in
      let patch = module["conv_proj"]?.weightSizes ?? []
      let width = module["encoder.ln"]?.weightSizes.first ?? 0
      let token = Parameter("class_token", shape: [1, 1, width], initializer: Constant(0))
      // A stem of several convolutions halves the sides four times, like patches of 16 pixels.
      let sides = patch.count == 4 ? patch.suffix(2).map { 224 / max($0, 1) } : [14, 14]
      return Hidden(
        parameters: [token],
        inside: [
          "encoder": Hidden(parameters: [
            Parameter(
              "pos_embedding", shape: [1, sides[0] * sides[1] + 1, width],
              initializer: Normal(standardDeviation: 0.02))
          ])
        ])
    }
    found.assumption = "encoder.pos_embedding is taken to be that of images of 224 x 224 pixels"
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

  private static func swinBlock(_ kind: String) -> LibraryClass {
    var found = LibraryClass(kind, "norm1 attn norm2 mlp")
    found.finishing = { module in
      guard let mlp = module.child("mlp") else { return [] }
      let own = LibraryClass("MLP", redraws: [perceptron]).redrawing(mlp)
      return own.map { step in
        if case .fill(let name, let initializer) = step.kind {
          .fill("mlp.\(name)", initializer)
        } else {
          step
        }
      }
    }
    return found
  }

  private static func windowAttention(_ kind: String, window: [Int]) -> LibraryClass {
    var found = LibraryClass(kind, "qkv proj")
    let positions = RelativePositions(window: window)
    found.hidden = { module in
      let heads = (module.child("proj")?.weightSizes.first ?? 0) / 32
      let shape = window.count > 2 ? [positions.places, positions.places] : nil
      return relativePositions(positions, heads: heads, shape: shape)
    }
    let size = window.map(String.init).joined(separator: " x ")
    found.assumption = "windows of \(size) and heads of 32 channels are assumed, the usual ones"
    found.construction = { _ in [.child("qkv"), .child("proj"), .ownParameters] }
    return found
  }

  /// The bias for each distance in a window, and the table by which it is looked up.
  private static func relativePositions(
    _ positions: RelativePositions, heads: Int, shape: [Int]?
  ) -> Hidden {
    Hidden(
      parameters: [
        Parameter(
          "relative_position_bias_table", shape: [positions.distances, heads],
          initializer: TruncatedNormal(standardDeviation: 0.02))
      ],
      buffers: [positions.buffer("relative_position_index", shape: shape)])
  }

  private static var windowAttentionV2: LibraryClass {
    var found = LibraryClass("ShiftedWindowAttentionV2", "qkv proj cpb_mlp.2")
    let positions = RelativePositions(window: [8, 8])
    found.hidden = { module in
      let heads = module["cpb_mlp.2"]?.weightSizes.first ?? 0
      return Hidden(
        parameters: [
          // The logarithm of 10, as float32 computes it.
          Parameter("logit_scale", shape: [heads, 1, 1], initializer: Constant(0x1.26bb1cp+1))
        ],
        buffers: [
          Buffer(
            "relative_coords_table", shape: [1, 15, 15, 2], dtype: .float32,
            initializer: LiteralValues(logarithmicDistances)),
          positions.buffer("relative_position_index"),
        ])
    }
    found.assumption = "windows of 8 x 8 are assumed, the usual ones"
    found.construction = { module in
      let third = (module.child("qkv")?.weightSizes.first ?? 0) / 3
      let hasBias = module.child("qkv")?.ownParameters.contains { $0.name == "bias" } ?? false
      let zeroed: [ConstructionStep] =
        hasBias ? [.fillPart("qkv.bias", third..<2 * third, Constant(0))] : []
      return [.child("qkv"), .child("proj"), .ownParameters, .child("cpb_mlp")] + zeroed
    }
    return found
  }

  /// Rows and columns of distances in a window of 8 x 8, on a logarithmic scale: sign(x) log2(|x| + 1) / 3
  /// of x = 8 d / 7, in float32.
  private static var logarithmicDistances: [UInt8] {
    let half: [Float] = [
      0, 0x1.774ee2p-2, 0x1.24e63ap-1, 0x1.6e64f0p-1, 0x1.a6eb8ap-1, 0x1.d4dc7ap-1, 0x1.fb9040p-1,
      0x1.0e8012p+0,
    ]
    let line = half.dropFirst().reversed().map { -$0 } + half
    return line.flatMap { row in
      line.flatMap { column in
        [row, column].flatMap { value in
          (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * UInt32($0))) }
        }
      }
    }
  }

  private static var relativeAttention: LibraryClass {
    var found = LibraryClass("RelativePositionalMultiHeadAttention", "to_qkv merge")
    let positions = RelativePositions(window: [7, 7])
    found.hidden = { module in
      let heads = (module.child("merge")?.weightSizes.first ?? 0) / 32
      return relativePositions(
        positions, heads: heads, shape: [positions.places, positions.places])
    }
    found.assumption =
      "partitions of 7 x 7 and heads of 32 channels are assumed, as maxvit_t has them"
    found.construction = { _ in [.child("to_qkv"), .child("merge"), .ownParameters] }
    return found
  }
}
