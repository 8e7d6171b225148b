/// Options of known constructors that their loops depend on and no text shows, as they are assumed.
///
/// Source: torchvision 0.29.2 and timm 1.0.31, `models/`.
extension LibraryClass {
  static let options: [Library: [String: String]] = [
    .torchvision: [
      "ResNet": "zero_init_residual=False", "GoogLeNet": "init_weights=True",
      "Inception3": "init_weights=True", "VGG": "init_weights=True",
    ],
    .timm: [
      "ResNet": "zero_init_last=True", "ResNetV2": "zero_init_last=False",
      "RegNet": "zero_init_last=True", "ByobNet": "zero_init_last=True",
      "VisionTransformer": "weight_init=''", "VisionTransformerDistilled": "weight_init=''",
      "SwinTransformer": "weight_init=''", "MlpMixer": "nlhb=False",
      "MaxxVit": "weight_init='vit_eff'",
    ],
  ]
}
