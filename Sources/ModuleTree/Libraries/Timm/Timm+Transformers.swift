internal import TensorCore

/// Transformers of timm 1.0.31 whose blocks all work on one grid of patches.
///
/// Source: timm 1.0.31 `models/vision_transformer.py`, `deit.py`, `beit.py`, `cait.py`, `xcit.py`, `tnt.py`, `coat.py`.
extension LibraryClass {
  static let timmTransformers: [LibraryClass] =
    [visionTransformer("VisionTransformer"), visionTransformer("VisionTransformerDistilled")]
    + [beit, cait, xcit, tnt, coat, coatParallelBlock]
    + plain([
      "Attention": "qkv q_norm k_norm proj", "Block": "norm1 attn ls1 drop_path1 norm2 mlp ls2",
      "SwiGLU": "fc1_g fc1_x act norm fc2",
    ])
    + plain(["Attention": "qk v proj", "Block": "norm_in attn_in norm_mlp_in mlp_in proj attn_out"])

  private static let cut = InvertedNormal(standardDeviation: 0.02)

  private static func tokens(_ name: String, _ shape: [Int]) -> Parameter {
    Parameter(name, shape: shape, initializer: Constant(0))
  }

  private static func fill(
    _ module: Module, _ names: String..., as initializer: some Initializer = cut
  ) -> [ConstructionStep] {
    names.filter { module.owns(parameter: $0) }.map { .fill($0, initializer) }
  }

  /// Patches of an image this wide; `nil` where what makes them is not one convolution.
  private static func patches(_ module: Module, _ path: String, pixels: Int = 224) -> Int? {
    let sizes = module.weightSizes(at: path)
    guard sizes.count == 4, sizes[2] > 0, sizes[3] > 0 else { return nil }
    let (down, across) = (pixels / sizes[2], pixels / sizes[3])
    return down * across
  }

  /// With layer scale it is taken for a DeiT III, or for patches of 14 for a DINOv2.
  private static func visionTransformer(_ kind: String) -> LibraryClass {
    let isDistilled = kind.hasSuffix("Distilled")
    var found = LibraryClass(
      kind, "patch_embed pos_drop norm_pre blocks norm fc_norm head",
      lacking: isDistilled ? "attn_pool" : "attn_pool head_dist",
      redraws: [
        .cut("Linear"),
        Redraw("SwiGLU") { _ in
          [
            Rule.Assignment("fc1_g.bias", Constant(1)),
            Rule.Assignment("fc1_g.weight", Normal(standardDeviation: 1e-6)),
          ]
        },
      ])
    found.childrenFirst = true
    found.isMeant = { module in
      patches(module, "patch_embed.proj") != nil && !module.holds(anyOf: ["GluMlp"])
        && (module["blocks"]?.ownChildren ?? []).allSatisfy {
          ["Block", "ParallelThingsBlock"].contains($0.module?.kind)
        }
    }
    found.hidden = { module in
      let embedding = module.weightSizes(at: "patch_embed.proj")
      let (width, patch) = (embedding[0], embedding[2])
      let scales = module.namedModules().filter { $0.module.kind == "LayerScale" }
      let isLater = !scales.isEmpty && patch == 14
      let count = patches(module, "patch_embed.proj", pixels: isLater ? 518 : 224) ?? 0
      let prefix = isDistilled ? 2 : scales.isEmpty || isLater ? 1 : 0
      return Hidden(
        parameters: [
          tokens("cls_token", [1, 1, width]), tokens("pos_embed", [1, count + prefix, width]),
        ] + (isDistilled ? [tokens("dist_token", [1, 1, width])] : [])
          + scales.map {
            Parameter(
              $0.name(of: "gamma"), shape: [width], initializer: Constant(isLater ? 1e-5 : 1e-6))
          })
    }
    found.assumption =
      "a class token, no register tokens, and images of 224 pixels are assumed (with layer scale: "
      + "gamma 1e-6 and no position for the class token, as deit3 has them, or for patches of 14 "
      + "gamma 1e-5 and 518 pixels, as dinov2 has them)"
    found.preparing = { module in
      fill(module, "dist_token") + fill(module, "pos_embed")
        + fill(module, "cls_token", "reg_token", as: Normal(standardDeviation: 1e-6))
    }
    return found
  }

