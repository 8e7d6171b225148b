internal import TensorCore

/// The single-shot detectors of torchvision 0.29.2, whose backbones lost their classifiers.
///
/// Source: torchvision 0.29.2 `models/detection/ssd.py`, `ssdlite.py`, `models/mobilenetv3.py`,
/// `models/vgg.py`.
extension LibraryClass {
  static let singleShot: [LibraryClass] = [
    scoringHead("SSDClassificationHead", xavier), scoringHead("SSDRegressionHead", xavier),
    scoringHead("SSDLiteClassificationHead", wide), scoringHead("SSDLiteRegressionHead", wide),
    extractorVGG, extractorMobileNet,
  ]

  private static let xavier = Redraw("Conv2d", weight: XavierUniform(), bias: .zeros)
  private static let wide = Redraw("Conv2d", weight: Normal(standardDeviation: 0.03), bias: .zeros)

  private static func scoringHead(_ kind: String, _ redraw: Redraw) -> LibraryClass {
    LibraryClass(kind, "module_list", redraws: [redraw])
  }

  /// What drawing a Linear's weight and bias consumes, when the layer is then left out.
  static func discardedLinear(_ inputs: Int, _ outputs: Int) -> [ConstructionStep] {
    [
      .discard(shape: [outputs, inputs], dtype: nil, KaimingUniform(a: 5.0.squareRoot())),
      .discard(shape: [outputs], dtype: nil, Uniform(fan: inputs)),
    ]
  }

  /// Width of a MobileNetV3's hidden classifier layer, by the outputs of its last convolution;
  /// `nil` for widths that its two usual sizes, whole and reduced, do not have.
  static func mobileClassifier(of outputs: Int) -> Int? {
    [960: 1_280, 480: 640, 576: 1_024, 288: 512][outputs]
  }

  static func discardedClassifier(of outputs: Int) -> [ConstructionStep] {
    guard let hidden = mobileClassifier(of: outputs) else { return [] }
    return discardedLinear(outputs, hidden) + discardedLinear(hidden, 1_000)
  }

  /// What drawing that classifier again consumes.
  static func redrawnClassifier(of outputs: Int) -> [ConstructionStep] {
    guard let hidden = mobileClassifier(of: outputs) else { return [] }
    return [[hidden, outputs], [1_000, hidden]].map {
      .discard(shape: $0, dtype: nil, Normal(standardDeviation: 0.01))
    }
  }

  /// A VGG cut in two, with further layers after it: the last of the second part are new.
  private static var extractorVGG: LibraryClass {
    var found = LibraryClass("SSDFeatureExtractorVGG", "features extra.0")
    found.hidden = { module in
      let last = module["features"]?.ownChildren.last { $0.module?.kind == "Conv2d" }?.module
      let width = last?.weightSizes.first ?? 0
      return Hidden(parameters: [
        Parameter("scale_weight", shape: [width], initializer: Constant(20))
      ])
    }
    let drops = [(25_088, 4_096), (4_096, 4_096), (4_096, 1_000)]
    found.construction = { module in steps(module, drops: drops, isDrawnAgain: false) }
    found.building = { module in steps(module, drops: drops, isDrawnAgain: true) }
    return found

    @Sendable func steps(
      _ module: Module, drops: [(Int, Int)], isDrawnAgain: Bool
    ) -> [ConstructionStep] {
      let second = module["extra.0"]?.ownChildren.map { "extra.0.\($0.name)" } ?? []
      let parts = ["features"] + second.dropLast()
      let levels = (module["extra"]?.ownChildren.dropFirst() ?? []).map { "extra.\($0.name)" }
      let added = Array(second.suffix(1))
      func again(_ paths: [String], _ redraw: Redraw) -> [ConstructionStep] {
        isDrawnAgain ? paths.flatMap { fills([redraw], in: module, at: $0) } : []
      }
      var steps = parts.map { ConstructionStep.child($0) }
      steps += drops.flatMap { discardedLinear($0.0, $0.1) }
      steps += again(parts, Redraw("Conv2d", weight: rectified, bias: .zeros))
      if isDrawnAgain {
        steps += drops.map {
          .discard(shape: [$0.1, $0.0], dtype: nil, Normal(standardDeviation: 0.01))
        }
      }
      steps += [.ownParameters] + levels.map { .child($0) } + again(levels, xavier)
      return steps + added.map { .child($0) } + again(added, xavier)
    }
  }

  /// A MobileNetV3 cut in two, drawn twice again, with further layers after it.
  private static var extractorMobileNet: LibraryClass {
    var found = LibraryClass("SSDLiteFeatureExtractorMobileNet", "features.0 features.1 extra")
    @Sendable func outputs(_ module: Module) -> Int {
      module["features.1"]?.ownChildren.last?.module?.child("0")?.weightSizes.first ?? 0
    }
    found.isMeant = { mobileClassifier(of: outputs($0)) != nil }
    found.construction = { module in
      [.child("features")] + discardedClassifier(of: outputs(module)) + [.child("extra")]
    }
    found.building = { module in
      [.child("features")] + discardedClassifier(of: outputs(module))
        + fills(mobileNet, in: module, at: "features") + redrawnClassifier(of: outputs(module))
        + fills([wide], in: module, at: "features") + [.child("extra")]
        + fills([wide], in: module, at: "extra")
    }
    return found
  }
}
