/// Names of classes of timm 1.0.31, for what must not pass in silence.
///
/// Written by `Tools/fixtures/make_libraries.py` from the library's source; not edited by hand.
extension LibraryNames {
  static let timm = LibraryNames(
    models: """
      AttentionPool2d AttentionPoolLatent Beit BottleneckAttn ByobNet CPUBone CSATv2 Cait CoaT
      ConVit ConvMixer ConvNeXt CrossVit CspNet CspNext DLA DPN DaVit DeepseekVitClassifier
      DeepseekVitEncoder DenseNet DiffAttention EdgeNeXt EfficientFormer EfficientFormerV2
      EfficientNet EfficientNetFeatures EfficientViM EfficientViMDistilled EfficientVit
      EfficientVitLarge EfficientVitMsra Eva FastVit FasterNet FeatureDictNet FeatureGetterNet
      FeatureGraphNet FeatureHookNet FeatureListNet FocalNet Gemma4VitClassifier Gemma4VitEncoder
      GhostNet GlobalContext GlobalContextVit GluMlp HaloAttn Hiera HieraDet HighPerfGpuNet
      HighResolutionNet HighResolutionNetFeatures IFormer InceptionResnetV2 InceptionV3
      InceptionV4 LCNetV2 LambdaLayer Levit LevitDistilled LowFormer MambaOut MaxxVit MetaFormer
      MetaNeXt MlpMixer MobileNetV3 MobileNetV3Features MobileNetV5 MobileNetV5Encoder
      MultiQueryAttentionV2 MultiScaleVit NASNetALarge NaFlexVit Nest NextViT NonLocalAttn
      NormFreeNet PNASNet5Large PoolingVisionTransformer PosEmbedRel PyramidVisionTransformerV2
      Qwen3VitClassifier Qwen3VitEncoder RDNet RegNet RelPosBias RelPosBiasTf RepGhostNet RepVit
      ResNet ResNetV2 RexNet RotAttentionPool2d SENet SHViT SelecSls Sequencer2d StarNet SwiGLU
      SwiftFormer SwinTransformer SwinTransformerV2 SwinTransformerV2Cr TNT TResNet TinyVit Twins
      VGG VOLO Visformer VisionTransformer VisionTransformerDistilled VisionTransformerRelPos
      VisionTransformerSAM VovNet Xception XceptionAligned Xcit
      """,
    owners: """
      Affine Attention Attention2d Attention2dDownsample AttentionDownsample AttentionPool2d
      AttentionPoolLatent Beit Block Cait CascadedGroupAttention ClassAttentionBlock CoaT ConVit
      CondConv2d ConvBlock ConvNeXtBlock CrossCovarianceAttn CrossVit Dct1d DenseBlock
      DiffAttention DiffParallelScalingBlock EfficientAdditiveAttention EfficientViM
      EfficientViMBlock EfficientViMDistilled Eva EvaAttention EvaBlock EvoNorm2dB0 EvoNorm2dB1
      EvoNorm2dB2 EvoNorm2dS0 EvoNorm2dS0a EvoNorm2dS1 EvoNorm2dS1a EvoNorm2dS2 EvoNorm2dS2a
      FilterResponseNormAct2d FilterResponseNormTlu2d GPSA Gemma4PatchEmbed Gemma4VitEncoder
      GlobalResponseNorm HSMSSD Hiera HieraDet InplaceAbn LambdaLayer LayerScale LayerScale2d
      LayerScaleBlock LayerScaleBlockClassAttn LearnableAffineBlock LsePlus1d LsePlus2d MLDecoder
      MLPBlock MetaNeXtBlock MultiQueryAttentionV2 MultiScaleAttention
      MultiScaleAttentionPoolFirst MultiScaleVit NaFlexEmbeds NestLevel NormFreeBlock
      ParallelScalingBlock PoolingVisionTransformer PosEmbedRel Qwen3VitEncoder RelPosBias
      RelPosBiasTf RelativePositionBias ResBlock Residual RmsNorm RmsNorm2d RmsNorm2dFp32
      RmsNormAct RmsNormAct2d RmsNormAct2dFp32 RmsNormActFp32 RmsNormFp32 RotAttentionPool2d
      RotaryEmbeddingMixed Scale ScaledStdConv2d ScaledStdConv2dSame SimpleNorm SimpleNorm2d
      SimpleNorm2dFp32 SimpleNormFp32 SplitTransposeBlock StarReLU TNT VOLO Visformer
      VisionTransformer VisionTransformerDistilled VisionTransformerRelPos VisionTransformerSAM
      WindowAttention WindowMultiHeadAttention XCA XCABlock Xcit
      """)
}