  private static var beit: LibraryClass {
    var found = LibraryClass(
      "Beit", "patch_embed pos_drop blocks norm fc_norm head", lacking: "rel_pos_bias",
      redraws: [.cut("Linear")])
    found.isMeant = { patches($0, "patch_embed.proj") != nil }
    found.hidden = { module in
      let embedding = module.weightSizes(at: "patch_embed.proj")
      let (width, side) = (embedding[0], 224 / embedding[2])
      let positions = (2 * side - 1) * (2 * side - 1) + 3
      var hidden = Hidden(parameters: [tokens("cls_token", [1, 1, width])])
      for index in (module["blocks"]?.ownChildren ?? []).indices {
        let block = "blocks.\(index)"
        hidden.parameters += ["gamma_1", "gamma_2"].map {
          Parameter(
            "\(block).\($0)", shape: [width], initializer: Constant(width == 768 ? 0.1 : 1e-5))
        }
        hidden.parameters += [
          tokens("\(block).attn.q_bias", [width]), tokens("\(block).attn.v_bias", [width]),
          tokens("\(block).attn.relative_position_bias_table", [positions, width / 64]),
        ]
      }
      return hidden
    }
    found.assumption =
      "images of 224 pixels, heads of 64 channels, relative positions in each block, and gamma of 0.1 "
      + "for 768 channels and 1e-5 for others are assumed, as beit_base and beit_large have them"
    found.finishing = { module in
      var steps = fill(module, "pos_embed") + fill(module, "cls_token")
      for index in (module["blocks"]?.ownChildren ?? []).indices {
        let scale = (2 * Double(index + 1)).squareRoot()
        steps += ["attn.proj.weight", "mlp.fc2.weight"].map { "blocks.\(index).\($0)" }
          .filter { module.owns(parameter: $0) }.map { .change($0, [.over(scale)]) }
      }
      return steps + fill(module, "head.weight", as: Arithmetic(cut, [.times(0.001)]))
    }
    return found
  }

  private static var cait: LibraryClass {
    var found = LibraryClass(
      "Cait", "patch_embed pos_drop blocks blocks_token_only norm head",
      redraws: [.cut("Linear"), .norms("LayerNorm")])
    found.isMeant = { patches($0, "patch_embed.proj") != nil }
    found.hidden = { module in
      let width = module.weightSizes(at: "patch_embed.proj")[0]
      let depth = module["blocks"]?.ownChildren.count ?? 0
      let value = width >= 384 && depth >= 36 ? 1e-6 : 1e-5
      var hidden = Hidden(parameters: [
        tokens("cls_token", [1, 1, width]),
        tokens("pos_embed", [1, patches(module, "patch_embed.proj") ?? 0, width]),
      ])
      for node in module.namedModules() where node.module.kind.hasPrefix("LayerScaleBlock") {
        hidden.parameters += ["gamma_1", "gamma_2"].map {
          Parameter(node.name(of: $0), shape: [width], initializer: Constant(value))
        }
      }
      return hidden
    }
    found.assumption =
      "images of 224 pixels are assumed, and gamma of 1e-6 for 36 or more blocks of 384 or more "
      + "channels, else 1e-5"
    found.preparing = { fill($0, "pos_embed", "cls_token") }
    return found
  }

