/// Names of classes of diffusers 0.42.1, for what must not pass in silence.
///
/// Written by `Tools/fixtures/make_libraries.py` from the library's source; not edited by hand.
extension LibraryNames {
  static let diffusers = LibraryNames(
    models: """
      AceStepTransformer1DModel AllegroTransformer3DModel AnimaTextConditioner
      AnyFlowFARTransformer3DModel AnyFlowTransformer3DModel AsymmetricAutoencoderKL
      AuraFlowTransformer2DModel AutoencoderDC AutoencoderKL AutoencoderKLAllegro
      AutoencoderKLCogVideoX AutoencoderKLCosmos AutoencoderKLFlux2 AutoencoderKLHunyuanImage
      AutoencoderKLHunyuanImageRefiner AutoencoderKLHunyuanVideo AutoencoderKLHunyuanVideo15
      AutoencoderKLKVAE AutoencoderKLKVAEAudio AutoencoderKLKVAEVideo AutoencoderKLLTX2Audio
      AutoencoderKLLTX2Video AutoencoderKLLTXVideo AutoencoderKLMagvit AutoencoderKLMiniMaxH3
      AutoencoderKLMiniMaxH3Audio AutoencoderKLMochi AutoencoderKLQwenImage
      AutoencoderKLQwenImage21 AutoencoderKLTemporalDecoder AutoencoderKLWan AutoencoderOobleck
      AutoencoderRAE AutoencoderSAME AutoencoderTiny AutoencoderVidTok BriaFibo2Transformer2DModel
      BriaFiboTransformer2DModel BriaTransformer2DModel ChromaTransformer2DModel
      ChronoEditTransformer3DModel CogVideoXTransformer3DModel CogView3PlusTransformer2DModel
      CogView4Transformer2DModel ConsisIDTransformer3DModel ConsistencyDecoderVAE ControlNetModel
      ControlNetUnionModel ControlNetXSAdapter Cosmos3AVAEAudioTokenizer Cosmos3OmniTransformer
      CosmosControlNetModel CosmosTransformer3DModel DiTTransformer2DModel
      DreamLiteTransformer2DModel EasyAnimateTransformer3DModel ErnieImageTransformer2DModel
      Flux2Transformer2DModel Flux3Transformer2DModel FluxControlNetModel FluxMultiControlNetModel
      FluxTransformer2DModel GlmImageTransformer2DModel HeliosTransformer3DModel
      HiDreamImageTransformer2DModel HunyuanDiT2DControlNetModel HunyuanDiT2DModel
      HunyuanDiT2DMultiControlNetModel HunyuanImageTransformer2DModel
      HunyuanVideo15Transformer3DModel HunyuanVideoFramepackTransformer3DModel
      HunyuanVideoTransformer3DModel I2VGenXLUNet Ideogram4Transformer2DModel
      JoyImageEditPlusTransformer3DModel JoyImageEditTransformer3DModel Kandinsky3UNet
      Kandinsky5Transformer3DModel Kandinsky6SRLatentUpscalerBank Kandinsky6SRTransformer3DModel
      Kandinsky6SRVAE Kandinsky6Transformer3DModel Krea2Transformer2DModel
      LTX2VideoDiffusionDecoderModel LTX2VideoTransformer3DModel LTXVideoTransformer3DModel
      LatteTransformer3DModel LegacyModelMixin LongCatAudioDiTTransformer LongCatAudioDiTVae
      LongCatImageTransformer2DModel Lumina2Transformer2DModel LuminaNextDiT2DModel MMAudioVAE
      MMAudioVocoder MiniMaxH3Transformer3DModel MiniMaxMusic3ConditionEncoder
      MiniMaxMusic3RVQDepthDecoder MiniMaxMusic3Transformer1DModel MiniMaxMusic3Vocoder
      MochiTransformer3DModel MotifVideoTransformer3DModel MotionAdapter MultiAdapter
      MultiControlNetModel MultiControlNetUnionModel NucleusMoEImageTransformer2DModel
      OmniGenTransformer2DModel OvisImageTransformer2DModel PRXTransformer2DModel
      PixArtTransformer2DModel PriorTransformer QwenImage21Transformer2DModel
      QwenImageControlNetModel QwenImageMultiControlNetModel QwenImageTransformer2DModel
      RFD4ProteinaAutoencoder RFD4ProteinaTransformer SD3ControlNetModel SD3MultiControlNetModel
      SD3Transformer2DModel SanaControlNetModel SanaTransformer2DModel SanaVideoTransformer3DModel
      SanaWMLTX2RefinerTransformer3DModel SanaWMTransformer3DModel SkyReelsV2Transformer3DModel
      SparseControlNetModel StableAudio3DiTModel StableAudioDiTModel StableCascadeUNet T2IAdapter
      T5FilmDecoder TransformerTemporalModel UNet1DModel UNet2DConditionModel UNet2DModel
      UNet3DConditionModel UNetControlNetXSModel UNetMotionModel UNetSpatioTemporalConditionModel
      UVit2DModel VQModel WanAnimate2Transformer3DModel WanAnimateTransformer3DModel
      WanTransformer3DModel WanVACETransformer3DModel ZImageControlNetModel
      ZImageTransformer2DModel
      """,
    owners: """
      AceStepTransformer1DModel AceStepTransformerBlock AllegroTransformer3DModel
      AllegroTransformerBlock AlphaBlender AnyFlowFARTransformer3DModel AnyFlowTransformer3DModel
      AnyFlowTransformerBlock AttentionPooling AudioDiTBlock AudioDiTGRN AuraFlowPatchEmbed
      AuraFlowTransformer2DModel AutoencoderKLLTX2Audio AutoencoderKLLTX2Video
      AutoencoderKLLTXVideo AutoencoderRAE BasicTransformerBlock BasicTransformerBlockDreamLite
      BidirectionalGDNUCPESinglePathLiteLA BriaFibo2PerceiverResampler BriaFibo2TransformerBlock
      ChronoEditTransformer3DModel CogVideoXPatchEmbed ControlNetUnionModel Cosmos3OmniTransformer
      CosmosLearnablePositionalEmbed Downsample1d DynamicTanh FusedLeakyReLU
      GLIGENTextBoundingboxProjection GatedSelfAttentionDense GaussianFourierProjection
      GlobalResponseNorm Head HeliosAttention HeliosOutputNorm HeliosTransformerBlock
      HunyuanDiT2DControlNetModel HunyuanDiT2DModel HunyuanDiTAttentionPool
      HunyuanImageRefinerRMS_norm HunyuanVideo15RMS_norm IPAdapterPlusImageProjection
      IPAdapterTimeImageProjection JoyImageEditPlusModulate JoyImageModulate KVAEAudioSnake1d
      Kandinsky6SRTransformer3DModel Krea2FinalLayer Krea2TransformerBlock LTX2VideoDecoder3d
      LTX2VideoDiffusionDecoderModel LTX2VideoResnetBlock3d LTX2VideoTransformer3DModel
      LTX2VideoTransformerBlock LTX2VideoVaeDiffusionNABlock LTXVideoDecoder3d
      LTXVideoResnetBlock3d LTXVideoTransformer3DModel LTXVideoTransformerBlock
      LatteTransformer3DModel LocalFacialExtractor LuminaNextDiT2DModel LuminaNextDiTBlock
      MMAudioAutoencoder MMAudioDecoder1D MMAudioEncoder1D MMAudioLowPassFilter1d
      MMAudioMelSpectrogram MMAudioSnakeBeta MMAudioUpSample1d MiniMaxH3AudioCausalAttention
      MiniMaxH3AudioLowPassFilter1d MiniMaxH3AudioSnake1d MiniMaxH3AudioSnakeBeta
      MiniMaxH3AudioUpSample1d MiniMaxH3VideoTransformerBlock MiniMaxH3VideoViTDecoder3d
      MiniMaxMusic3ConditionEncoder MiniMaxMusic3FourierEmbedding MiniMaxMusic3Snake1d MoEGate
      MochiTransformer3DModel MotionConv2d OmniGenPatchEmbed PatchEmbed PixArtTransformer2DModel
      PriorTransformer QwenImage21RMS_norm QwenImageRMS_norm RAEDecoder
      SAMETransformerResamplingBlock SanaTransformer2DModel SanaTransformerBlock
      SanaVideoMSCamCtrlBlock SanaVideoTransformer3DModel SanaVideoTransformerBlock
      SanaWMLTX2RefinerTransformer3DModel SanaWMLTX2RefinerTransformerBlock
      SanaWMTemporalShortConvolution SinusoidalPositionalEmbedding SkyReelsV2ImageEmbedding
      SkyReelsV2Transformer3DModel SkyReelsV2TransformerBlock Snake1d SoftNormBottleneck
      StableAudio3DiTBlock StableAudio3DiTModel StableAudio3RotaryEmbedding
      StableAudioGaussianFourierProjection SwiGLUExperts T2IFinalLayer Transformer2DModel
      Upsample1d VectorQuantizer VidTokDownsample3D VidTokUpsample3D WanAnimate2TransformerBlock
      WanAnimateFaceEncoder WanAnimateMotionEncoder WanAnimateTransformer3DModel WanImageEmbedding
      WanRMS_norm WanTransformer3DModel WanTransformerBlock WanVACETransformer3DModel
      WanVACETransformerBlock ZImageTransformer2DModel _SoftmaxUCPESinglePathLiteLA
      """)
}
