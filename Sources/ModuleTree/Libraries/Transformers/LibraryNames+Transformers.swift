/// Names of classes of transformers 5.24, for what must not pass in silence.
///
/// Written by `Tools/fixtures/make_libraries.py` from the library's source; not edited by hand.
extension LibraryNames {
  static let transformers = LibraryNames(
    models: """
      AST AXK1 AXK2 Afmoe Aimv2 Aimv2TextModel Aimv2VisionModel Albert Align AlignTextModel
      AlignVisionModel AltCLIP AltCLIPTextModel AltCLIPVisionModel AltRobertaModel Apertus
      Apertus1p5 Apertus1p5Text Apertus1p5VisionTokenizer Arcee Aria AriaText AudioFlamingo3
      AudioFlamingo3Encoder Autoformer AutoformerDecoder AutoformerEncoder AyaVision BailingHybrid
      Bamba Bark BarkCausalModel BarkCoarseModel BarkFineModel BarkSemanticModel Bart BartDecoder
      BartDecoderWrapper BartEncoder BartPretrainedModel Beam Beit BeitBackbone Bert
      BertGeneration BertGenerationDecoder BertGenerationEncoder BigBird BigBirdPegasus
      BigBirdPegasusDecoder BigBirdPegasusDecoderWrapper BigBirdPegasusEncoder BioGpt Bit
      BitBackbone BitNet Blenderbot BlenderbotDecoder BlenderbotDecoderWrapper BlenderbotEncoder
      BlenderbotSmall BlenderbotSmallDecoder BlenderbotSmallDecoderWrapper BlenderbotSmallEncoder
      Blip Blip2 Blip2QFormerModel Blip2TextModelWithProjection Blip2VisionModel
      Blip2VisionModelWithProjection BlipText BlipVisionModel Bloom Blt BltGlobalTransformer
      BltLocalDecoder BltLocalEncoder BltPatcher BridgeTower BridgeTowerTextModel
      BridgeTowerVisionModel Bros BrosEncoder BrosSpadeEEForTokenClassification
      BrosSpadeELForTokenClassification CHMv2 CLIP CLIPSeg CLIPSegDecoder CLIPSegTextModel
      CLIPSegVisionModel CLIPTextModel CLIPTextModelWithProjection CLIPVisionModel
      CLIPVisionModelWithProjection CTRL Camembert Canary CanaryDecoder Canine Chameleon
      ChameleonVQVAE ChineseCLIP ChineseCLIPTextModel ChineseCLIPVisionModel Clap ClapAudioModel
      ClapAudioModelWithProjection ClapTextModel ClapTextModelWithProjection Clvp ClvpDecoder
      ClvpEncoder ClvpModelForConditionalGeneration CodeGen Cohere Cohere2 Cohere2Moe
      Cohere2Vision CohereAsr CohereAsrDecoder CohereCompass
      CohereCompassTextForSequenceClassification CohereCompassTextModel CohereCompassVisionModel
      ColModernVBert ColPali ColQwen2 ConditionalDetr ConditionalDetrDecoder
      ConditionalDetrEncoder ConvBert ConvNext ConvNextBackbone ConvNextEncoder ConvNextV2
      ConvNextV2Backbone ConvNextV2Encoder Cosmos3Edge Cosmos3EdgeTextModel Cosmos3EdgeVisionModel
      Cosmos3Omni CpmAnt Csm CsmBackboneModel CsmDepthDecoderForCausalLM CsmDepthDecoderModel Cvt
      Cwm DFine DFineDecoder DFineHybridEncoder DINOv3ConvNext DINOv3ConvNextBackbone
      DINOv3ConvNextEncoder DINOv3ViT DINOv3ViTBackbone DINOv3ViTEncoder DPR DPRContextEncoder
      DPREncoder DPRPretrainedContextEncoder DPRPretrainedQuestionEncoder DPRPretrainedReader
      DPRQuestionEncoder DPRReader DPRSpanPredictor DPT DabDetr DabDetrDecoder DabDetrEncoder
      Data2VecAudio Data2VecText Data2VecVision Dbrx Deberta DebertaV2 DecisionTransformer
      DecisionTransformerGPT2 DeepseekOcr2 DeepseekOcr2SamVisionEncoder DeepseekOcr2Text
      DeepseekOcr2VisionEncoder DeepseekOcr2VisionModel DeepseekV2 DeepseekV3 DeepseekV32
      DeepseekV4 DeepseekVL DeepseekVLHybrid DeformableDetr DeformableDetrDecoder
      DeformableDetrEncoder DeiT Deimv2 Deimv2ConvEncoder Deimv2DINOv3ConvEncoder Deimv2Decoder
      Deimv2HybridEncoder Deimv2LiteEncoder DepthAnything DepthPro Detr DetrDecoder DetrEncoder
      Dia DiaDecoder DiaEncoder DiffLlama DiffusionGemma DiffusionGemmaDecoderModel
      DiffusionGemmaEncoderModel DiffusionGemmaEncoderTextModel Dinat DinatBackbone Dinov2
      Dinov2Backbone Dinov2Encoder Dinov2WithRegisters Dinov2WithRegistersBackbone
      Dinov2WithRegistersEncoder DistilBert Doge DonutSwin Dory Dots1 Dots3Note Dots3NoteAudio
      Dots3NoteTextModel Dots3NoteVision EdgeTam EdgeTamVideo EdgeTamVisionModel EfficientLoFTR
      EfficientNet Electra EmbeddingGemma2 EmbeddingGemma2TextModel Emu3 Emu3TextModel Emu3VQVAE
      EncoderDecoderModel Eomt EomtDinov3 Ernie Ernie4_5 Ernie4_5_Moe Ernie4_5_VLMoe
      Ernie4_5_VLMoeTextModel Ernie4_5_VLMoeVisionTransformerPretrainedModel Ernie4_5_VL_Moe
      Ernie4_5_VL_MoeTextModel Ernie4_5_VL_MoeVisionTransformerPretrainedModel Esm EsmFold
      EsmFold2 Esmc EuroBert Evolla EvollaSaProt EvollaSaProtProteinEncoder Exaone4 Exaone4_5_
      Exaone4_5_VisionModel ExaoneMoe FNet FSMTForConditionalGeneration FSMTModel Falcon FalconH1
      FalconMamba FastSpeech2Conformer FastSpeech2ConformerHifiGan FastSpeech2ConformerWithHifiGan
      FastVlm Flaubert FlaubertWithLMHeadModel Flava FlavaImageCodebook FlavaImageModel
      FlavaMultimodalModel FlavaTextModel FlexOlmo Flint Florence2 Florence2Vision
      Florence2VisionBackbone FocalNet FocalNetBackbone FunAsrNano FunAsrNanoEncoder Funnel
      FunnelBaseModel Fuyu GLPN GPT2 GPTBigCode GPTJ GPTNeo GPTNeoX GPTNeoXJapanese Gemma Gemma2
      Gemma3 Gemma3TextForSequenceClassification Gemma3TextModel Gemma3n Gemma3nAudioEncoder
      Gemma3nTextModel Gemma4 Gemma4Assistant Gemma4AudioModel Gemma4TextModel Gemma4Unified
      Gemma4UnifiedAssistant Gemma4UnifiedTextModel Gemma4VisionModel Git GitVisionModel Glm Glm4
      Glm46V Glm4Moe Glm4MoeLite Glm4v Glm4vMoe Glm4vMoeTextModel Glm4vMoeVisionModel
      Glm4vTextModel Glm4vVisionModel Glm5Next Glm5NextTextModel Glm5NextVisionModel GlmAsr
      GlmAsrEncoder GlmImage GlmImageTextModel GlmImageVQVAE GlmImageVisionModel GlmMoeDsa GlmOcr
      GlmOcrTextModel GlmOcrVisionModel GotOcr2 GotOcr2VisionEncoder GptOss GradiumPhononTTS
      Granite Granite4Vision Granite4VisionTextModel GraniteDocling GraniteDoclingText
      GraniteDoclingVisionModel GraniteMoe GraniteMoeHybrid GraniteMoeSWA GraniteMoeShared
      GraniteSWA GraniteSpeech GraniteSpeech5 GraniteSpeech5Encoder GraniteSpeechCTCEncoder
      GraniteSpeechPlus GraniteSpeechPlusCTCEncoder GroundingDino GroundingDinoDecoder
      GroundingDinoEncoder GroupViT GroupViTTextModel GroupViTTextTransformer GroupViTVisionModel
      Gte HGNetV2 HGNetV2Backbone HYV3 HYV4 HYV4VL HYV4VLTextModel HYV4VLVisionModel Helium Hiera
      HieraBackbone HiggsAudioV2 HrmText Hubert HunYuanDenseV1 HunYuanMoEV1 HunYuanVL
      HunYuanVLTextModel HunYuanVLVisionTransformer HyperCLOVAX HyperCLOVAXVisionV2 IBert IJepa
      Idefics Idefics2 Idefics2PerceiverResampler Idefics2VisionTransformer Idefics3
      Idefics3VisionTransformer ImageGPT Informer InformerDecoder InformerEncoder Inkling Inkling2
      Inkling2Loop Inkling2LoopTextModel Inkling2TextModel Inkling2VisionModel InklingAudioModel
      InklingTextModel InklingVisionModel InstructBlip InstructBlipQFormerModel InstructBlipVideo
      InstructBlipVideoQFormerModel InstructBlipVideoVisionModel InstructBlipVisionModel InternVL
      InternVLVision Jais2 Jamba Janus JanusVQVAE JanusVisionModel JetMoe Jev JinaEmbeddingsV3
      KimiLinear Kimi_K25 Kimi_K25VisionModel Kolibri1 Kosmos2 Kosmos2TextForCausalLM
      Kosmos2TextModel Kosmos2TextTransformer Kosmos2VisionModel Kosmos2VisionTransformer
      Kosmos2_5 Kosmos2_5TextForCausalLM Kosmos2_5TextModel Kosmos2_5TextTransformer
      Kosmos2_5VisionEncoder Kosmos2_5VisionModel KyutaiSpeechToText LED LEDDecoder LEDEncoder
      Laguna LaraMini Lasr LasrEncoder LayoutLM LayoutLMv2 LayoutLMv3 Levit Lfm2 Lfm2Moe Lfm2Vl
      Lfm3 Lfm3Vl Lfm3VlVisionModel LightGlue LightOnOcr Lilt Llama Llama4 Llama4TextModel
      Llama4VisionModel Llava LlavaNext LlavaNextVideo LlavaOnevision LongT5 LongT5EncoderModel
      LongT5Stack LongcatFlash Longformer Luke LwDetr LwDetrDecoder LwDetrViT LwDetrViTBackbone
      LwDetrViTEncoder Lxmert M2M100 M2M100Decoder M2M100Encoder MBart MBartDecoder
      MBartDecoderWrapper MBartEncoder MLCD MLCDVisionModel MMGroundingDino MMGroundingDinoDecoder
      MMGroundingDinoEncoder MPNet MT5 MT5EncoderModel MT5Stack Mamba Mamba2 Marian MarianDecoder
      MarianDecoderWrapper MarianEncoder MarianMTModel MarkupLM Mask2Former MaskFormer
      MaskFormerDetr MaskFormerDetrDecoder MaskFormerSwin MaskFormerSwinBackbone MegatronBert
      Mellum MetaClip2 MetaClip2TextModel MetaClip2TextModelWithProjection MetaClip2VisionModel
      MetaClip2VisionModelWithProjection Mgpstr MiMoV2Flash Mimi MimiDecoderModel MimiEncoderModel
      MiniCPM3 MiniCPMOcr MiniCPMOcrVision MiniCPMV4_6 MiniCPMV4_6Vision MiniCPMV4_7
      MiniCPMV4_7Vision MiniMax MiniMaxM2 MiniMaxM3SparseForConditionalGeneration MiniMaxM3VL
      MiniMaxM3VLTextModel MiniMaxM3VLVisionModel Ministral Ministral3 Mistral Mistral3 Mistral4
      MistralLarge4 MistralLarge4TextModel Mixtral Mllama MllamaTextModel MllamaVisionModel
      MobileBert MobileNetV1 MobileNetV2 MobileViT MobileViTV2 ModernBert ModernBertDecoder
      ModernVBert Molmo2 Molmo2Adapter Molmo2TextModel Molmo2VisionModel Moonshine
      MoonshineDecoder MoonshineEncoder MoonshineStreaming MoonshineStreamingDecoder
      MoonshineStreamingEncoder Moshi MoshiDepthDecoder MossTranscribeDiarize
      MossTranscribeDiarizeAudioModel Mpt Mra MuseGlimmer MuseGlimmerAssistant
      MuseGlimmerTextModel MuseGlimmerVisionModel MuseSpark MuseSparkAudioModel MuseSparkTextModel
      MuseSparkVisionModel MusicFlamingo Musicgen MusicgenDecoder MusicgenMelody
      MusicgenMelodyDecoder Mvp MvpDecoder MvpDecoderWrapper MvpEncoder NanoChat Nemotron
      Nemotron3Diarization Nemotron3DiarizationAudioModel Nemotron3_5Asr Nemotron3_5Transcribe
      Nemotron3_5TranscribeAsrAudioModel Nemotron3_5TranscribeAudioModel
      Nemotron3_5TranscribeWordTimestampModel NemotronAsrStreaming NemotronAsrStreamingEncoder
      NemotronH NemotronH_Omni_Reasoning_V3 NeoMME NeuCodec NllbMoe NllbMoeDecoder NllbMoeEncoder
      NomicBert Nystromformer OPT OPTDecoder Olmo Olmo2 Olmo3 OlmoHybrid Olmoe OmDetTurbo
      OmDetTurboDecoder OmniASR OmniASRAudioModel OmniASRCTC OneFormer OpenAIGPT
      OpenAIPrivacyFilter Ovis2 Ovis2VisionModel OwlViT OwlViTTextModel OwlViTTextTransformer
      OwlViTVisionModel OwlViTVisionTransformer Owlv2 Owlv2TextModel Owlv2TextTransformer
      Owlv2VisionModel Owlv2VisionTransformer PI0 PLBart PLBartDecoder PLBartDecoderWrapper
      PLBartEncoder PPDocLayoutV2 PPDocLayoutV2Decoder PPDocLayoutV2HybridEncoder
      PPDocLayoutV2ReadingOrder PPDocLayoutV3 PPDocLayoutV3Decoder PPDocLayoutV3HybridEncoder
      PPDocLayoutV4 PPDocLayoutV4Decoder PPDocLayoutV4HybridEncoder PPFormulaNet
      PPFormulaNetTextModel PPFormulaNetVisionModel PPLCNet PPLCNetBackbone PPLCNetEncoder
      PPLCNetV3 PPLCNetV3Backbone PPLCNetV3Encoder PPLCNetV4 PPLCNetV4Backbone PPLCNetV4Encoder
      PPOCRV5MobileDet PPOCRV5MobileRec PPOCRV5MobileRecEncoderWithSVTR PPOCRV5ServerDet
      PPOCRV5ServerRec PPOCRV5ServerRecEncoderWithSVTR PPOCRV6MediumDet PPOCRV6SmallDet
      PPOCRV6SmallRec PPOCRV6SmallRecEncoderWithSVTR PPOCRV6TinyRec PaddleOCRTextModel PaddleOCRVL
      PaddleOCRVisionModel PaddleOCRVisionTransformer PaliGemma Parakeet ParakeetEncoder
      PatchTSMixer PatchTSMixerEncoder PatchTST PatchTSTEncoder PeAudio PeAudioEncoder
      PeAudioFrameLevelModel PeAudioVideo PeAudioVideoEncoder PeVideo PeVideoEncoder Pegasus
      PegasusDecoder PegasusDecoderWrapper PegasusEncoder PegasusX PegasusXDecoder
      PegasusXDecoderWrapper PegasusXEncoder Perceiver PerceptionLM Persimmon Phi Phi3
      Phi4Multimodal Phi4MultimodalAudio Phi4MultimodalVision Phimoe Pix2Struct
      Pix2StructTextModel Pix2StructVisionModel Pixio PixioBackbone Pixtral PixtralVisionModel
      PocketTTS PocketTTSAudioTokenizer PocketTTSAudioTokenizerDecoderModel
      PocketTTSAudioTokenizerEncoderModel PoolFormer Pop2Piano Pop2PianoStack PretrainedBartModel
      PretrainedFSMTModel PromptDepthAnything ProphetNet ProphetNetDecoder
      ProphetNetDecoderWrapper ProphetNetEncoder Pvt PvtV2 PvtV2Backbone QianfanOCR
      QianfanOCRVision Qwen2 Qwen2Audio Qwen2AudioEncoder Qwen2Moe Qwen2VL Qwen2VLTextModel
      Qwen2VisionTransformerPretrainedModel Qwen2_5Omni Qwen2_5OmniAudioEncoder
      Qwen2_5OmniPreTrainedModelForConditionalGeneration Qwen2_5OmniTalkerForConditionalGeneration
      Qwen2_5OmniTalkerModel Qwen2_5OmniThinkerForConditionalGeneration Qwen2_5OmniThinkerModel
      Qwen2_5OmniThinkerTextModel Qwen2_5OmniToken2WavBigVGANModel Qwen2_5OmniToken2WavDiTModel
      Qwen2_5OmniToken2WavModel Qwen2_5OmniVisionEncoder Qwen2_5_VL Qwen2_5_VLTextModel
      Qwen2_5_VisionTransformerPretrainedModel Qwen3 Qwen3ASR Qwen3ASREncoder Qwen3Moe Qwen3Next
      Qwen3OmniMoe Qwen3OmniMoeAudioEncoder Qwen3OmniMoeCode2Wav Qwen3OmniMoeCode2WavDecoderBlock
      Qwen3OmniMoeCode2WavTransformerModel Qwen3OmniMoePreTrainedModelForConditionalGeneration
      Qwen3OmniMoeTalkerCodePredictorModel
      Qwen3OmniMoeTalkerCodePredictorModelForConditionalGeneration
      Qwen3OmniMoeTalkerForConditionalGeneration Qwen3OmniMoeTalkerModel
      Qwen3OmniMoeThinkerForConditionalGeneration Qwen3OmniMoeThinkerModel Qwen3OmniMoeThinkerText
      Qwen3OmniMoeVisionEncoder Qwen3VL Qwen3VLMoe Qwen3VLMoeTextModel Qwen3VLMoeVisionModel
      Qwen3VLTextModel Qwen3VLVisionModel Qwen3_5 Qwen3_5Moe Qwen3_5MoeTextModel
      Qwen3_5MoeVisionModel Qwen3_5TextForSequenceClassification Qwen3_5TextModel
      Qwen3_5VisionModel Qwen4Exp Qwen4ExpTextModel Qwen4ExpVisionModel RTDetr RTDetrDecoder
      RTDetrHybridEncoder RTDetrResNet RTDetrResNetBackbone RTDetrV2 RTDetrV2Decoder
      RTDetrV2HybridEncoder Radio RadioEncoder Rag RagSequenceForGeneration RagTokenForGeneration
      RecurrentGemma Reformer ReformerModelWithLMHead RegNet RemBert ResNet ResNetBackbone RfDetr
      RfDetrDecoder RfDetrDinov2 RfDetrDinov2Backbone RfDetrDinov2Encoder RoCBert RoFormer Roberta
      RobertaPreLayerNorm Rwkv SEW SEWD SLANeXt SLANeXtBackbone SLANeXtSLAHead
      SLANeXtVisionEncoder SLANet SLANetBackbone SLANetSLAHead Sam Sam2 Sam2HieraDetModel
      Sam2Video Sam2VisionModel Sam3 Sam3DetrDecoder Sam3DetrEncoder Sam3LiteText
      Sam3LiteTextDetrDecoder Sam3LiteTextDetrEncoder Sam3LiteTextMaskDecoder
      Sam3LiteTextTextModel Sam3MaskDecoder Sam3Tracker Sam3TrackerVideo Sam3ViTModel Sam3Video
      Sam3VisionModel SamHQ SamHQVisionEncoder SamHQVisionModel SamVisionEncoder SamVisionModel
      Sapiens2 Sapiens2Backbone Sapiens2Encoder SeamlessM4T SeamlessM4TCodeHifiGan
      SeamlessM4TDecoder SeamlessM4TEncoder SeamlessM4TSpeechEncoder
      SeamlessM4TTextToUnitForConditionalGeneration SeamlessM4TTextToUnitModel SeamlessM4Tv2
      SeamlessM4Tv2CodeHifiGan SeamlessM4Tv2Decoder SeamlessM4Tv2Encoder
      SeamlessM4Tv2SpeechEncoder SeamlessM4Tv2TextToUnitDecoder
      SeamlessM4Tv2TextToUnitForConditionalGeneration SeamlessM4Tv2TextToUnitModel SeedOss SegGpt
      Segformer ShieldGemma2ForImageClassification Siglip Siglip2 Siglip2TextModel
      Siglip2VisionModel SiglipTextModel SiglipVisionModel SmolLM3 SmolVLM
      SmolVLMVisionTransformer SolarOpen Speech2Text Speech2TextDecoder Speech2TextEncoder
      SpeechEncoderDecoderModel SpeechT5 SpeechT5Decoder SpeechT5DecoderWithSpeechPrenet
      SpeechT5DecoderWithTextPrenet SpeechT5DecoderWithoutPrenet SpeechT5Encoder
      SpeechT5EncoderWithSpeechPrenet SpeechT5EncoderWithTextPrenet SpeechT5EncoderWithoutPrenet
      SpeechT5HifiGan Splinter SqueezeBert StableLm Starcoder2 Step3p7 Step3p7TextModel
      Step3p7VisionModel SuperGlue SuperPoint SwiftFormer Swin Swin2SR SwinBackbone SwinEncoder
      Swinv2 Swinv2Backbone SwitchTransformers SwitchTransformersEncoderModel
      SwitchTransformersStack T5 T5EncoderModel T5Gemma T5Gemma2 T5Gemma2Decoder T5Gemma2Encoder
      T5Gemma2TextEncoder T5GemmaDecoder T5GemmaEncoder T5GemmaEncoderModel T5Stack
      TableTransformer TableTransformerDecoder TableTransformerEncoder Tapas TextNet
      TextNetBackbone TimeSeriesTransformer TimeSeriesTransformerDecoder
      TimeSeriesTransformerEncoder TimesFm TimesFm2_5 TimesFm2_5ModelForPrediction
      TimesFmModelForPrediction Timesformer TimmBackbone TimmWrapper Tipsv2 Tipsv2Dpt Tipsv2Text
      Tipsv2Vision Tipsv2VisionBackbone Tipsv2VisionEncoder TrOCR TrOCRDecoder TrOCRDecoderWrapper
      Tvp UMT5 UMT5EncoderModel UMT5Stack UVDoc UVDocBackbone UVDocBridge Udop UdopEncoderModel
      UdopStack UltraVBert Ultrabert UniSpeech UniSpeechSat UnivNetModel UnlimitedOcr
      UnlimitedOcrSamVisionEncoder UnlimitedOcrText UnlimitedOcrVisionEncoder
      UnlimitedOcrVisionModel UperNet VJEPA2 VaultGemma ViT ViTMAE ViTMSN VibeVoice
      VibeVoiceAcousticTokenizer VibeVoiceAcousticTokenizerDecoderModel
      VibeVoiceAcousticTokenizerEncoderModel VibeVoiceAsr VideoLlama3 VideoLlama3VisionModel
      VideoLlava VideoMAE VideoPrism VideoPrismClipModel VideoPrismTextModel VideoPrismVideoModel
      VideoPrismVisionModel Videomt Vilt VipLlava VisionEncoderDecoderModel
      VisionTextDualEncoderModel VisualBert VitDet VitDetBackbone VitMatte VitPose VitPoseBackbone
      VitPoseBackboneEncoder Vits Vivit Voxtral VoxtralEncoder VoxtralRealtime
      VoxtralRealtimeEncoder VoxtralRealtimeText Wav2Vec2 Wav2Vec2Bert Wav2Vec2Conformer WavLM
      Whisper WhisperDecoder WhisperDecoderWrapper WhisperEncoder XCLIP XCLIPTextModel
      XCLIPVisionModel XGLM XLM XLMRoberta XLMRobertaXL XLMWithLMHeadModel XLNet Xcodec2 Xmod
      Yolos Yoso Youtu Zamba Zamba2 Zaya ZoeDepth _BaseModelWithGenerate xLSTM
      """,
    owners: transformersOwners)
}