  private static var xcit: LibraryClass {
    var found = LibraryClass(
      "Xcit", "patch_embed pos_drop blocks cls_attn_blocks norm head", redraws: [.cut("Linear")])
    found.isMeant = { !$0.weightSizes(at: "norm").isEmpty }
    found.hidden = { module in
      let width = module.weightSizes(at: "norm")[0]
      let depth = module["blocks"]?.ownChildren.count ?? 0
      let heads = width < 384 ? 4 : width < 768 ? 8 : 16
      var hidden = Hidden(parameters: [tokens("cls_token", [1, 1, width])])
      for node in module.namedModules() {
        let names: [String] =
          switch node.module.kind {
          case "XCABlock": ["gamma1", "gamma3", "gamma2"]
          case "ClassAttentionBlock": ["gamma1", "gamma2"]
          default: []
          }
        hidden.parameters += names.map {
          Parameter(
            node.name(of: $0), shape: [width], initializer: Constant(depth > 12 ? 1e-5 : 1))
        }
        if node.module.kind == "XCA" {
          hidden.parameters.append(
            Parameter(
              node.name(of: "temperature"), shape: [heads, 1, 1], initializer: Constant(1)))
        }
      }
      return hidden
    }
    found.assumption =
      "4 heads for fewer than 384 channels, 8 for fewer than 768, and else 16 are assumed, and gamma "
      + "of 1 for 12 blocks and 1e-5 for more"
    found.preparing = { fill($0, "cls_token") }
    return found
  }

  private static var tnt: LibraryClass {
    var found = LibraryClass(
      "TNT", "pixel_embed norm1_proj proj norm2_proj pos_drop blocks norm head",
      redraws: [.cut("Linear"), .norms("LayerNorm")])
    found.isMeant = {
      $0.weightSizes(at: "pixel_embed.proj").count == 4 && $0.weightSizes(at: "proj").count == 2
    }
    found.hidden = { module in
      let inner = module.weightSizes(at: "pixel_embed.proj")[0]
      let (outer, joined) = (
        module.weightSizes(at: "proj")[0], module.weightSizes(at: "proj")[1]
      )
      let side = Int(Double(joined / max(1, inner)).squareRoot())
      return Hidden(parameters: [
        tokens("cls_token", [1, 1, outer]), tokens("patch_pos", [1, 197, outer]),
        tokens("pixel_pos", [1, inner, side, side]),
      ])
    }
    found.assumption = "patch_pos is taken to be that of 14 x 14 patches, 224 pixels by 16"
    found.preparing = { fill($0, "cls_token", "patch_pos", "pixel_pos") }
    return found
  }

  /// What encodes positions is one object in all blocks of a resolution.
  private static var coat: LibraryClass {
    var found = LibraryClass(
      "CoaT", "patch_embed1 patch_embed4 cpe1 crpe4 serial_blocks1 serial_blocks4",
      redraws: [.cut("Linear"), .norms("LayerNorm")])
    found.hidden = { module in
      Hidden(
        parameters: (1...4).map {
          tokens(
            "cls_token\($0)", [1, 1, module.weightSizes(at: "patch_embed\($0).proj").first ?? 0])
        })
    }
    found.shares = { module in
      (1...4).flatMap { number in
        (module["serial_blocks\(number)"]?.ownChildren ?? []).indices.flatMap { index in
          let block = "serial_blocks\(number).\(index)"
          return [
            ("\(block).cpe", "cpe\(number)"), ("\(block).factoratt_crpe.crpe", "crpe\(number)"),
          ]
        }
          + (module["parallel_blocks"]?.ownChildren ?? []).indices.map { index in
            ("parallel_blocks.\(index).factoratt_crpe\(number).crpe", "crpe\(number)")
          }
      }
    }
    found.preparing = { fill($0, "cls_token1", "cls_token2", "cls_token3", "cls_token4") }
    return found
  }

  private static var coatParallelBlock: LibraryClass {
    var found = LibraryClass("ParallelBlock", "factoratt_crpe2 factoratt_crpe4 mlp2 mlp3 mlp4")
    found.shares = { _ in [("mlp3", "mlp2"), ("mlp4", "mlp2")] }
    return found
  }
}
