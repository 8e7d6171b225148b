internal import TensorCore

/// Convolutional networks of timm 1.0.31 that are neither residual nor made for phones.
///
/// Source: timm 1.0.31 `models/densenet.py`, `vgg.py`, `convnext.py`, `dla.py`, `dpn.py`, `inception_v4.py`,
/// `selecsls.py`, `convmixer.py`, `edgenext.py`, `metaformer.py`, `xception_aligned.py`.
extension LibraryClass {
  static let timmConvolutional: [LibraryClass] = [
    LibraryClass(
      "DenseNet", "features global_pool classifier",
      redraws: [
        Redraw("Conv2d", weight: KaimingNormal()), .norms("BatchNorm2d"),
        Redraw("Linear") { _ in [Rule.Assignment("bias", Constant(0))] },
      ]),
    LibraryClass(
      "VGG", "features pre_logits head",
      redraws: [
        Redraw("Conv2d", weight: rectified, bias: .zeros), .norms("BatchNorm2d"),
        Redraw("Linear", weight: Normal(standardDeviation: 0.01), bias: .zeros),
      ]),
    LibraryClass(
      "SelecSls", "stem features head global_pool", redraws: [Redraw("Conv2d", weight: rectified)]),
    dla, dlaTree,
    LibraryClass("DPN", "features global_pool classifier"),
    LibraryClass("InceptionV4", "features global_pool last_linear"),
    LibraryClass("InceptionResnetV2", "conv2d_1a mixed_5b repeat global_pool"),
    LibraryClass("ConvMixer", "stem blocks global_pool"), LibraryClass("Residual", "fn"),
    LibraryClass("DenseBlock", "denselayer1"),
    // DaViT's, without a table of distances.
    LibraryClass("WindowAttention", "qkv proj softmax", lacking: "attn_drop cpb_mlp"),
    convNeXt, convNeXtBlock, responseNormMLP, edgeNeXt, edgeConvolution, edgeSplit, metaFormer,
    metaFormerBlock, starReLU,
  ]

  /// A standard deviation of √(2 / (kernel · outputs)), whatever the groups.
  private static var dla: LibraryClass {
    LibraryClass(
      "DLA", "base_layer level0 level5 global_pool",
      redraws: [
        Redraw("Conv2d") { module in
          [
            Rule.Assignment("weight", Normal(standardDeviation: (2 / module.fanOut).squareRoot()))
          ]
        },
        .norms("BatchNorm2d"),
      ])
  }

  private static var dlaTree: LibraryClass {
    var found = LibraryClass("DlaTree", "downsample project tree1 tree2")
    found.construction = { module in
      ["tree1", "tree2", "project", "root"].filter { module[$0] != nil }.map { .child($0) }
    }
    return found
  }

  private static var convNeXt: LibraryClass {
    LibraryClass(
      "ConvNeXt", "stem stages norm_pre head", redraws: [.cut("Conv2d"), .cut("Linear")])
  }

  private static var convNeXtBlock: LibraryClass {
    var found = LibraryClass("ConvNeXtBlock", "conv_dw norm mlp shortcut drop_path")
    found.hidden = { module in
      // The second version has a norm in its place.
      module["mlp.grn"] != nil
        ? Hidden()
        : Hidden(["gamma": [module.weightSizes(at: "conv_dw").first ?? 0]], all: 1e-6)
    }
    found.assumption = "gamma is taken to be 1e-6, the default"
    return found
  }

  private static var responseNormMLP: LibraryClass {
    var found = LibraryClass("GlobalResponseNormMlp", "fc1 act grn fc2")
    found.hidden = { module in
      let width = module.weightSizes(at: "fc1").first ?? 0
      return Hidden(["grn.weight": [width], "grn.bias": [width]], all: 0)
    }
    return found
  }

  private static var edgeNeXt: LibraryClass {
    let cut = InvertedNormal(standardDeviation: 0.02, isScaled: true)
    var found = LibraryClass(
      "EdgeNeXt", "stem stages norm_pre head",
      redraws: [
        Redraw("Conv2d", weight: cut, bias: .zeros), Redraw("Linear", weight: cut, bias: .zeros),
      ])
    found.hidden = { module in
      let heads = (module.weightSizes(at: "stem.0").first ?? 0) < 48 ? 4 : 8
      return Hidden(
        parameters: module.namedModules().filter { $0.module.kind == "CrossCovarianceAttn" }.map {
          Parameter(
            $0.name(of: "temperature"), shape: [heads, 1, 1], initializer: Constant(1))
        })
    }
    found.assumption =
      "attention is taken to have 4 heads where the stem has fewer than 48 channels, else 8"
    return found
  }

  private static var edgeConvolution: LibraryClass {
    var found = LibraryClass("ConvBlock", "conv_dw norm mlp drop_path")
    found.hidden = {
      Hidden(["gamma": [$0.weightSizes(at: "conv_dw").first ?? 0]], all: 1e-6)
    }
    found.assumption = "gamma is taken to be 1e-6, the default"
    return found
  }

  private static var edgeSplit: LibraryClass {
    var found = LibraryClass("SplitTransposeBlock", "convs norm_xca xca norm mlp")
    found.hidden = { module in
      let width = module.weightSizes(at: "norm_xca").first ?? 0
      return Hidden(["gamma_xca": [width], "gamma": [width]], all: 1e-6)
    }
    found.assumption = "gamma and gamma_xca are taken to be 1e-6, the default"
    return found
  }

  private static var metaFormer: LibraryClass {
    var found = LibraryClass(
      "MetaFormer", "stem stages head", redraws: [.cut("Conv2d", "Linear")])
    found.hidden = { module in
      let blocks = module.namedModules().filter { $0.module.kind == "MetaFormerBlock" }
      // poolformer_s12 and s24 have fewer than 30 blocks, the others more.
      let value = blocks.count < 30 ? 1e-5 : 1e-6
      let scales = blocks.flatMap { node in
        ["layer_scale1", "layer_scale2"].filter { node.module[$0]?.kind == "Scale" }.map {
          Parameter(
            node.name(of: "\($0).scale"), shape: node.module.weightSizes(at: "norm1"),
            initializer: Constant(value))
        }
      }
      return Hidden(parameters: scales)
    }
    found.assumption =
      "layer_scale is taken to be 1e-5 in networks of fewer than 30 blocks, else 1e-6"
    return found
  }

  private static var metaFormerBlock: LibraryClass {
    var found = LibraryClass("MetaFormerBlock", "norm1 token_mixer layer_scale1 res_scale1 mlp")
    found.hidden = { module in
      let width = module.weightSizes(at: "norm1")
      return Hidden(
        parameters: ["res_scale1", "res_scale2"].filter { module[$0]?.kind == "Scale" }.map {
          Parameter("\($0).scale", shape: width, initializer: Constant(1))
        })
    }
    return found
  }

  private static var starReLU: LibraryClass {
    var found = LibraryClass("StarReLU", "relu")
    found.hidden = { _ in
      Hidden(parameters: [
        Parameter("scale", shape: [1], initializer: Constant(1)),
        Parameter("bias", shape: [1], initializer: Constant(0)),
      ])
    }
    return found
  }
}
