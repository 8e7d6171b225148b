internal import TensorCore

/// The models of segmentation and detection of torchvision 0.29.2, and what they are built from.
///
/// Source: torchvision 0.29.2 `models/segmentation/`, `models/detection/`, `models/optical_flow/`,
/// `ops/feature_pyramid_network.py`.
extension LibraryClass {
  static let dense: [LibraryClass] =
    [
      residualLayers, mobileLayers, segmentation("FCN"), segmentation("DeepLabV3"), pyramid,
      LibraryClass("LastLevelP6P7", "p6 p7", redraws: [pyramidal]),
      LibraryClass("RPNHead", "conv cls_logits bbox_pred", redraws: [small]),
      rcnn("MaskRCNN", "mask_head", "mask_predictor"),
      rcnn("KeypointRCNN", "keypoint_head", "keypoint_predictor"),
      convolutionHead("FastRCNNConvFCHead"), convolutionHead("MaskRCNNHeads"),
      convolutionHead("KeypointRCNNHeads"),
      LibraryClass(
        "MaskRCNNPredictor", "conv5_mask mask_fcn_logits",
        redraws: [Redraw("Conv2d", "ConvTranspose2d", weight: rectified)]),
      LibraryClass(
        "KeypointRCNNPredictor", "kps_score_lowres",
        redraws: [Redraw("ConvTranspose2d", weight: rectified, bias: .zeros)]),
      classificationHead("RetinaNetClassificationHead"),
      classificationHead("FCOSClassificationHead"),
      regressionHead("RetinaNetRegressionHead", ["bbox_reg"]),
      regressionHead("FCOSRegressionHead", ["bbox_reg", "bbox_ctrness"]),
      LibraryClass(
        "FeatureEncoder", "convnormrelu layer1 layer2 layer3 conv",
        redraws: [Redraw("Conv2d", weight: rectified), .norms("BatchNorm2d", "InstanceNorm2d")]),
    ] + singleShot

  static let rectified = KaimingNormal(mode: .fanOut, nonlinearity: .relu)
  private static let pyramidal = Redraw("Conv2d", weight: KaimingUniform(a: 1), bias: .zeros)
  private static let small = Redraw("Conv2d", weight: Normal(standardDeviation: 0.01), bias: .zeros)

  /// A ResNet as the backbone of another model: its `fc`, for 1,000 classes, was drawn and left out.
  private static var residualLayers: LibraryClass {
    var found = LibraryClass(
      "IntermediateLayerGetter", "conv1 bn1 layer1 layer4",
      redraws: [Redraw("Conv2d", weight: rectified), .norms("BatchNorm2d", "GroupNorm")])
    found.construction = { module in
      let last = module.child("layer4")?.ownChildren.last?.module
      let width = (last?.child("conv3") ?? last?.child("conv2"))?.weightSizes.first ?? 0
      return module.construction + discardedLinear(width, 1_000)
    }
    return found
  }

  /// The layers of a MobileNetV3 as the backbone of another model: its classifier was drawn, drawn
  /// again, and left out.
  private static var mobileLayers: LibraryClass {
    var found = LibraryClass("IntermediateLayerGetter", "0.0 1.block", lacking: "conv1")
    found.isMeant = { mobileClassifier(of: $0.lastConvolution) != nil }
    found.construction = { module in
      module.construction + discardedClassifier(of: module.lastConvolution)
    }
    found.building = { module in
      module.construction + LibraryClass("", redraws: mobileNet).redrawing(module)
        + redrawnClassifier(of: module.lastConvolution)
    }
    return found
  }

  /// The auxiliary head is built before the main one and printed after it.
  private static func segmentation(_ kind: String) -> LibraryClass {
    var found = LibraryClass(kind, "backbone classifier")
    found.construction = { module in
      let auxiliary = module.child("aux_classifier") == nil ? [] : ["aux_classifier"]
      return (["backbone"] + auxiliary + ["classifier"]).map { .child($0) }
    }
    return found
  }

  /// Levels are built in pairs, after the extra ones, which it is given and does not draw again.
  private static var pyramid: LibraryClass {
    var found = LibraryClass("FeaturePyramidNetwork", "inner_blocks layer_blocks")
    found.construction = { module in
      let levels = module.child("inner_blocks")?.ownChildren.map(\.name) ?? []
      let pairs = levels.flatMap { ["inner_blocks.\($0)", "layer_blocks.\($0)"] }
      let extra = module.child("extra_blocks") == nil ? [] : ["extra_blocks"]
      return (extra + pairs.filter { module[$0] != nil }).map { .child($0) }
    }
    found.finishing = { module in
      fills([pyramidal], in: module, at: "inner_blocks")
        + fills([pyramidal], in: module, at: "layer_blocks")
    }
    return found
  }

  /// The heads of masks and keypoints are built first, unless those of the boxes are given.
  private static func rcnn(_ kind: String, _ head: String, _ predictor: String) -> LibraryClass {
    var found = LibraryClass(kind, "backbone rpn.head roi_heads.\(head) roi_heads.\(predictor)")
    found.construction = { module in
      let (own, ownPredictor) = ("roi_heads.\(head)", "roi_heads.\(predictor)")
      let isGiven = module["roi_heads.box_head"]?.kind == "FastRCNNConvFCHead"
      let boxes = ["rpn", "roi_heads.box_head"]
      let order = isGiven ? boxes + [own, ownPredictor] : [own, ownPredictor] + boxes
      return (["backbone"] + order + ["roi_heads.box_predictor"])
        .filter { module[$0] != nil }.map { .child($0) }
    }
    return found
  }

  private static func convolutionHead(_ kind: String) -> LibraryClass {
    LibraryClass(kind, "0", redraws: [Redraw("Conv2d", weight: rectified, bias: .zeros)])
  }

  /// Its convolutions are drawn again before the last layer is built.
  private static func classificationHead(_ kind: String) -> LibraryClass {
    var found = LibraryClass(kind, "conv cls_logits")
    found.building = { module in
      // The logarithm of the odds of 1 in 100.
      let prior = Constant(-4.59511985013459)
      return [.child("conv")] + fills([small], in: module, at: "conv") + [
        .child("cls_logits"), .fill("cls_logits.weight", Normal(standardDeviation: 0.01)),
        .fill("cls_logits.bias", prior),
      ]
    }
    return found
  }

  private static func regressionHead(_ kind: String, _ last: [String]) -> LibraryClass {
    var found = LibraryClass(kind, (["conv"] + last).joined(separator: " "))
    found.finishing = { module in
      (last + ["conv"]).flatMap { fills([small], in: module, at: $0) }
    }
    return found
  }
}

extension Module {
  /// Outputs of the last convolution of a model that printed its blocks as children.
  fileprivate var lastConvolution: Int {
    ownChildren.last?.module?.child("0")?.weightSizes.first ?? 0
  }
}
