/// Names of classes of transformers 5.24, for what must not pass in silence.
///
/// Written by `Tools/fixtures/make_libraries.py` from the library's source; not edited by hand.
extension LibraryNames {
  static let transformers = LibraryNames(
    models: """
      AST AXK1 AXK2 Afmoe Aimv2 Albert Align AltCLIP Apertus Apertus1p5 Apertus1p5Text
      Apertus1p5VisionTokenizer Arcee Aria AriaText AudioFlamingo3 Autoformer AyaVision
      BailingHybrid Bamba Bark Bart Beam Beit Bert BertGeneration BigBird BigBirdPegasus BioGpt
      Bit BitNet Blenderbot BlenderbotSmall Blip Blip2 BlipText Bloom Blt BridgeTower Bros CHMv2
      CLIP CLIPSeg CTRL Camembert Canary Canine Chameleon ChineseCLIP Clap Clvp CodeGen Cohere
      Cohere2 Cohere2Moe Cohere2Vision CohereAsr CohereCompass ColModernVBert ColPali ColQwen2
      ConditionalDetr ConvBert ConvNext ConvNextV2 Cosmos3Edge Cosmos3Omni CpmAnt Csm Cvt Cwm
      DFine DINOv3ConvNext DINOv3ViT DPR DPT DabDetr Data2VecAudio Data2VecText Data2VecVision
      Dbrx Deberta DebertaV2 DecisionTransformer DecisionTransformerGPT2 DeepseekOcr2
      DeepseekOcr2Text DeepseekV2 DeepseekV3 DeepseekV32 DeepseekV4 DeepseekVL DeepseekVLHybrid
      DeformableDetr DeiT Deimv2 DepthAnything DepthPro Detr Dia DiffLlama DiffusionGemma Dinat
      Dinov2 Dinov2WithRegisters DistilBert Doge DonutSwin Dory Dots1 Dots3Note Dots3NoteAudio
      Dots3NoteVision EdgeTam EdgeTamVideo EfficientLoFTR EfficientNet Electra EmbeddingGemma2
      Emu3 Eomt EomtDinov3 Ernie Ernie4_5 Ernie4_5_Moe Ernie4_5_VLMoe Ernie4_5_VL_Moe Esm EsmFold
      EsmFold2 Esmc EuroBert Evolla EvollaSaProt Exaone4 Exaone4_5_ ExaoneMoe FNet Falcon FalconH1
      FalconMamba FastSpeech2Conformer FastVlm Flaubert Flava FlexOlmo Flint Florence2
      Florence2Vision FocalNet FunAsrNano Funnel Fuyu GLPN GPT2 GPTBigCode GPTJ GPTNeo GPTNeoX
      GPTNeoXJapanese Gemma Gemma2 Gemma3 Gemma3n Gemma4 Gemma4Assistant Gemma4Unified
      Gemma4UnifiedAssistant Git Glm Glm4 Glm46V Glm4Moe Glm4MoeLite Glm4v Glm4vMoe Glm5Next
      GlmAsr GlmImage GlmMoeDsa GlmOcr GotOcr2 GptOss GradiumPhononTTS Granite Granite4Vision
      GraniteDocling GraniteDoclingText GraniteMoe GraniteMoeHybrid GraniteMoeSWA GraniteMoeShared
      GraniteSWA GraniteSpeech GraniteSpeech5 GraniteSpeechPlus GroundingDino GroupViT Gte HGNetV2
      HYV3 HYV4 HYV4VL Helium Hiera HiggsAudioV2 HrmText Hubert HunYuanDenseV1 HunYuanMoEV1
      HunYuanVL HyperCLOVAX HyperCLOVAXVisionV2 IBert IJepa Idefics Idefics2 Idefics3 ImageGPT
      Informer Inkling Inkling2 Inkling2Loop InstructBlip InstructBlipVideo InternVL
      InternVLVision Jais2 Jamba Janus JetMoe Jev JinaEmbeddingsV3 KimiLinear Kimi_K25 Kolibri1
      Kosmos2 Kosmos2_5 KyutaiSpeechToText LED Laguna LaraMini Lasr LayoutLM LayoutLMv2 LayoutLMv3
      Levit Lfm2 Lfm2Moe Lfm2Vl Lfm3 Lfm3Vl LightGlue LightOnOcr Lilt Llama Llama4 Llava LlavaNext
      LlavaNextVideo LlavaOnevision LongT5 LongcatFlash Longformer Luke LwDetr LwDetrViT Lxmert
      M2M100 MBart MLCD MMGroundingDino MPNet MT5 Mamba Mamba2 Marian MarkupLM Mask2Former
      MaskFormer MaskFormerDetr MaskFormerSwin MegatronBert Mellum MetaClip2 Mgpstr MiMoV2Flash
      Mimi MiniCPM3 MiniCPMOcr MiniCPMOcrVision MiniCPMV4_6 MiniCPMV4_6Vision MiniCPMV4_7
      MiniCPMV4_7Vision MiniMax MiniMaxM2 MiniMaxM3VL Ministral Ministral3 Mistral Mistral3
      Mistral4 MistralLarge4 Mixtral Mllama MobileBert MobileNetV1 MobileNetV2 MobileViT
      MobileViTV2 ModernBert ModernBertDecoder ModernVBert Molmo2 Moonshine MoonshineStreaming
      Moshi MossTranscribeDiarize Mpt Mra MuseGlimmer MuseGlimmerAssistant MuseSpark MusicFlamingo
      Musicgen MusicgenMelody Mvp NanoChat Nemotron Nemotron3Diarization Nemotron3_5Asr
      Nemotron3_5Transcribe NemotronAsrStreaming NemotronH NemotronH_Omni_Reasoning_V3 NeoMME
      NeuCodec NllbMoe NomicBert Nystromformer OPT Olmo Olmo2 Olmo3 OlmoHybrid Olmoe OmDetTurbo
      OmniASR OmniASRCTC OneFormer OpenAIGPT OpenAIPrivacyFilter Ovis2 OwlViT Owlv2 PI0 PLBart
      PPDocLayoutV2 PPDocLayoutV3 PPDocLayoutV4 PPFormulaNet PPLCNet PPLCNetV3 PPLCNetV4
      PPOCRV5MobileDet PPOCRV5MobileRec PPOCRV5ServerDet PPOCRV5ServerRec PPOCRV6MediumDet
      PPOCRV6SmallDet PPOCRV6SmallRec PPOCRV6TinyRec PaddleOCRVL PaliGemma Parakeet PatchTSMixer
      PatchTST PeAudio PeAudioVideo PeVideo Pegasus PegasusX Perceiver PerceptionLM Persimmon Phi
      Phi3 Phi4Multimodal Phi4MultimodalAudio Phi4MultimodalVision Phimoe Pix2Struct Pixio Pixtral
      PocketTTS PocketTTSAudioTokenizer PoolFormer Pop2Piano PromptDepthAnything ProphetNet Pvt
      PvtV2 QianfanOCR QianfanOCRVision Qwen2 Qwen2Audio Qwen2Moe Qwen2VL Qwen2_5Omni Qwen2_5_VL
      Qwen3 Qwen3ASR Qwen3Moe Qwen3Next Qwen3OmniMoe Qwen3OmniMoeThinkerText Qwen3VL Qwen3VLMoe
      Qwen3_5 Qwen3_5Moe Qwen4Exp RTDetr RTDetrResNet RTDetrV2 Radio Rag RecurrentGemma Reformer
      RegNet RemBert ResNet RfDetr RfDetrDinov2 RoCBert RoFormer Roberta RobertaPreLayerNorm Rwkv
      SEW SEWD SLANeXt SLANet Sam Sam2 Sam2Video Sam3 Sam3LiteText Sam3Tracker Sam3TrackerVideo
      Sam3Video SamHQ Sapiens2 SeamlessM4T SeamlessM4Tv2 SeedOss SegGpt Segformer Siglip Siglip2
      SmolLM3 SmolVLM SolarOpen Speech2Text SpeechT5 Splinter SqueezeBert StableLm Starcoder2
      Step3p7 SuperGlue SuperPoint SwiftFormer Swin Swin2SR Swinv2 SwitchTransformers T5 T5Gemma
      T5Gemma2 TableTransformer Tapas TextNet TimeSeriesTransformer TimesFm TimesFm2_5 Timesformer
      TimmWrapper Tipsv2 Tipsv2Dpt Tipsv2Text Tipsv2Vision TrOCR Tvp UMT5 UVDoc Udop UltraVBert
      Ultrabert UniSpeech UniSpeechSat UnlimitedOcr UnlimitedOcrText UperNet VJEPA2 VaultGemma ViT
      ViTMAE ViTMSN VibeVoice VibeVoiceAcousticTokenizer VibeVoiceAsr VideoLlama3 VideoLlava
      VideoMAE VideoPrism Videomt Vilt VipLlava VisualBert VitDet VitMatte VitPose VitPoseBackbone
      Vits Vivit Voxtral VoxtralRealtime VoxtralRealtimeText Wav2Vec2 Wav2Vec2Bert
      Wav2Vec2Conformer WavLM Whisper XCLIP XGLM XLM XLMRoberta XLMRobertaXL XLNet Xcodec2 Xmod
      Yolos Yoso Youtu Zamba Zamba2 Zaya ZoeDepth xLSTM
      """,
    owners: """
      AMSoftmaxLoss ASTEmbeddings AXK1Experts AXK1TopkRouter AXK2Experts AXK2TopkRouter
      AfmoeExperts AfmoeSparseMoeBlock Aimv2AttentionPoolingHead Aimv2Model AlbertMLMHead
      AlignModel AltCLIPModel AltCLIPVisionEmbeddings AriaExperts AriaProjector AriaTextTopKRouter
      BailingHybridExperts BailingHybridForgetGate BailingHybridRMSNormGated
      BailingHybridTopkRouter BambaMixer BambaRMSNormGated BeamAttention BeamExperts
      BeamTopKRouter BeitEmbeddings BeitRelativePositionBias BertGenerationOnlyLMHead
      BertLMPredictionHead BigBirdLMPredictionHead Blip2Attention Blip2ForConditionalGeneration
      Blip2ForImageTextRetrieval Blip2Model Blip2TextModelWithProjection Blip2VisionEmbeddings
      Blip2VisionModelWithProjection BlipModel BlipTextLMPredictionHead BlipVisionEmbeddings
      BridgeTowerForContrastiveLearning BridgeTowerLinkTower BridgeTowerMLMHead
      BridgeTowerVisionEmbeddings BrosRelationExtractor CLIPModel CLIPSegModel
      CLIPSegVisionEmbeddings CLIPVisionEmbeddings CamembertLMHead CanineLMPredictionHead
      ChineseCLIPModel ChineseCLIPVisionEmbeddings ClapAudioSelfAttention ClapModel
      ClvpModelForConditionalGeneration Cohere2MoeExperts Cohere2MoeTopKRouter ConvNextV2GRN
      CpmAntSegmentPositionEmbedding CsmCodebooksHead CvtStage DFineDecoder DINOv3ConvNextLayer
      DINOv3ViTEmbeddings DINOv3ViTLayerScale DPTViTEmbeddings DPTViTHybridEmbeddings
      Data2VecAudioForAudioFrameClassification Data2VecAudioForSequenceClassification
      Data2VecAudioForXVector Data2VecAudioModel Data2VecTextLMHead Data2VecVisionEmbeddings
      Data2VecVisionLayer Data2VecVisionRelativePositionBias DbrxExpertGLU DebertaLMPredictionHead
      DebertaV2LMPredictionHead DeepseekOcr2Model DeepseekOcr2SamVisionAttention
      DeepseekOcr2SamVisionEncoder DeepseekOcr2TextExperts DeepseekOcr2TextTopkRouter
      DeepseekV2Experts DeepseekV2TopkRouter DeepseekV32Experts DeepseekV32TopkRouter
      DeepseekV3Experts DeepseekV3TopkRouter DeepseekV4Attention DeepseekV4CSACompressor
      DeepseekV4Experts DeepseekV4HCACompressor DeepseekV4HashRouter DeepseekV4HyperConnection
      DeepseekV4HyperHead DeepseekV4Indexer DeepseekV4TopKRouter DeepseekVLHybridModel
      DeformableDetrModel DeiTEmbeddings Deimv2Decoder DiffLlamaAttention
      DiffusionGemmaTextExperts DiffusionGemmaTextRouter Dinov2Embeddings Dinov2LayerScale
      Dinov2WithRegistersEmbeddings Dinov2WithRegistersLayerScale DisentangledSelfAttention
      DistilBertModel DogeAttention DogeDecoderLayer DonutSwinEmbeddings DonutSwinSelfAttention
      DoryAttention DoryDecoderLayer DoryForCausalLM DoryLMHead DoryMLP Dots1Experts
      Dots1TopkRouter Dots3NoteExperts Dots3NoteTextTopkRouter Dots3NoteVisionTopKRouter
      EdgeTamModel EdgeTamVideoMemoryFuserCXBlock EdgeTamVideoModel EdgeTamVideoPerceiverResampler
      EntityPredictionHead EomtDinov3Embeddings EomtDinov3LayerScale EomtEmbeddings EomtLayerScale
      Ernie4_5_MoeExperts Ernie4_5_MoeStatics Ernie4_5_MoeTopKRouter Ernie4_5_VLMoeMoeExperts
      Ernie4_5_VLMoeMoeStatics Ernie4_5_VLMoeMoeTopKRouter ErnieLMPredictionHead
      EsmFold2ConfidenceHead EsmFold2LanguageModelEncoder EsmFold2Parcae
      EsmFoldInvariantPointAttention EsmForProteinFolding EsmLMHead
      EvollaSequenceAlignerCrossAttention EvollaSequenceCompressorResampler ExaoneMoeExperts
      ExaoneMoeTopkRouter FNetLMPredictionHead FalconH1Mixer FalconH1RMSNormGated FalconMambaMixer
      FastSpeech2ConformerAttention FlavaImageEmbeddings FlavaMaskedPredictionHead FlavaModel
      FlavaMultimodalModel FlexOlmoExperts FlexOlmoTopKRouter FlintAttention FlintExperts
      FlintTopKRouter FocalNetLayer FunnelRelMultiheadAttention Gemma3MultiModalProjector
      Gemma3nAudioAttention Gemma3nAudioCumulativeGroupNorm Gemma3nTextAltUp Gemma4AudioAttention
      Gemma4TextExperts Gemma4TextRouter Gemma4UnifiedVisionEmbedder Gemma4VisionPatchEmbedder
      GitVisionEmbeddings Glm4MoeExperts Glm4MoeLiteExperts Glm4MoeLiteTopkRouter
      Glm4MoeTopkRouter Glm4vMoeTextExperts Glm4vMoeTextTopkRouter Glm5NextTextExperts
      Glm5NextTextForgetGate Glm5NextTextHyperConnection Glm5NextTextIndexer
      Glm5NextTextRMSNormGated Glm5NextTextTopkRouter GlmMoeDsaExperts GlmMoeDsaTopkRouter
      GotOcr2VisionAttention GotOcr2VisionEncoder GptOssAttention GptOssExperts GptOssTopKRouter
      GradiumPhononTTSModel GradiumPhononTTSTimestepNorm Granite4VisionModel
      Granite4VisionWindowQFormerDownsampler GraniteMoeExperts GraniteMoeHybridExperts
      GraniteMoeHybridMambaLayer GraniteMoeHybridRMSNormGated GraniteMoeHybridTopKRouter
      GraniteMoeSWAAttention GraniteMoeSWAExperts GraniteMoeSWATopKRouter GraniteMoeSharedExperts
      GraniteMoeSharedTopKRouter GraniteMoeTopKRouter GraniteSWAAttention
      GraniteSpeechEncoderProjector GraniteSpeechPlusEncoderProjector GroundingDinoFusionLayer
      GroundingDinoModel GroupViTModel GroupViTStage GroupViTVisionEmbeddings GroupedLinearLayer
      HGNetV2LearnableAffineBlock HYV3Experts HYV3TopKRouter HYV4Attention HYV4Experts
      HYV4HyperConnection HYV4HyperHead HYV4TopkRouter HYV4VLAttention HYV4VLExperts
      HYV4VLHyperConnection HYV4VLHyperHead HYV4VLTopkRouter HYV4VLVisionPatchMerger HieraDecoder
      HieraEmbeddings HrmTextModel HubertForSequenceClassification HubertModel HunYuanMoEV1Experts
      HunYuanVLVisionPatchMerger IBertLMHead IJepaEmbeddings Idefics2MultiheadAttentionPoolingHead
      Idefics2PerceiverResampler IdeficsGatedCrossAttentionLayer IdeficsPerceiverResampler
      IdeficsVisionEmbeddings Inkling2BlockAttentionResidual Inkling2DynamicShortConvolution
      Inkling2Experts Inkling2LogScaledL2Clip Inkling2LoopBlockAttentionResidual
      Inkling2LoopDynamicShortConvolution Inkling2LoopExperts Inkling2LoopLogScaledL2Clip
      Inkling2LoopMessageAttentionResidual Inkling2LoopRelativePositionBias
      Inkling2LoopScaledL2Clip Inkling2LoopTopKRouter Inkling2RelativePositionBias
      Inkling2ScaledL2Clip Inkling2TopKRouter Inkling2VisionEmbeddings Inkling2VisionEncoderLayer
      InklingExperts InklingMLP InklingRelativeLogits InklingSharedExperts InklingTopkRouter
      InstructBlipAttention InstructBlipForConditionalGeneration InstructBlipModel
      InstructBlipVideoAttention InstructBlipVideoForConditionalGeneration InstructBlipVideoModel
      InstructBlipVideoVisionEmbeddings InstructBlipVisionEmbeddings InternVLVisionEmbeddings
      InternVLVisionLayer InterpolateMidPositionEmbeddings JambaExperts JambaMambaMixer
      JambaTopKRouter JetMoeMoA JetMoeMoE JetMoeParallelExperts JinaEmbeddingsV3LMHead
      KimiLinearExperts KimiLinearForgetGate KimiLinearRMSNormGated KimiLinearTopkRouter
      Kimi_K25VisionPositionEmbeddings Kolibri1Experts Kolibri1TopKRouter
      Kosmos2ImageToTextProjection Kosmos2VisionEmbeddings Kosmos2_5ImageToTextProjection
      LagunaExperts LagunaTopKRouter LaraMiniExperts LaraMiniGatedDeltaNet LaraMiniRMSNormGated
      LaraMiniTopKRouter LayoutLMLMPredictionHead LayoutLMv2Model LayoutLMv2SelfAttention
      LayoutLMv3Model LegacyDebertaLMPredictionHead LegacyDebertaV2LMPredictionHead LevitAttention
      LevitAttentionSubsample Lfm2MoeExperts Lfm2MoeTopKRouter Llama4TextExperts Llama4VisionModel
      LlavaNextModel LlavaNextVideoModel LlavaOnevisionModel LongcatFlashExperts LongformerLMHead
      LukeLMHead LwDetrViTEmbeddings LwDetrViTLayer LxmertLMPredictionHead MLCDVisionEmbeddings
      MLCDVisionModel MMGroundingDinoContrastiveEmbedding MMGroundingDinoFusionLayer
      MMGroundingDinoModel MPNetLMHead Mamba2Mixer MambaMixer MambaRMSNormGated
      MarkupLMLMPredictionHead Mask2FormerPixelDecoder MaskFormerSwinEmbeddings
      MaskFormerSwinSelfAttention MegatronBertLMPredictionHead MellumExperts MellumTopKRouter
      MetaClip2Model MetaClip2VisionEmbeddings MgpstrEmbeddings MiMoV2FlashExperts
      MiMoV2FlashTopkRouter MimiLayerScale MiniMaxExperts MiniMaxM2Experts MiniMaxM2TopKRouter
      MiniMaxM3VLExperts MiniMaxM3VLTopKRouter MiniMaxTopKRouter Mistral4Experts
      Mistral4TopkRouter MistralLarge4TextExperts MistralLarge4TextRotaryEmbedding
      MistralLarge4TextSoftmaxScaling MistralLarge4TextTopkRouter MixtralExperts MixtralTopKRouter
      MllamaCrossAttentionDecoderLayer MllamaPrecomputedAspectRatioEmbedding
      MllamaPrecomputedPositionEmbedding MllamaVisionEncoderLayer MllamaVisionModel
      MobileBertLMPredictionHead Molmo2VisionModel MoonshineStreamingAsinhCompression
      MraLMPredictionHead MuseSparkExperts MuseSparkResidualGate MuseSparkTopkRouter
      NeighborhoodAttention Nemotron3DiarizationForAudioFrameClassification
      NemotronAsrStreamingEncoderAttention NemotronHExperts NemotronHMamba2Mixer
      NemotronHRMSNormGated NemotronHTopkRouter NeoMMEEncoderLayer NeoMMEExclusiveSelfAttention
      NeuCodecSnakeBeta NoNorm NomicBertLMPredictionHead NystromformerLMPredictionHead
      OlmoHybridGatedDeltaNet OlmoHybridRMSNormGated OlmoeExperts OlmoeTopKRouter
      OmDetTurboLanguageBackbone OneFormerLoss OneFormerPixelDecoder OneFormerTextEncoder
      OpenAIPrivacyFilterAttention OpenAIPrivacyFilterExperts OpenAIPrivacyFilterTopKRouter
      OwlViTModel OwlViTVisionEmbeddings Owlv2Model Owlv2VisionEmbeddings PPDocLayoutV4S2RFusion
      PPFormulaNetVisionAttention PPFormulaNetVisionModel PPLCNetV3LearnableAffineBlock
      PPLCNetV4LearnableAffineBlock PPOCRV5MobileRecAttention PPOCRV5ServerRecAttention
      PPOCRV6SmallRecAttention ParakeetEncoderAttention PatchTSMixerPositionalEncoding
      PatchTSTPositionalEncoding PeAudioEncoderPatchEmbedder PeAudioModel
      PeAudioVideoEncoderPatchEmbedder PeAudioVideoModel PeVideoEncoderPatchEmbedder PeVideoModel
      PerceiverEmbeddingDecoder PerceiverEmbeddings PerceiverTrainablePositionEncoding
      Phi4MultimodalAudioGluPointWiseConv Phi4MultimodalImageEmbedding
      Phi4MultimodalVisionMultiheadAttentionPoolingHead PhimoeExperts PixioEmbeddings
      PocketTTSAudioTokenizerLayerScale PocketTTSModel PocketTTSTimestepNorm PoolFormerLayer
      PvtPatchEmbeddings QianfanOCRVisionEmbeddings QianfanOCRVisionLayer QuantEmbedding
      Qwen2MoeExperts Qwen2MoeTopKRouter Qwen2_5OmniSnakeBeta Qwen3MoeExperts Qwen3MoeTopKRouter
      Qwen3NextExperts Qwen3NextGatedDeltaNet Qwen3NextRMSNormGated Qwen3NextTopKRouter
      Qwen3OmniMoeCode2WavLayerScale Qwen3OmniMoeConvNeXtBlock Qwen3OmniMoeSnakeBeta
      Qwen3OmniMoeTalkerTextExperts Qwen3OmniMoeTalkerTextTopKRouter Qwen3OmniMoeTextTopKRouter
      Qwen3OmniMoeThinkerTextExperts Qwen3OmniMoeThinkerTextTopKRouter Qwen3VLMoeTextExperts
      Qwen3VLMoeTextTopKRouter Qwen3_5GatedDeltaNet Qwen3_5MoeExperts Qwen3_5MoeGatedDeltaNet
      Qwen3_5MoeRMSNormGated Qwen3_5MoeTopKRouter Qwen3_5RMSNormGated Qwen4ExpTextExperts
      Qwen4ExpTextGatedDeltaNet Qwen4ExpTextRMSNormGated Qwen4ExpTextTopKRouter RadioLayerScale
      RadioPatchEmbeddings RecurrentGemmaRglru ReformerOnlyLMHead RfDetrDinov2Embeddings
      RfDetrDinov2LayerScale RfDetrForInstanceSegmentation RoCBertLMPredictionHead
      RoFormerLMPredictionHead RobertaLMHead RobertaPreLayerNormLMHead RwkvFeedForward
      RwkvSelfAttention SEWDForSequenceClassification SEWDModel SEWForSequenceClassification
      SEWModel SLANeXtVisionAttention SLANeXtVisionEncoder Sam2HieraDetModel Sam2Model
      Sam2VideoMemoryFuserCXBlock Sam2VideoModel Sam3LiteTextLayerScaledResidual
      Sam3LiteTextTextPositionEmbedding Sam3TrackerModel Sam3TrackerVideoMemoryFuserCXBlock
      Sam3TrackerVideoModel Sam3ViTEmbeddings Sam3ViTLayerScale SamHQPositionalEmbedding
      SamHQVisionAttention SamHQVisionEncoder SamPositionalEmbedding SamVisionAttention
      SamVisionEncoder Sapiens2Embeddings Sapiens2LayerScale SeamlessM4TConformerSelfAttention
      SeamlessM4Tv2TextToUnitDecoder SegGptAttention SegGptEmbeddings SeparableConv1D Siglip2Model
      Siglip2MultiheadAttentionPoolingHead SiglipModel SiglipMultiheadAttentionPoolingHead
      SinusoidalPositionalEmbedding Snake1d SolarOpenExperts SolarOpenTopkRouter
      SpeechT5ScaledPositionalEncoding SpeechT5SpeechEncoderPrenet SqueezeBertLMPredictionHead
      Step3p7Experts Step3p7TopKRouter Step3p7VisionEncoderLayer SwiftFormerConvEncoder
      SwiftFormerEfficientAdditiveAttention SwiftFormerEncoderBlock SwiftFormerLocalRepresentation
      Swin2SREmbeddings Swin2SRSelfAttention SwinRelativePositionBias Swinv2Embeddings
      Swinv2SelfAttention T5Gemma2MultiModalProjector T5Gemma2TextScaledWordEmbedding
      TapasForQuestionAnswering TapasLMPredictionHead TimesFm2_5Attention TimesFmAttention
      TimesformerEmbeddings Tipsv2Model Tipsv2VisionEmbeddings Tipsv2VisionLayerScale
      TvpFrameDownPadPrompter TvpFramePadPrompter TvpModel UniSpeechForSequenceClassification
      UniSpeechGumbelVectorQuantizer UniSpeechModel UniSpeechSatForAudioFrameClassification
      UniSpeechSatForPreTraining UniSpeechSatForSequenceClassification UniSpeechSatForXVector
      UniSpeechSatGumbelVectorQuantizer UniSpeechSatModel UnlimitedOcrModel
      UnlimitedOcrSamVisionAttention UnlimitedOcrSamVisionEncoder UnlimitedOcrTextExperts
      UnlimitedOcrTextTopkRouter UnlimitedOcrVisionEmbeddings VJEPA2AttentivePooler
      VJEPA2PredictorEmbeddings ViTEmbeddings ViTMAEDecoder ViTMAEEmbeddings ViTMSNEmbeddings
      VibeVoiceAcousticTokenizerConvNext1dLayer VibeVoiceAsrConvNext1dLayer VibeVoiceModel
      VideoMAEForPreTraining VideoPrismMultiheadAttentionPoolingHead VideoPrismSpatialEmbeddings
      VideoPrismTemporalEmbeddings VideoPrismTextEmbeddings VideomtEmbeddings VideomtLayerScale
      ViltEmbeddings VisionTextDualEncoderModel VisualBertEmbeddings VisualBertLMPredictionHead
      VitDetAttention VitDetEmbeddings VitPoseBackboneEmbeddings VitsAttention
      VitsElementwiseAffine VivitEmbeddings Wav2Vec2BertForAudioFrameClassification
      Wav2Vec2BertForSequenceClassification Wav2Vec2BertForXVector Wav2Vec2BertModel
      Wav2Vec2BertSelfAttention Wav2Vec2ConformerForAudioFrameClassification
      Wav2Vec2ConformerForSequenceClassification Wav2Vec2ConformerForXVector
      Wav2Vec2ConformerGumbelVectorQuantizer Wav2Vec2ConformerModel Wav2Vec2ConformerSelfAttention
      Wav2Vec2ForAudioFrameClassification Wav2Vec2ForSequenceClassification Wav2Vec2ForXVector
      Wav2Vec2GumbelVectorQuantizer Wav2Vec2Model WavLMAttention WavLMForAudioFrameClassification
      WavLMForSequenceClassification WavLMForXVector WavLMGumbelVectorQuantizer WavLMModel
      WavTokenizerConvNeXtBlock WhisperForAudioClassification XCLIPModel
      XCLIPMultiframeIntegrationTransformer XCLIPPromptGenerator XCLIPVisionEmbeddings
      XLMRobertaLMHead XLMRobertaXLLMHead XLNetModel XLNetRelativeAttention Xcodec2SnakeBeta
      XmodLMHead YolosEmbeddings YosoLMPredictionHead Zamba2MambaMixer Zamba2RMSNormGated
      ZambaMambaMixer ZayaExperts ZayaModel ZayaQKNorm ZayaResidualScaling ZayaRouter
      """)
}
