internal import TensorCore

/// Networks of timm 1.0.31 that are built from inverted residuals.
///
/// Source: timm 1.0.31 `models/_efficientnet_builder.py`, `efficientnet.py`, `mobilenetv3.py`, `rexnet.py`,
/// `ghostnet.py`.
extension LibraryClass {
  static let timmMobile: [LibraryClass] = [
    efficient("EfficientNet", "conv_stem bn1 blocks conv_head bn2 global_pool"),
    efficient("MobileNetV3", "conv_stem bn1 blocks global_pool conv_head act2"),
    LibraryClass("RexNet", "stem features head", redraws: google),
    LibraryClass("GhostNet", "conv_stem bn1 act1 blocks conv_head act2"),
    scaled("UniversalInvertedResidual", "dw_start pw_exp dw_mid pw_proj layer_scale"),
  ]

  private static let google: [Redraw] = [
    .fanOutNormal, .norms("BatchNorm2d"), .uniformByOutputs,
  ]

  /// The builder tries its attention on 8 channels, and throws it away.
  private static func efficient(_ kind: String, _ children: String) -> LibraryClass {
    var found = LibraryClass(kind, children, redraws: google)
    found.isMeant = { module in
      module.namedModules().allSatisfy { node in
        node.module.kind != "CondConv2d" && node.module.kind != "MobileAttention"
          && (!node.path.hasSuffix(".se")
            || ["SqueezeExcite", "Identity"].contains(node.module.kind))
      }
    }
    found.construction = { module in
      let children = module.ownChildren.filter { $0.module != nil }.map(\.name)
      return children.flatMap { name -> [ConstructionStep] in
        guard name == "blocks" else { return [.child(name)] }
        return [
          .discard(shape: [8, 8, 1, 1], dtype: nil, KaimingUniform(a: 5.0.squareRoot())),
          .discard(shape: [8], dtype: nil, Uniform(fan: 8)),
          .discard(shape: [8, 8, 1, 1], dtype: nil, KaimingUniform(a: 5.0.squareRoot())),
          .discard(shape: [8], dtype: nil, Uniform(fan: 8)), .child(name),
        ]
      }
    }
    return found
  }

  private static func scaled(_ kind: String, _ children: String) -> LibraryClass {
    var found = LibraryClass(kind, children)
    found.hidden = { module in
      guard module["layer_scale"]?.kind == "LayerScale2d" else { return Hidden() }
      let width = module.weightSizes(at: "pw_proj.conv").first ?? 0
      return Hidden(["layer_scale.gamma": [width]], all: 1e-5)
    }
    found.assumption = "gamma is taken to be 1e-5, the default"
    return found
  }
}
