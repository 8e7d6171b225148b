internal import TensorCore

/// The classes of torchvision 0.29.2 that draw values after building their layers, or own tensors
/// that printed text does not show.
///
/// Source: torchvision 0.29.2 `models/`, checked by `Tools/check-models`.
extension LibraryClass {
  static let torchvision = convolutional + attention + dense + video

  private static let fanOut = KaimingNormal(mode: .fanOut)

  private static let resNet = [
    Redraw("Conv2d", weight: rectified), .norms("BatchNorm2d", "GroupNorm"),
  ]
  static let mobileNet = [
    Redraw("Conv2d", weight: fanOut, bias: .zeros), .norms("BatchNorm2d", "GroupNorm"),
    Redraw("Linear", weight: Normal(standardDeviation: 0.01), bias: .zeros),
  ]
  private static let inception = [
    Redraw("Conv2d", weight: TruncatedNormal(standardDeviation: 0.1)),
    Redraw("Linear", weight: TruncatedNormal(standardDeviation: 0.1)),
    .norms("BatchNorm2d"),
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
        Redraw("Conv2d", weight: rectified, bias: .zeros), .norms("BatchNorm2d"),
        Redraw("Linear", weight: Normal(standardDeviation: 0.01), bias: .zeros),
      ]),
    LibraryClass(
      "DenseNet", "features classifier", lacking: "global_pool",
      redraws: [
        Redraw("Conv2d", weight: KaimingNormal()), .norms("BatchNorm2d"),
        Redraw("Linear") { _ in [Rule.Assignment("bias", Constant(0))] },
      ]),
    LibraryClass(
      "GoogLeNet", "conv1 maxpool1 inception3a fc",
      redraws: [
        Redraw("Conv2d", weight: TruncatedNormal(standardDeviation: 0.01)),
        Redraw("Linear", weight: TruncatedNormal(standardDeviation: 0.01)), .norms("BatchNorm2d"),
      ]),
    inceptionV3,
    LibraryClass("MobileNetV2", "features classifier", redraws: mobileNet),
    LibraryClass(
      "MobileNetV3", "features avgpool classifier", lacking: "conv_stem", redraws: mobileNet),
    LibraryClass(
      "MNASNet", "layers classifier",
      redraws: [
        Redraw("Conv2d", weight: rectified, bias: .zeros), .norms("BatchNorm2d"),
        Redraw(
          "Linear", weight: KaimingUniform(mode: .fanOut, nonlinearity: .sigmoid), bias: .zeros),
      ]),
    LibraryClass("ShuffleNetV2", "conv1 maxpool stage2 stage3 stage4 conv5 fc"),
    squeezeNet,
    LibraryClass(
      "RegNet", "stem trunk_output fc", lacking: "head",
      redraws: [
        scaledNormal, .norms("BatchNorm2d"),
        Redraw("Linear", weight: Normal(standardDeviation: 0.01), bias: .zeros),
      ]),
    LibraryClass(
      "EfficientNet", "features avgpool classifier", lacking: "conv_stem",
      redraws: [
        Redraw("Conv2d", weight: fanOut, bias: .zeros), .norms("BatchNorm2d", "GroupNorm"),
        .uniformByOutputs,
      ]),
    convNeXt, convNeXtBlock,
    LibraryClass(
      "VideoResNet", "stem layer1 layer2 layer3 layer4 fc",
      redraws: [
        Redraw("Conv3d", weight: rectified, bias: .zeros), .norms("BatchNorm3d"),
        Redraw("Linear", weight: Normal(standardDeviation: 0.01), bias: .zeros),
      ]),
    LibraryClass("S3D", "features avgpool classifier"),
  ]

  private static var inceptionV3: LibraryClass {
    var found = LibraryClass("Inception3", "Conv2d_1a_3x3 Mixed_5b fc")
    // One Linear has a standard deviation of its own.
    found.finishing = { module in
      redrawing(
        module, inception, but: "AuxLogits.fc.weight", TruncatedNormal(standardDeviation: 0.001))
    }
    return found
  }

  private static var squeezeNet: LibraryClass {
    var found = LibraryClass("SqueezeNet", "features classifier")
    let loop = [Redraw("Conv2d", weight: KaimingUniform(), bias: .zeros)]
    found.finishing = { module in
      redrawing(module, loop, but: "classifier.1.weight", Normal(standardDeviation: 0.01))
    }
    return found
  }

  /// What a loop fills, one parameter with other values than the rest.
  private static func redrawing(
    _ module: Module, _ loop: [Redraw], but parameter: String, _ initializer: some Initializer
  ) -> [ConstructionStep] {
    LibraryClass("", redraws: loop).redrawing(module).map { step in
      if case .fill(parameter, _) = step.kind { .fill(parameter, initializer) } else { step }
    }
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
