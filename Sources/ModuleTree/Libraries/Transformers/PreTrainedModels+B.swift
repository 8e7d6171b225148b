/// Models of transformers 5.24 by family, JinaEmbeddingsV3 to Siglip: see ``PreTrainedModel``.
///
/// Written by `Tools/fixtures/make_transformers.py` from live models; not edited by hand.
extension PreTrainedModel {
  static let familiesB = """
    JinaEmbeddingsV3: ForMaskedLM(lm_head roberta;
      lm_head.decoder.weight=roberta.embeddings.word_embeddings.weight,
      lm_head.decoder.bias=lm_head.bias) ForQuestionAnswering(qa_outputs roberta)
      ForSequenceClassification(classifier roberta) ForTokenClassification(classifier roberta)
      Model(embeddings layers)
    Kosmos2_5: TextForCausalLM(model lm_head; lm_head.weight=model.embed_tokens.weight)
      TextModel(model) TextTransformer(embed_tokens embed_positions segment_emb layers)
    LED: Decoder(embed_tokens embed_positions layers layernorm_embedding) Encoder(embed_tokens
      embed_positions layers layernorm_embedding) ForConditionalGeneration(led lm_head;
      lm_head.weight=led.shared.weight, led.encoder.embed_tokens.weight=led.shared.weight,
      led.decoder.embed_tokens.weight=led.shared.weight) ForQuestionAnswering(led qa_outputs;
      led.encoder.embed_tokens.weight=led.shared.weight,
      led.decoder.embed_tokens.weight=led.shared.weight) Model(shared encoder decoder;
      encoder.embed_tokens.weight=shared.weight, decoder.embed_tokens.weight=shared.weight)
    Lasr: Encoder(subsampler layers out_norm) ForCTC(encoder ctc_head)
    LayoutLM: ForMaskedLM(layoutlm cls; cls.predictions.decoder.bias=cls.predictions.bias,
      cls.predictions.decoder.weight=layoutlm.embeddings.word_embeddings.weight)
      ForQuestionAnswering(layoutlm qa_outputs) ForSequenceClassification(layoutlm classifier)
      ForTokenClassification(layoutlm classifier) Model(embeddings encoder)
    Lfm2 Lfm3: ForCausalLM(model lm_head; lm_head.weight=model.embed_tokens.weight)
      Model(embed_tokens layers embedding_norm)
    Lfm3Vl: ForConditionalGeneration(model lm_head;
      lm_head.weight=model.language_model.embed_tokens.weight) Model(language_model vision_tower
      multi_modal_projector) VisionModel(patch_embed rotary_pos_emb embedding_norm layers)
    LightGlue: ForKeypointMatching(keypoint_detector input_projection positional_encoder
      transformer_layers)
    LightOnOcr: ForConditionalGeneration(model lm_head;
      lm_head.weight=model.language_model.embed_tokens.weight) Model(vision_encoder
      vision_projection language_model)
    Llava VipLlava: ForConditionalGeneration(model lm_head; untied) Model(vision_tower
      multi_modal_projector language_model)
    Longformer: ForMaskedLM(longformer lm_head;
      lm_head.decoder.weight=longformer.embeddings.word_embeddings.weight,
      lm_head.decoder.bias=lm_head.bias) ForMultipleChoice(longformer classifier)
      ForQuestionAnswering(longformer qa_outputs) ForSequenceClassification(longformer classifier)
      ForTokenClassification(longformer classifier) Model(embeddings encoder)
    Lxmert: ForPreTraining(lxmert cls obj_predict_head answer_head;
      cls.predictions.decoder.weight=lxmert.embeddings.word_embeddings.weight)
      ForQuestionAnswering(lxmert answer_head loss) Model(embeddings encoder)
    M2M100: Decoder(embed_tokens embed_positions layers layer_norm) Encoder(embed_tokens
      embed_positions layers layer_norm) ForConditionalGeneration(model lm_head;
      lm_head.weight=model.shared.weight, model.decoder.embed_tokens.weight=model.shared.weight,
      model.encoder.embed_tokens.weight=model.shared.weight) Model(shared encoder decoder;
      decoder.embed_tokens.weight=shared.weight, encoder.embed_tokens.weight=shared.weight)
    MPNet: ForMaskedLM(mpnet lm_head;
      lm_head.decoder.weight=mpnet.embeddings.word_embeddings.weight,
      lm_head.decoder.bias=lm_head.bias) ForMultipleChoice(mpnet classifier)
      ForQuestionAnswering(mpnet qa_outputs) ForSequenceClassification(mpnet classifier)
      ForTokenClassification(mpnet classifier) Model(embeddings encoder)
    MT5 T5 UMT5: EncoderModel(shared encoder; encoder.embed_tokens.weight=shared.weight; std=1.0)
      ForConditionalGeneration(shared encoder decoder lm_head;
      encoder.embed_tokens.weight=shared.weight, decoder.embed_tokens.weight=shared.weight,
      lm_head.weight=shared.weight; std=1.0) ForQuestionAnswering(shared encoder decoder
      qa_outputs; encoder.embed_tokens.weight=shared.weight,
      decoder.embed_tokens.weight=shared.weight; std=1.0) ForSequenceClassification(transformer
      classification_head; transformer.encoder.embed_tokens.weight=transformer.shared.weight,
      transformer.decoder.embed_tokens.weight=transformer.shared.weight; std=1.0)
      ForTokenClassification(transformer classifier;
      transformer.encoder.embed_tokens.weight=transformer.shared.weight; std=1.0) Model(shared
      encoder decoder; encoder.embed_tokens.weight=shared.weight,
      decoder.embed_tokens.weight=shared.weight; std=1.0) Stack(embed_tokens block
      final_layer_norm; std=1.0)
    Marian: Decoder(embed_tokens embed_positions layers) DecoderWrapper(decoder)
      Encoder(embed_tokens embed_positions layers) ForCausalLM(model lm_head;
      lm_head.weight=model.decoder.embed_tokens.weight) MTModel(model lm_head;
      lm_head.weight=model.shared.weight, model.decoder.embed_tokens.weight=model.shared.weight,
      model.encoder.embed_tokens.weight=model.shared.weight) Model(shared encoder decoder;
      decoder.embed_tokens.weight=shared.weight, encoder.embed_tokens.weight=shared.weight)
    MaskFormerDetr: Decoder(layers layernorm)
    MegatronBert: ForCausalLM(bert cls;
      cls.predictions.decoder.weight=bert.embeddings.word_embeddings.weight,
      cls.predictions.decoder.bias=cls.predictions.bias) ForMaskedLM(bert cls;
      cls.predictions.decoder.weight=bert.embeddings.word_embeddings.weight,
      cls.predictions.decoder.bias=cls.predictions.bias) ForMultipleChoice(bert classifier)
      ForNextSentencePrediction(bert cls) ForPreTraining(bert cls;
      cls.predictions.decoder.weight=bert.embeddings.word_embeddings.weight,
      cls.predictions.decoder.bias=cls.predictions.bias) ForQuestionAnswering(bert qa_outputs)
      ForSequenceClassification(bert classifier) ForTokenClassification(bert classifier)
      Model(embeddings encoder)
    MiniCPM3: ForCausalLM(model lm_head; lm_head.weight=model.embed_tokens.weight; std=0.1)
      ForSequenceClassification(model score; std=0.1) Model(embed_tokens layers norm; std=0.1)
    MiniCPMOcrVision MiniCPMV4_6Vision MiniCPMV4_7Vision: Model(embeddings encoder post_layernorm
      vit_merger)
    MiniMaxM3VL: VisionModel(embeddings pre_layrnorm layers)
    Ministral3 Mistral Mixtral Qwen2Moe: ForCausalLM(model lm_head; untied)
      ForQuestionAnswering(model qa_outputs) ForSequenceClassification(model score)
      ForTokenClassification(model score) Model(embed_tokens layers norm)
    Mistral3 PaliGemma: ForConditionalGeneration(model lm_head;
      lm_head.weight=model.language_model.embed_tokens.weight) Model(vision_tower
      multi_modal_projector language_model)
    Mllama: ForCausalLM(model lm_head) TextModel(embed_tokens layers norm)
    MobileNetV1: ForImageClassification(mobilenet_v1 classifier) Model(conv_stem layer)
    MobileNetV2: ForImageClassification(mobilenet_v2 classifier)
      ForSemanticSegmentation(mobilenet_v2 segmentation_head) Model(conv_stem layer conv_1x1)
    MobileViT: ForImageClassification(mobilevit classifier) Model(conv_stem encoder conv_1x1_exp)
    MobileViTV2: ForImageClassification(mobilevitv2 classifier)
      ForSemanticSegmentation(mobilevitv2 segmentation_head) Model(conv_stem encoder)
    ModernBert: ForMaskedLM(model head decoder;
      decoder.weight=model.embeddings.tok_embeddings.weight) ForMultipleChoice(model head
      classifier) ForQuestionAnswering(model head classifier) ForSequenceClassification(model head
      classifier) ForTokenClassification(model head classifier) Model(embeddings layers
      final_norm)
    Molmo2: Adapter(image_pooling_2d image_projector) TextModel(embed_tokens layers norm
      rotary_emb_unscaled)
    Moonshine: Decoder(embed_tokens layers norm) Encoder(conv1 conv2 conv3 groupnorm)
      ForConditionalGeneration(model proj_out; proj_out.weight=model.decoder.embed_tokens.weight)
      Model(encoder decoder)
    Moshi: ForCausalLM(model lm_head) Model(embed_tokens layers norm)
    MossTranscribeDiarize: AudioModel(conv1 conv2 embed_positions layers)
      ForConditionalGeneration(model lm_head;
      lm_head.weight=model.language_model.embed_tokens.weight) Model(audio_tower language_model
      multi_modal_projector)
    Mpt: ForCausalLM(transformer lm_head; lm_head.weight=transformer.wte.weight)
      ForQuestionAnswering(transformer qa_outputs) ForSequenceClassification(transformer score)
      ForTokenClassification(transformer classifier) Model(wte blocks norm_f)
    MuseGlimmer MuseSpark: VisionModel(patch_embedder ln_pre layers ln_post)
    MuseGlimmerAssistant: Model(layers norm encoder)
    MusicFlamingo: ForConditionalGeneration(model lm_head) Model(audio_tower language_model
      multi_modal_projector pos_emb)
    Musicgen MusicgenMelody: Decoder(embed_tokens embed_positions layers layer_norm)
      ForCausalLM(model lm_heads) Model(decoder)
    Mvp: Decoder(embed_tokens embed_positions layers layernorm_embedding) DecoderWrapper(decoder)
      Encoder(embed_tokens embed_positions layers layernorm_embedding) ForCausalLM(model lm_head;
      lm_head.weight=model.decoder.embed_tokens.weight) ForConditionalGeneration(model lm_head;
      lm_head.weight=model.shared.weight, model.encoder.embed_tokens.weight=model.shared.weight,
      model.decoder.embed_tokens.weight=model.shared.weight) ForQuestionAnswering(model
      qa_outputs; model.encoder.embed_tokens.weight=model.shared.weight,
      model.decoder.embed_tokens.weight=model.shared.weight) ForSequenceClassification(model
      classification_head; model.encoder.embed_tokens.weight=model.shared.weight,
      model.decoder.embed_tokens.weight=model.shared.weight) Model(shared encoder decoder;
      encoder.embed_tokens.weight=shared.weight, decoder.embed_tokens.weight=shared.weight)
    Nemotron3Diarization: AudioModel(embedder input_layer_norm layers layer_norm)
    Nemotron3_5Transcribe: AsrAudioModel(embedder input_layer_norm layers layer_norm)
      WordTimestampModel(upsampler input_layer_norm layers layer_norm)
    NllbMoe: Decoder(embed_tokens embed_positions layers layer_norm) Encoder(embed_tokens
      embed_positions layers layer_norm) ForConditionalGeneration(model lm_head;
      lm_head.weight=model.shared.weight, model.encoder.embed_tokens.weight=model.shared.weight,
      model.decoder.embed_tokens.weight=model.shared.weight) Model(shared encoder decoder;
      encoder.embed_tokens.weight=shared.weight, decoder.embed_tokens.weight=shared.weight)
    NomicBert: ForMaskedLM(nomic_bert cls;
      cls.predictions.decoder.weight=nomic_bert.embeddings.word_embeddings.weight,
      cls.predictions.decoder.bias=cls.predictions.bias) ForSequenceClassification(nomic_bert
      classifier) ForTokenClassification(nomic_bert classifier) Model(embeddings layers)
    Nystromformer: ForMaskedLM(nystromformer cls;
      cls.predictions.decoder.weight=nystromformer.embeddings.word_embeddings.weight,
      cls.predictions.decoder.bias=cls.predictions.bias) ForMultipleChoice(nystromformer
      pre_classifier classifier) ForQuestionAnswering(nystromformer qa_outputs)
      ForSequenceClassification(nystromformer classifier) ForTokenClassification(nystromformer
      classifier) Model(embeddings encoder)
    OPT: Decoder(embed_tokens embed_positions final_layer_norm layers) ForCausalLM(model lm_head;
      lm_head.weight=model.decoder.embed_tokens.weight) ForQuestionAnswering(model qa_outputs)
      ForSequenceClassification(model score) Model(decoder)
    Olmo Olmo2 Olmo3 Phimoe: ForCausalLM(model lm_head; untied) ForSequenceClassification(model
      score) Model(embed_tokens layers norm)
    OmniASR: AudioModel(subsampling encode_positions layers layer_norm)
      ForConditionalGeneration(model lm_head) Model(audio_tower language_model
      multi_modal_projector)
    OmniASRCTC: Model(audio_tower) =OmniASRForCTC(ctc_head model)
    OpenAIGPT: DoubleHeadsModel(transformer lm_head multiple_choice_head;
      transformer.tokens_embed.weight=lm_head.weight) ForSequenceClassification(transformer score)
      LMHeadModel(transformer lm_head; lm_head.weight=transformer.tokens_embed.weight)
      Model(tokens_embed positions_embed h)
    Ovis2: VisionModel(transformer head_linear head_norm)
    OwlViT Owlv2: TextModel(text_model) TextTransformer(embeddings encoder final_layer_norm)
      VisionModel(vision_model) VisionTransformer(embeddings pre_layernorm encoder post_layernorm)
    PLBart: Decoder(embed_tokens embed_positions layers layernorm_embedding)
      DecoderWrapper(decoder) Encoder(embed_tokens embed_positions layers layernorm_embedding)
      ForCausalLM(model lm_head; lm_head.weight=model.decoder.embed_tokens.weight)
      ForConditionalGeneration(model lm_head; lm_head.weight=model.shared.weight,
      model.encoder.embed_tokens.weight=model.shared.weight,
      model.decoder.embed_tokens.weight=model.shared.weight) ForSequenceClassification(model
      classification_head; model.encoder.embed_tokens.weight=model.shared.weight,
      model.decoder.embed_tokens.weight=model.shared.weight) Model(shared encoder decoder;
      encoder.embed_tokens.weight=shared.weight, decoder.embed_tokens.weight=shared.weight)
    PPDocLayoutV2: ReadingOrder(embeddings label_embeddings label_features_projection encoder;
      std=0.01)
    PPFormulaNet: TextModel(embed_tokens embed_positions layers layernorm_embedding)
    PPLCNet: Backbone(encoder) Encoder(convolution blocks) ForImageClassification(encoder avg_pool
      last_convolution act_fn)
    PPLCNetV4: Backbone(encoder) Encoder(convolution blocks)
    PPOCRV5ServerRec PPOCRV6SmallRec: Model(backbone)
    PPOCRV6SmallDet: ForObjectDetection(model head) Model(backbone neck)
    PPOCRV6TinyRec: ForTextRecognition(model head) Model(backbone)
    PaddleOCRVL: =PaddleOCRTextModel(embed_tokens layers norm) ForConditionalGeneration(model
      lm_head; lm_head.weight=model.language_model.embed_tokens.weight) Model(visual
      language_model projector) =PaddleOCRVisionModel(vision_model)
      =PaddleOCRVisionTransformer(embeddings encoder post_layernorm)
    PatchTSMixer: Encoder(patcher mlp_mixer_encoder) ForPretraining(model head)
      ForRegression(model inject_scale head) ForTimeSeriesClassification(model head inject_scale)
      Model(encoder patching scaler)
    Pegasus: Decoder(embed_tokens embed_positions layers layer_norm) DecoderWrapper(decoder)
      Encoder(embed_tokens embed_positions layers layer_norm) ForCausalLM(model lm_head;
      lm_head.weight=model.decoder.embed_tokens.weight) ForConditionalGeneration(model lm_head;
      lm_head.weight=model.shared.weight, model.decoder.embed_tokens.weight=model.shared.weight,
      model.encoder.embed_tokens.weight=model.shared.weight) Model(shared encoder decoder;
      decoder.embed_tokens.weight=shared.weight, encoder.embed_tokens.weight=shared.weight)
    PegasusX: Decoder(embed_tokens embed_positions layers layer_norm) DecoderWrapper(decoder)
      Encoder(embed_tokens embed_global embed_positions layers) ForConditionalGeneration(model
      lm_head; lm_head.weight=model.shared.weight,
      model.encoder.embed_tokens.weight=model.shared.weight,
      model.decoder.embed_tokens.weight=model.shared.weight) Model(shared encoder decoder;
      encoder.embed_tokens.weight=shared.weight, decoder.embed_tokens.weight=shared.weight)
    Persimmon: ForCausalLM(model lm_head; untied) ForSequenceClassification(model score)
      ForTokenClassification(model score) Model(embed_tokens layers final_layernorm)
    Phi: ForCausalLM(model lm_head; untied) ForSequenceClassification(model score)
      ForTokenClassification(model score) Model(embed_tokens layers embed_dropout final_layernorm)
    Pixtral: VisionModel(patch_conv ln_pre transformer patch_positional_embedding)
    PoolFormer: ForImageClassification(poolformer norm classifier) Model(encoder)
    PvtV2: Backbone(encoder) ForImageClassification(pvt_v2 classifier) Model(encoder)
    Qwen2Audio: Encoder(conv1 conv2 embed_positions layers) ForConditionalGeneration(model
      lm_head) Model(audio_tower multi_modal_projector language_model)
    Qwen2VL: ForConditionalGeneration(model lm_head; untied) Model(visual language_model)
      TextModel(embed_tokens layers norm) =Qwen2VisionTransformerPretrainedModel(patch_embed
      rotary_pos_emb blocks merger)
    Qwen2_5Omni: AudioEncoder(conv1 conv2 positional_embedding audio_bos_eos_token)
      TalkerForConditionalGeneration(thinker_to_talker_proj model codec_head)
      TalkerModel(embed_tokens layers norm) ThinkerForConditionalGeneration(model lm_head; untied)
      ThinkerModel(audio_tower visual language_model) ThinkerTextModel(embed_tokens layers norm)
      Token2WavDiTModel(time_embed text_embed input_embed rotary_embed) VisionEncoder(patch_embed
      rotary_pos_emb blocks merger)
    Qwen2_5_VL: ForConditionalGeneration(model lm_head; untied) Model(visual language_model)
      TextModel(embed_tokens layers norm) =Qwen2_5_VisionTransformerPretrainedModel(patch_embed
      rotary_pos_emb blocks merger)
    Qwen3ASR: Encoder(positional_embedding layers ln_post conv2d1) ForConditionalGeneration(model
      lm_head; lm_head.weight=model.language_model.embed_tokens.weight)
      ForTokenClassification(model score) Model(audio_tower language_model multi_modal_projector)
    Qwen3OmniMoe: AudioEncoder(positional_embedding layers ln_post conv2d1)
      TalkerCodePredictorModel(layers norm codec_embedding)
      TalkerCodePredictorModelForConditionalGeneration(model lm_head; untied)
      VisionEncoder(merger_list patch_embed pos_embed rotary_pos_emb)
    Qwen3VL: ForConditionalGeneration(model lm_head; untied) Model(visual language_model)
      TextModel(embed_tokens layers norm) VisionModel(patch_embed pos_embed rotary_pos_emb blocks)
    RegNet: ForImageClassification(regnet classifier) Model(embedder encoder)
    RemBert: ForCausalLM(rembert cls) ForMaskedLM(rembert cls) ForMultipleChoice(rembert
      classifier) ForQuestionAnswering(rembert qa_outputs) ForSequenceClassification(rembert
      classifier) ForTokenClassification(rembert classifier) Model(embeddings encoder)
    ResNet: Backbone(embedder encoder) ForImageClassification(resnet classifier) Model(embedder
      encoder)
    RoCBert: ForCausalLM(roc_bert cls; cls.predictions.decoder.bias=cls.predictions.bias,
      cls.predictions.decoder.weight=roc_bert.embeddings.word_embeddings.weight)
      ForMaskedLM(roc_bert cls; cls.predictions.decoder.bias=cls.predictions.bias,
      cls.predictions.decoder.weight=roc_bert.embeddings.word_embeddings.weight)
      ForMultipleChoice(roc_bert classifier) ForPreTraining(roc_bert cls;
      cls.predictions.decoder.bias=cls.predictions.bias,
      cls.predictions.decoder.weight=roc_bert.embeddings.word_embeddings.weight)
      ForQuestionAnswering(roc_bert qa_outputs) ForSequenceClassification(roc_bert classifier)
      ForTokenClassification(roc_bert classifier) Model(embeddings encoder)
    RoFormer: ForCausalLM(roformer cls; cls.predictions.decoder.bias=cls.predictions.bias,
      cls.predictions.decoder.weight=roformer.embeddings.word_embeddings.weight)
      ForMaskedLM(roformer cls; cls.predictions.decoder.bias=cls.predictions.bias,
      cls.predictions.decoder.weight=roformer.embeddings.word_embeddings.weight)
      ForMultipleChoice(roformer sequence_summary classifier) ForQuestionAnswering(roformer
      qa_outputs) ForSequenceClassification(roformer classifier) ForTokenClassification(roformer
      classifier) Model(embeddings embeddings_project encoder)
    Roberta XLMRobertaXL Xmod: ForCausalLM(roberta lm_head;
      lm_head.decoder.weight=roberta.embeddings.word_embeddings.weight,
      lm_head.decoder.bias=lm_head.bias) ForMaskedLM(roberta lm_head;
      lm_head.decoder.weight=roberta.embeddings.word_embeddings.weight,
      lm_head.decoder.bias=lm_head.bias) ForMultipleChoice(roberta classifier)
      ForQuestionAnswering(roberta qa_outputs) ForSequenceClassification(roberta classifier)
      ForTokenClassification(roberta classifier) Model(embeddings encoder)
    RobertaPreLayerNorm: ForCausalLM(roberta_prelayernorm lm_head;
      lm_head.decoder.weight=roberta_prelayernorm.embeddings.word_embeddings.weight,
      lm_head.decoder.bias=lm_head.bias) ForMaskedLM(roberta_prelayernorm lm_head;
      lm_head.decoder.weight=roberta_prelayernorm.embeddings.word_embeddings.weight,
      lm_head.decoder.bias=lm_head.bias) ForMultipleChoice(roberta_prelayernorm classifier)
      ForQuestionAnswering(roberta_prelayernorm qa_outputs)
      ForSequenceClassification(roberta_prelayernorm classifier)
      ForTokenClassification(roberta_prelayernorm classifier) Model(embeddings encoder LayerNorm)
    SLANet: Backbone(vision_backbone post_csp_pan)
    Sam3 Sam3LiteText: DetrDecoder(layers output_layer_norm box_head query_embed)
      DetrEncoder(layers) MaskDecoder(pixel_decoder mask_embedder instance_projection
      semantic_projection)
    SeamlessM4T SeamlessM4Tv2: Decoder(embed_tokens embed_positions layers layer_norm)
      Encoder(embed_tokens embed_positions layers layer_norm) ForTextToText(shared text_encoder
      text_decoder lm_head; lm_head.weight=shared.weight,
      text_encoder.embed_tokens.weight=shared.weight,
      text_decoder.embed_tokens.weight=shared.weight)
    Segformer: ForImageClassification(segformer classifier) ForSemanticSegmentation(segformer
      decode_head) Model(stages)
    Siglip: ForImageClassification(vision_model classifier; std=1.0) Model(text_model
      vision_model; std=1.0) TextModel(embeddings encoder final_layer_norm head)
      VisionModel(embeddings encoder post_layernorm head)
    """
}
