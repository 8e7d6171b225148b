internal import Glibc
internal import TensorCore

/// Transformers and mixers of timm 1.0.31 that work in stages or mix tokens.
///
/// Source: timm 1.0.31 `models/swin_transformer.py`, `swin_transformer_v2.py`, `pvt_v2.py`, `twins.py`, `levit.py`,
/// `maxxvit.py`, `mlp_mixer.py`.
extension LibraryClass {
  static let timmStaged: [LibraryClass] =
    [
      LibraryClass(
        "SwinTransformer", "patch_embed layers norm head", redraws: [.cut("Linear")]),
      windowAttention, swinV2, windowAttentionV2,
      LibraryClass(
        "PyramidVisionTransformerV2", "patch_embed stages head",
        redraws: [.cut("Linear"), .norms("LayerNorm"), .fanOutNormal]),
      LibraryClass(
        "Twins", "patch_embeds pos_drops blocks pos_block norm head",
        redraws: [.cut("Linear"), .norms("LayerNorm"), .fanOutNormal]),
      levit("Levit"), levit("LevitDistilled"), normLinear, mixer, residualMLP, maxVit,
      relativeAttention("AttentionCl"), relativeAttention("Attention2d"),
      positions("RelPosBias"), positions("RelPosBiasTf"),
    ] + plain(["Attention": "q kv proj", "Block": "norm1 attn norm2 mlp.dwconv"]) + [twinsBlock]

  private static var windowAttention: LibraryClass {
    var found = LibraryClass("WindowAttention", "qkv attn_drop proj softmax", lacking: "cpb_mlp")
    found.hidden = { module in
      let heads = (module.weightSizes(at: "proj").last ?? 0) / 32
      return Hidden(parameters: [
        Parameter(
          "relative_position_bias_table", shape: [169, heads],
          initializer: InvertedNormal(standardDeviation: 0.02))
      ])
    }
    found.assumption = "windows of 7 x 7 and heads of 32 channels are assumed, the default"
    found.construction = { _ in [.child("qkv"), .child("proj"), .ownParameters] }
    return found
  }

  private static var swinV2: LibraryClass {
    var found = LibraryClass(
      "SwinTransformerV2", "patch_embed layers norm head", redraws: [.cut("Linear")])
    found.finishing = { module in
      let names = ["norm1.bias", "norm1.weight", "norm2.bias", "norm2.weight"]
      return module.filling(with: 0, ["SwinTransformerV2Block": names])
    }
    return found
  }

  private static var windowAttentionV2: LibraryClass {
    var found = LibraryClass("WindowAttention", "cpb_mlp qkv proj softmax")
    found.hidden = { module in
      let width = (module.weightSizes(at: "qkv").first ?? 0) / 3
      let heads = module.weightSizes(at: "cpb_mlp.2").first ?? 0
      return Hidden(
        parameters: [
          Parameter("logit_scale", shape: [heads, 1, 1], initializer: Constant(log(10)))
        ] + Hidden(["q_bias": [width], "v_bias": [width]], all: 0).parameters)
    }
    found.assumption = "q_bias and v_bias are taken to be there, the default"
    return found
  }

  private static var twinsBlock: LibraryClass {
    var found = LibraryClass("Block", "norm1 attn norm2 mlp")
    found.isMeant = {
      ["LocallyGroupedAttn", "GlobalSubSampleAttn"].contains($0["attn"]?.kind)
    }
    return found
  }

  private static func levit(_ kind: String) -> LibraryClass {
    var found = LibraryClass(
      kind, "stem stages head", lacking: kind == "Levit" ? "head_dist" : "")
    found.isMeant = { ["Stem8", "Stem16"].contains($0["stem"]?.kind) }
    found.hidden = { module in
      let width = module.weightSizes(at: "stages.0.blocks.0.attn.proj.ln.linear").first ?? 0
      let keys = width < 192 ? 16 : width < 512 ? 32 : 64
      var side = module["stem"]?.kind == "Stem8" ? 28 : 14
      var hidden = Hidden()
      for node in module.namedModules()
      where ["Attention", "AttentionDownsample"].contains(node.module.kind) {
        let isLess = node.module.kind == "AttentionDownsample"
        let all = node.module.weightSizes(at: isLess ? "kv.linear" : "qkv.linear").first ?? 0
        let values = node.module.weightSizes(at: "proj.ln.linear")
        // Queries and keys, or keys alone, beside the values.
        let heads = (all - (values.count > 1 ? values[1] : 0)) / (isLess ? 1 : 2) / keys
        hidden.parameters.append(
          Parameter(
            node.name(of: "attention_biases"), shape: [heads, side * side],
            initializer: Constant(0)))
        if isLess { side = (side + 1) / 2 }
      }
      return hidden
    }
    found.assumption =
      "images of 224 pixels are assumed, and keys of 16 channels where the first stage has fewer than "
      + "192, of 32 where it has fewer than 512, else of 64"
    found.finishing = { module in
      module.filling(
        with: 0, ["Attention": ["proj.ln.bn.weight"], "LevitMlp": ["ln2.bn.weight"]])
    }
    return found
  }

