internal import TensorCore

/// The classes of torchvision 0.29.2 that draw values after building their layers, or own tensors
/// that printed text does not show.
///
/// Source: torchvision 0.29.2 `models/`, checked by `Tools/check-models`.
extension LibraryClass {
  static let torchvision = convolutional + attention + dense + video

  private static let fanOut = KaimingNormal(mode: .fanOut)

  private static let resNet = [
    Redraw("Conv2d", weight: rectified), ones("BatchNorm2d", "GroupNorm"),
  ]
  static let mobileNet = [
    Redraw("Conv2d", weight: fanOut, bias: .zeros), ones("BatchNorm2d", "GroupNorm"),
    Redraw("Linear", weight: Normal(standardDeviation: 0.01), bias: .zeros),
  ]
  private static let inception = [
    Redraw("Conv2d", weight: TruncatedNormal(standardDeviation: 0.1)),
    Redraw("Linear", weight: TruncatedNormal(standardDeviation: 0.1)),
    ones("BatchNorm2d"),
  ]
  private static let scaledNormal = Redraw("Conv2d") { module in
    let fan = Double(module.weightSizes.first ?? 1) * Double(module.weightSize(from: 2))
    return [
      Rule.Assignment("weight", Normal(standardDeviation: (2.0 / fan).squareRoot()))
    ]
  }

  private static let convolutional: [LibraryClass] = [
    LibraryClass("AlexNet", "features avgpool classifier"),
    LibraryClass("ResNet", "conv1 bn1 layer1 fc", lacking: "global_pool", redraws: resNet),
    LibraryClass(
      "VGG", "features avgpool classifier",
      redraws: [
        Redraw("Conv2d", weight: rectified, bias: .zeros), ones("BatchNorm2d"),
        Redraw("Linear", weight: Normal(standardDeviation: 0.01), bias: .zeros),
      ]),
    LibraryClass(
      "DenseNet", "features classifier", lacking: "global_pool",
      redraws: [
        Redraw("Conv2d", weight: KaimingNormal()), ones("BatchNorm2d"),
        Redraw("Linear") { _ in [Rule.Assignment("bias", Constant(0))] },
      ]),
    LibraryClass(
      "GoogLeNet", "conv1 maxpool1 inception3a fc",
      redraws: [
        Redraw("Conv2d", weight: TruncatedNormal(standardDeviation: 0.01)),
        Redraw("Linear", weight: TruncatedNormal(standardDeviation: 0.01)), ones("BatchNorm2d"),
      ]),
    inceptionV3,
    LibraryClass("MobileNetV2", "features classifier", redraws: mobileNet),
    LibraryClass(
      "MobileNetV3", "features avgpool classifier", lacking: "conv_stem", redraws: mobileNet),
    LibraryClass(
      "MNASNet", "layers classifier",
      redraws: [
        Redraw("Conv2d", weight: rectified, bias: .zeros), ones("BatchNorm2d"),
        Redraw(
          "Linear", weight: KaimingUniform(mode: .fanOut, nonlinearity: .sigmoid), bias: .zeros),
      ]),
    LibraryClass("ShuffleNetV2", "conv1 maxpool stage2 stage3 stage4 conv5 fc"),
    squeezeNet,
    LibraryClass(
      "RegNet", "stem trunk_output fc", lacking: "head",
      redraws: [
        scaledNormal, ones("BatchNorm2d"),
        Redraw("Linear", weight: Normal(standardDeviation: 0.01), bias: .zeros),
      ]),
    LibraryClass(
      "EfficientNet", "features avgpool classifier", lacking: "conv_stem",
      redraws: [
        Redraw("Conv2d", weight: fanOut, bias: .zeros), ones("BatchNorm2d", "GroupNorm"),
        Redraw("Linear") { module in
          let bound = 1 / Double(module.weightSizes.first ?? 1).squareRoot()
          return [
            Rule.Assignment("weight", Uniform(lower: -bound, upper: bound)),
            Rule.Assignment("bias", Constant(0)),
          ]
        },
      ]),
    convNeXt, convNeXtBlock,
    LibraryClass(
      "VideoResNet", "stem layer1 layer2 layer3 layer4 fc",
      redraws: [
        Redraw("Conv3d", weight: rectified, bias: .zeros), ones("BatchNorm3d"),
        Redraw("Linear", weight: Normal(standardDeviation: 0.01), bias: .zeros),
      ]),
    LibraryClass("S3D", "features avgpool classifier"),
  ]

  private static var inceptionV3: LibraryClass {
    var found = LibraryClass("Inception3", "Conv2d_1a_3x3 Mixed_5b fc", redraws: inception)
    // One Linear has a standard deviation of its own, so each module is filled by a closure.
    let deviation = TruncatedNormal(standardDeviation: 0.001)
    found.redraws = []
    found.finishing = { module in
      LibraryClass("Inception3", redraws: inception).redrawing(module).map { step in
        if case .fill("AuxLogits.fc.weight", _) = step {
          .fill("AuxLogits.fc.weight", deviation)
        } else {
          step
        }
      }
    }
    return found
  }

  private static var squeezeNet: LibraryClass {
    var found = LibraryClass("SqueezeNet", "features classifier")
    let loop = [Redraw("Conv2d", weight: KaimingUniform(), bias: .zeros)]
    let last = Normal(standardDeviation: 0.01)
    found.finishing = { module in
      LibraryClass("SqueezeNet", redraws: loop).redrawing(module).map { step in
        if case .fill("classifier.1.weight", _) = step {
          .fill("classifier.1.weight", last)
        } else {
          step
        }
      }
    }
    return found
  }

  private static var convNeXt: LibraryClass {
    LibraryClass(
      "ConvNeXt", "features avgpool classifier", lacking: "stem",
      redraws: [
        Redraw("Conv2d", "Linear", weight: TruncatedNormal(standardDeviation: 0.02), bias: .zeros)
      ])
  }

  private static var convNeXtBlock: LibraryClass {
    var block = LibraryClass("CNBlock", "block")
    block.hidden = { module in
      let width = module["block.0"]?.weightSizes.first ?? 0
      return Hidden(
        parameters: [Parameter("layer_scale", shape: [width, 1, 1], initializer: Constant(1e-6))])
    }
    block.assumption = "layer_scale is taken to be 1e-6, the default"
    return block
  }
}

extension Redraw {
  /// The same values for every module of these classes.
  init(named classes: [String], _ assignments: [Rule.Assignment]) {
    listed = classes
    values = { _ in assignments }
  }
}
