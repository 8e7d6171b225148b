/// Names of classes of torchvision 0.29.2, for what must not pass in silence.
///
/// Written by `Tools/fixtures/make_libraries.py` from the library's source; not edited by hand.
extension LibraryNames {
  static let torchvision = LibraryNames(
    models: """
      ConvNeXt DenseNet EfficientNet FCOSClassificationHead FCOSRegressionHead FastRCNNConvFCHead
      FeatureEncoder GoogLeNet Inception3 KeypointRCNNHeads KeypointRCNNPredictor MLPBlock MNASNet
      MViT MaskRCNNHeads MaskRCNNPredictor MaxVit MobileNetV2 MobileNetV3 MultiscaleAttention
      RPNHead RegNet RelativePositionalMultiHeadAttention ResNet RetinaNetClassificationHead
      RetinaNetRegressionHead ShiftedWindowAttention ShiftedWindowAttention3d SqueezeNet
      SwinTransformer SwinTransformer3d SwinTransformerBlock VGG VideoResNet VisionTransformer
      """,
    owners: """
      CNBlock Encoder MultiscaleAttention PositionalEncoding RelativePositionalMultiHeadAttention
      SSDFeatureExtractorVGG ShiftedWindowAttention ShiftedWindowAttention3d
      ShiftedWindowAttentionV2 VisionTransformer
      """)
}
