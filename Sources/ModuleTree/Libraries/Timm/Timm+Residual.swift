internal import TensorCore

/// ResNet and its relatives in timm 1.0.31.
///
/// Source: timm 1.0.31 `models/resnet.py`, `res2net.py`, `resnest.py`, `sknet.py`, `senet.py`, `resnetv2.py`,
/// `regnet.py`, `hrnet.py`, `nfnet.py`, `byobnet.py`.
extension LibraryClass {
  static let timmResidual: [LibraryClass] =
    [
      resNet, senet, resNetV2, regNet, byobNet, normFreeNet, normFreeBlock,
      LibraryClass(
        "HighResolutionNet", "conv1 bn1 act1 stage4 incre_modules global_pool",
        redraws: [Redraw("Conv2d", weight: rectified), .norms("BatchNorm2d")]),
      scaledConvolution("ScaledStdConv2d"), scaledConvolution("ScaledStdConv2dSame"),
    ] + downsampledFirst

  /// Blocks whose projection of the shortcut is built before them and registered inside them.
  private static let downsampledFirst: [LibraryClass] = [
    "BasicBlock": "conv1 bn1 act1 conv2 act2 downsample",
    "Bottleneck": "conv1 bn1 act1 conv2 conv3 act3 downsample",
    "Bottle2neck": "conv1 bn1 convs bns conv3 downsample",
    "ResNestBottleneck": "conv1 bn1 conv2 conv3 downsample",
    "SelectiveKernelBasic": "conv1 conv2 downsample",
    "SelectiveKernelBottleneck": "conv1 conv2 conv3 downsample",
    "SEBottleneck": "conv1 conv2 conv3 se_module downsample",
    "SEResNetBottleneck": "conv1 conv2 conv3 se_module downsample",
    "SEResNeXtBottleneck": "conv1 conv2 conv3 se_module downsample",
    "SEResNetBlock": "conv1 conv2 se_module downsample",
  ].map { kind, children in
    var found = LibraryClass(kind, children)
    found.construction = { $0.construction(from: "downsample") }
    return found
  }

  /// Attention that draws values in its own constructor.
  private static let drawing: Set<String> = [
    "GlobalContext", "GatherExcite", "NonLocalAttn", "BatNonLocalAttn", "HaloAttn", "LambdaLayer",
    "BottleneckAttn", "SelfAttnBlock", "AttentionPool2d", "RotAttentionPool2d", "CondConv2d",
  ]

  private static var resNet: LibraryClass {
    var found = LibraryClass(
      "ResNet", "conv1 bn1 act1 maxpool layer1 global_pool",
      redraws: [Redraw("Conv2d", weight: rectified)])
    found.isMeant = { !$0.holds(anyOf: drawing) }
    // The blocks of sknet.py are built without it.
    found.finishing = {
      $0.filling(
        with: 0,
        [
          "BasicBlock": ["bn2.weight"], "Bottleneck": ["bn3.weight"], "Bottle2neck": ["bn3.weight"],
          "ResNestBottleneck": ["bn3.weight"],
        ])
    }
    return found
  }

  private static var senet: LibraryClass {
    LibraryClass(
      "SENet", "layer0 pool0 layer1 layer4 global_pool",
      redraws: [Redraw("Conv2d", weight: rectified), .norms("BatchNorm2d")])
  }

  private static var resNetV2: LibraryClass {
    LibraryClass(
      "ResNetV2", "stem stages norm head",
      redraws: [
        Redraw("Linear", weight: Normal(standardDeviation: 0.01), bias: .zeros),
        Redraw("Conv2d", weight: Normal(standardDeviation: 0.01), bias: .zeros).at {
          $0.hasPrefix("head.fc")
        },
        Redraw("Conv2d", weight: rectified, bias: .zeros),
        .norms("BatchNorm2d", "LayerNorm", "GroupNorm"),
      ])
  }

  private static var regNet: LibraryClass {
    var found = LibraryClass(
      "RegNet", "stem s1 s4 final_conv head",
      redraws: [
        .fanOutNormal, Redraw("Linear", weight: Normal(standardDeviation: 0.01), bias: .zeros),
      ])
    found.isMeant = { !$0.holds(anyOf: drawing) }
    // The blocks of regnetz, which have no activation at the end, are built without it.
    found.finishing = {
      $0.filling(with: 0, ["Bottleneck": ["conv3.bn.weight"]]) { $0["act3"]?.kind != "Identity" }
    }
    return found
  }

  private static var byobNet: LibraryClass {
    var found = LibraryClass(
      "ByobNet", "stem stages final_conv head",
      redraws: [
        .fanOutNormal, Redraw("Linear", weight: Normal(standardDeviation: 0.01), bias: .zeros),
        .norms("BatchNorm2d"), repVgg,
      ])
    found.childrenFirst = true
    found.isMeant = { !$0.holds(anyOf: drawing) }
    found.finishing = {
      $0.filling(
        with: 0,
        [
          "BasicBlock": ["conv2_kxk.bn.weight"], "BottleneckBlock": ["conv3_1x1.bn.weight"],
          "DarkBlock": ["conv2_kxk.bn.weight"], "EdgeBlock": ["conv2_1x1.bn.weight"],
        ]
      ) { $0["shortcut"] != nil }
    }
    return found
  }

  /// The norms of a block, after its modules and those inside.
  private static let repVgg = Redraw("RepVggBlock") { module in
    module.namedModules().filter { $0.module.lineage.contains("BatchNorm2d") }.flatMap {
      [
        Rule.Assignment($0.name(of: "weight"), Normal(mean: 0.1, standardDeviation: 0.1)),
        Rule.Assignment($0.name(of: "bias"), Normal(standardDeviation: 0.1)),
      ]
    }
  }

  private static var normFreeNet: LibraryClass {
    LibraryClass(
      "NormFreeNet", "stem stages final_conv final_act head",
      redraws: [
        Redraw("Linear", weight: Normal(standardDeviation: 0.01), bias: .zeros).at {
          $0.contains("fc")
        },
        Redraw("Conv2d", weight: KaimingNormal(nonlinearity: .linear), bias: .zeros),
      ])
  }

  /// A factor of the block's last convolution begins at 0, or one of the block if it skips at first.
  private static var normFreeBlock: LibraryClass {
    var found = LibraryClass("NormFreeBlock", "act1 conv1 act2 conv2 act3 conv3")
    @Sendable func skips(_ module: Module) -> Bool {
      module["conv3"]?.kind == "ScaledStdConv2dSame"
    }
    found.hidden = { skips($0) ? Hidden(["skipinit_gain": []], all: 0) : Hidden() }
    found.assumption = "skipinit_gain is taken to be there, as in the models dm_nfnet"
    found.construction = { module in
      module.construction + (skips(module) ? [] : [.fill("conv3.gain", Constant(0))])
    }
    return found
  }

  private static func scaledConvolution(_ kind: String) -> LibraryClass {
    var found = LibraryClass(kind)
    found.isMeant = { $0.layer is Convolution }
    found.hidden = { Hidden(["gain": [$0.weightSizes.first ?? 0, 1, 1, 1]], all: 1) }
    return found
  }
}