  private static var normLinear: LibraryClass {
    var found = LibraryClass("NormLinear", "bn drop linear")
    found.finishing = { module in
      LibraryClass("NormLinear", redraws: [.cut("Linear")]).redrawing(module)
    }
    return found
  }

  private static var mixer: LibraryClass {
    let small = Normal(standardDeviation: 1e-6)
    var found = LibraryClass(
      "MlpMixer", "stem blocks norm head_drop head",
      redraws: [
        Redraw("Linear", weight: Constant(0), bias: .zeros).at { $0.hasPrefix("head") },
        Redraw("Linear", weight: XavierUniform(), bias: small).at { $0.contains("mlp") },
        Redraw("Linear", weight: XavierUniform(), bias: .zeros), .lecun,
        .norms("LayerNorm", "BatchNorm2d", "GroupNorm"),
        Redraw("SpatialGatingUnit") { _ in
          [Rule.Assignment("proj.weight", small), Rule.Assignment("proj.bias", Constant(1))]
        },
      ])
    found.childrenFirst = true
    found.isMeant = { !$0.holds(anyOf: ["GluMlp", "SwiGLU"]) }
    found.hidden = { module in
      let width = module.weightSizes(at: "stem.proj").first ?? 0
      let blocks = (module["blocks"]?.ownChildren ?? []).indices.filter {
        module["blocks.\($0)"]?.kind == "ResBlock"
      }
      guard !blocks.isEmpty else { return Hidden() }
      let value = blocks.count < 24 ? 1e-4 : blocks.count < 36 && width < 768 ? 1e-5 : 1e-6
      return Hidden(
        parameters: affine("norm", width)
          + blocks.flatMap { index in
            ["ls1", "ls2"].map {
              Parameter(
                "blocks.\(index).\($0)", shape: [width], initializer: Constant(value))
            }
          })
    }
    found.assumption =
      "Affine owns alpha of 1 and beta of 0; ls1 and ls2 are taken to be 1e-4 for fewer than 24 "
      + "blocks, 1e-5 for 24, and 1e-6 for 36 or 768 channels"
    return found
  }

  private static func affine(_ path: String, _ width: Int) -> [Parameter] {
    [
      Parameter("\(path).alpha", shape: [1, 1, width], initializer: Constant(1)),
      Parameter("\(path).beta", shape: [1, 1, width], initializer: Constant(0)),
    ]
  }

  private static var residualMLP: LibraryClass {
    var found = LibraryClass("ResBlock", "norm1 linear_tokens norm2 mlp_channels")
    found.isMeant = { $0["norm1"]?.kind == "Affine" }
    found.hidden = { module in
      let width = module.weightSizes(at: "mlp_channels.fc1").last ?? 0
      return Hidden(parameters: affine("norm1", width) + affine("norm2", width))
    }
    return found
  }

  /// Each block's convolutions are filled twice, before and after its attention.
  private static var maxVit: LibraryClass {
    var found = LibraryClass("MaxxVit", "stem stages norm head")
    found.isMeant = { module in
      module.holds(anyOf: ["MaxxVitBlock"])
        && !module.holds(anyOf: ["ConvNeXtBlock", "TransformerBlock2d", "ParallelMaxxVitBlock"])
    }
    let attention = [
      Redraw("Conv2d", "Linear", weight: XavierUniform(), bias: Normal(standardDeviation: 1e-6))
        .at { $0.contains("mlp") },
      Redraw("Conv2d", "Linear", weight: XavierUniform(), bias: .zeros),
    ]
    found.finishing = { module in
      fills([.fanOutNormal], in: module, at: "stem")
        + module.namedModules().filter { $0.module.kind == "MaxxVitBlock" }.flatMap { node in
          fills([.fanOutNormal], in: module, at: node.name(of: "conv"))
            + fills(attention, in: module, at: node.name(of: "attn_block"))
            + fills(attention, in: module, at: node.name(of: "attn_grid"))
            + fills([.fanOutNormal], in: module, at: node.name(of: "conv"))
        }
    }
    return found
  }

  private static func relativeAttention(_ kind: String) -> LibraryClass {
    var found = LibraryClass(kind, "qkv rel_pos attn_drop proj")
    found.hidden = { module in
      let heads = (module.weightSizes(at: "qkv").first ?? 0) / 96
      let name = "rel_pos.relative_position_bias_table"
      return switch module["rel_pos"]?.kind {
      case "RelPosBiasTf":
        Hidden(parameters: [
          Parameter(
            name, shape: [heads, 13, 13], initializer: Normal(standardDeviation: 0.02))
        ])
      case "RelPosBias":
        Hidden(parameters: [
          Parameter(
            name, shape: [169, heads], initializer: InvertedNormal(standardDeviation: 0.02))
        ])
      default: Hidden()
      }
    }
    found.assumption = "windows of 7 x 7 and heads of 32 channels are assumed, the default"
    return found
  }

  /// A table that the attention around it has been given.
  private static func positions(_ kind: String) -> LibraryClass {
    var found = LibraryClass(kind)
    found.isMeant = { !$0.ownParameters.isEmpty }
    return found
  }
}
