internal import TensorCore

/// The multiscale vision transformers of torchvision 0.29.2.
///
/// Source: torchvision 0.29.2 `models/video/mvit.py`.
extension LibraryClass {
  static let video: [LibraryClass] = [multiscale]

  private static let narrow = TruncatedNormal(standardDeviation: 0.02)

  private static var multiscale: LibraryClass {
    var found = LibraryClass(
      "MViT", "conv_proj pos_encoding blocks.0.attn.qkv norm head.1",
      redraws: [
        Redraw("Linear", weight: narrow, bias: .zeros), .norms("LayerNorm"),
        Redraw("PositionalEncoding") { module in
          module.ownParameters.map { Rule.Assignment($0.name, narrow) }
        },
      ])
    found.covers = ["PositionalEncoding", "MultiscaleAttention"]
    found.hidden = { module in
      var inside: [String: Hidden] = [:]
      let width = module["conv_proj"]?.weightSizes.first ?? 0
      guard var grid = inputGrid(module) else { return Hidden() }
      let isRelative = usesRelativePositions(module)
      var positions = [Parameter("class_token", shape: [width], initializer: Constant(0))]
      if !isRelative {
        positions += [
          Parameter("spatial_pos", shape: [grid[1] * grid[2], width], initializer: Constant(0)),
          Parameter("temporal_pos", shape: [grid[0], width], initializer: Constant(0)),
          Parameter("class_pos", shape: [width], initializer: Constant(0)),
        ]
      }
      inside["pos_encoding"] = Hidden(parameters: positions)
      for block in module.child("blocks")?.ownChildren ?? [] {
        guard let attention = block.module?.child("attn") else { continue }
        let (query, key) = (strides(attention["pool_q.pool"]), strides(attention["pool_k.pool"]))
        let pooled = attention["pool_k.pool"] ?? attention["pool_q.pool"]
        if isRelative, let head = pooled?.weightSizes.first {
          let side = max(grid[1], grid[2])
          let spatial = max(side / (query?[1] ?? 1), side / (key?[1] ?? 1))
          let shapes = [
            ("rel_pos_h", spatial), ("rel_pos_w", spatial), ("rel_pos_t", grid[0]),
          ]
          inside["blocks.\(block.name).attn"] = Hidden(
            parameters: shapes.map {
              Parameter($0.0, shape: [max(2 * $0.1 - 1, 1), head], initializer: narrow)
            }, isLast: true)
        }
        if let query { grid = zip(grid, query).map { $0 / max($1, 1) } }
      }
      return Hidden(inside: inside)
    }
    found.assumption = "16 frames of 224 x 224 pixels are assumed, the usual input"
    return found
  }

  /// Frames, rows, and columns after the first convolution.
  private static func inputGrid(_ module: Module) -> [Int]? {
    strides(module["conv_proj"]).map { zip([16, 224, 224], $0).map { $0 / max($1, 1) } }
  }

  private static func strides(_ module: Module?) -> [Int]? {
    guard let module, let sizes = try? PrintedArguments(module.arguments).sizes("stride"),
      sizes.count == 3, sizes.allSatisfy({ $0 > 0 })
    else { return nil }
    return sizes
  }

  /// The second version has relative positions, and projects after its attention: there the width
  /// changes inside it.
  private static func usesRelativePositions(_ module: Module) -> Bool {
    module.child("blocks")?.ownChildren.contains { block in
      guard block.module?.child("project") != nil,
        let sizes = block.module?["attn.qkv"]?.weightSizes, sizes.count == 2
      else { return false }
      return sizes[0] / 3 != sizes[1]
    } ?? false
  }
}
