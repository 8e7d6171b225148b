/// Classes of transformers 5.24 by what their text fails to tell.
extension LibraryNames {
  /// Classes that look as if they owned tensors, and own none: each was found without any in models
  /// of default options.
  static let tensorless = names(
    """
    BitMaxPool2d Blip2Attention CanaryPositionalEmbedding DFineSinePositionEmbedding
    DINOv3ViTRopePositionEmbedding Data2VecAudioForAudioFrameClassification
    Data2VecAudioForSequenceClassification Data2VecAudioForXVector DeepseekV4UnweightedRMSNorm
    Deimv2SinePositionEmbedding DinatLayer DistilBertModel DoryL2Norm EdgeTamSinePositionEmbedding
    FalconMambaWeightlessRMSNorm FocalNetLayer FunAsrNanoPositionEmbedding
    Gemma4AudioRelPositionalEncoding GraniteDoclingPositionEmbedding
    GroundingDinoSinePositionEmbedding HYV4UnweightedRMSNorm HrmTextRMSNorm
    HubertForSequenceClassification Inkling2LoopUnweightedRMSNorm Inkling2UnweightedRMSNorm
    InstructBlipAttention InstructBlipVideoAttention InterpolateInitialPositionEmbeddings
    Kosmos2TextSinusoidalPositionalEmbedding Kosmos2_5TextSinusoidalPositionalEmbedding
    Llama4TextL2Norm LxmertForPreTraining M2M100SinusoidalPositionalEmbedding MMGroundingDinoSinePositionEmbedding
    Mask2FormerSinePositionEmbedding MultiScaleDeformableAttention
    MusicgenMelodySinusoidalPositionalEmbedding MusicgenSinusoidalPositionalEmbedding
    NanoChatRMSNorm NemotronAsrStreamingEncoderRelPositionalEncoding NeoMMERMSNorm
    NllbMoeSinusoidalPositionalEmbedding OlmoLayerNorm OneFormerSinePositionEmbedding
    PPDocLayoutV2SinePositionEmbedding PPDocLayoutV3SinePositionEmbedding
    PPDocLayoutV4SinePositionEmbedding PPOCRV5MobileRecAttention PPOCRV5ServerRecAttention
    PPOCRV6SmallRecAttention ParakeetEncoderRelPositionalEncoding
    PegasusXSinusoidalPositionalEmbedding RTDetrSinePositionEmbedding
    RTDetrV2SinePositionEmbedding SEWDForSequenceClassification SEWForSequenceClassification
    Sam3LiteTextSinePositionEmbedding Sam3SinePositionEmbedding Sapiens2RopePositionEmbedding
    SeamlessM4TConformerRelPositionalEmbedding SeamlessM4TSinusoidalPositionalEmbedding
    SeamlessM4Tv2SinusoidalPositionalEmbedding SinusPositionEmbedding SinusoidsPositionEmbedding
    Speech2TextSinusoidalPositionalEmbedding SpeechT5SinusoidalPositionalEmbedding
    SuperGlueForKeypointMatching Swin2SRPatchUnEmbeddings Tipsv2SinusoidalPositionalEmbedding
    UniSpeechForSequenceClassification UniSpeechSatForAudioFrameClassification
    UniSpeechSatForSequenceClassification UniSpeechSatForXVector VisualBertEmbeddings
    VitDetAttention VoxtralRealtimeTimeEmbedding Wav2Vec2BertForAudioFrameClassification
    Wav2Vec2BertForSequenceClassification Wav2Vec2BertForXVector Wav2Vec2BertSelfAttention
    Wav2Vec2ConformerRelPositionalEmbedding Wav2Vec2ForAudioFrameClassification
    Wav2Vec2ForSequenceClassification Wav2Vec2ForXVector WavLMForAudioFrameClassification
    WavLMForSequenceClassification WavLMForXVector WhisperForAudioClassification
    XGLMSinusoidalPositionalEmbedding
    """)

  /// Classes that own a `mask_token` in a model of masked images, and otherwise nothing.
  static let maskable = names("FocalNetEmbeddings SwinEmbeddings")

  /// Norms whose scale is added to 1, and starts at 0.
  static let zeroCentered = names(
    """
    GemmaRMSNorm Gemma2RMSNorm Gemma3RMSNorm Qwen3NextRMSNorm RecurrentGemmaRMSNorm T5GemmaRMSNorm
    T5Gemma2RMSNorm VaultGemmaRMSNorm Qwen3_5RMSNorm Qwen3_5MoeRMSNorm
    """)

  private static func names(_ text: String) -> Set<String> {
    Set(text.split(whereSeparator: \.isWhitespace).map(String.init))
  }
}
