internal import TensorCore

/// The classes of diffusers 0.42.1 whose parts are built in another order than they are printed, or
/// that own tensors which printed text does not show.
///
/// Source: diffusers 0.42.1 `models/unets/`, `models/autoencoders/`, `models/attention.py`,
/// `models/transformers/pixart_transformer_2d.py`, checked by `Tools/check-models`.
extension LibraryClass {
  static let diffusers: [LibraryClass] =
    [
      "AttnDownBlock2D", "CrossAttnDownBlock2D", "AttnDownEncoderBlock2D",
      "SimpleCrossAttnDownBlock2D", "KCrossAttnDownBlock2D", "AttnUpBlock2D", "CrossAttnUpBlock2D",
      "AttnUpDecoderBlock2D", "SimpleCrossAttnUpBlock2D", "KCrossAttnUpBlock2D",
      "CrossAttnDownBlockSpatioTemporal", "CrossAttnUpBlockSpatioTemporal",
    ].map { alternating($0, from: 0) }
    + [
      "UNetMidBlock2D", "UNetMidBlock2DCrossAttn", "UNetMidBlock2DSimpleCrossAttn",
      "UNetMidBlockSpatioTemporal",
    ].map { alternating($0, from: 1) }
    + ["UNet2DModel", "UNet2DConditionModel", "UNetSpatioTemporalConditionModel"].map(unet)
    + [
      LibraryClass("AutoencoderKL", "encoder.mid_block decoder.mid_block"),
      LibraryClass("VQModel", "encoder.mid_block quantize decoder.mid_block"),
      LibraryClass("Encoder", "conv_in down_blocks mid_block conv_norm_out conv_out"),
      decoder, quantizer, attentionBlock, pixArt,
      LibraryClass("Transformer2DModel", "norm proj_in transformer_blocks proj_out"),
    ]
    // Built in the printed order.
    + plain([
      "AutoencoderTiny": "encoder decoder", "T2IAdapter": "adapter",
      "AutoencoderKLCogVideoX": "encoder decoder",
      "ConsistencyDecoderVAE": "encoder decoder_unet",
      "CogView3PlusTransformer2DModel": "patch_embed transformer_blocks norm_out proj_out",
      "TransformerTemporalModel": "norm proj_in transformer_blocks proj_out",
    ])
    + [LibraryClass("DiTTransformer2DModel", "pos_embed.proj transformer_blocks proj_out_2")]
    .map { found in
      var found = found
      found.covers = ["PatchEmbed"]
      return found
    }

  /// A block that builds residual layers and attention in turn, after `first` residual layers.
  private static func alternating(_ kind: String, from first: Int) -> LibraryClass {
    var found = LibraryClass(kind, "resnets")
    found.construction = { module in
      func names(_ list: String) -> [String] {
        (module.child(list)?.ownChildren ?? []).map { "\(list).\($0.name)" }
      }
      let (resnets, attentions) = (names("resnets"), names("attentions"))
      var order = Array(resnets.prefix(first))
      for index in 0..<max(resnets.count - first, attentions.count) {
        let pair = [resnets.dropFirst(first + index).first, attentions.dropFirst(index).first]
        order += (first == 0 ? pair : pair.reversed()).compactMap { $0 }
      }
      let others = module.ownChildren.map(\.name).filter { $0 != "resnets" && $0 != "attentions" }
      return (order + others).filter { module[$0] != nil }.map { .child($0) }
    }
    return found
  }

  /// The middle is built before the way up, and printed after it.
  private static func unet(_ kind: String) -> LibraryClass {
    var found = LibraryClass(kind, "conv_in down_blocks up_blocks conv_out")
    found.construction = { $0.moving("mid_block", before: "up_blocks") }
    return found
  }

  private static var decoder: LibraryClass {
    var found = LibraryClass("Decoder", "conv_in up_blocks mid_block conv_norm_out conv_out")
    found.construction = { $0.moving("mid_block", before: "up_blocks") }
    return found
  }

  private static var quantizer: LibraryClass {
    var found = LibraryClass("VectorQuantizer", "embedding")
    found.finishing = { module in
      let bound = 1 / Double(max(module.child("embedding")?.weightSizes.first ?? 1, 1))
      return [.fill("embedding.weight", Uniform(lower: -bound, upper: bound))]
    }
    return found
  }

  /// Blocks whose norms have weights, or are adaptive modules, own no tensors.
  private static var attentionBlock: LibraryClass {
    var found = LibraryClass("BasicTransformerBlock", "norm1 attn1 ff")
    found.isMeant = { module in
      module.child("norm1").map { $0.kind != "LayerNorm" || !$0.ownParameters.isEmpty } ?? false
    }
    return found
  }

  private static var pixArt: LibraryClass {
    var found = LibraryClass(
      "PixArtTransformer2DModel", "pos_embed.proj transformer_blocks norm_out proj_out adaln_single"
    )
    found.covers = ["BasicTransformerBlock", "PatchEmbed"]
    found.hidden = { module in
      let width = module["pos_embed.proj"]?.weightSizes.first ?? 0
      func table(_ rows: Int) -> Parameter {
        Parameter(
          "scale_shift_table", shape: [rows, width],
          initializer: Arithmetic(
            Normal(mean: 0, standardDeviation: 1), [.over(Double(width).squareRoot())]))
      }
      var inside: [String: Hidden] = [:]
      for block in module.child("transformer_blocks")?.ownChildren ?? [] {
        inside["transformer_blocks.\(block.name)"] = Hidden(parameters: [table(6)], isLast: true)
      }
      return Hidden(parameters: [table(2)], inside: inside)
    }
    found.construction = { module in
      let names = module.ownChildren.filter { $0.module != nil }.map(\.name)
      return names.flatMap { name -> [ConstructionStep] in
        name == "proj_out" ? [.ownParameters, .child(name)] : [.child(name)]
      }
    }
    return found
  }
}

extension Module {
  /// Its children in printed order, but for one that comes before another.
  fileprivate func moving(_ name: String, before other: String) -> [ConstructionStep] {
    var names = ownChildren.filter { $0.module != nil }.map(\.name)
    guard let from = names.firstIndex(of: name), let to = names.firstIndex(of: other), to < from
    else { return [.ownParameters] + names.map { .child($0) } }
    names.insert(names.remove(at: from), at: to)
    return [.ownParameters] + names.map { .child($0) }
  }
}
