/// Models of transformers 5.24 by family, PLBart to SqueezeBert: see ``PreTrainedModel``.
///
/// Written by `Tools/fixtures/make_transformers.py` from live models; not edited by hand.
extension PreTrainedModel {
  static let familiesD: [String: String] = [
    "PLBart": """
    Decoder(embed_tokens embed_positions layers layernorm_embedding) DecoderWrapper(decoder)
    Encoder(embed_tokens embed_positions layers layernorm_embedding) ForCausalLM(model
    lm_head; lm_head.weight=model.decoder.embed_tokens.weight) ForConditionalGeneration(model
    lm_head; lm_head.weight=model.shared.weight,
    model.encoder.embed_tokens.weight=model.shared.weight,
    model.decoder.embed_tokens.weight=model.shared.weight) ForSequenceClassification(model
    classification_head; model.encoder.embed_tokens.weight=model.shared.weight,
    model.decoder.embed_tokens.weight=model.shared.weight) Model(shared encoder decoder;
    encoder.embed_tokens.weight=shared.weight, decoder.embed_tokens.weight=shared.weight)
    """,
    "PPDocLayoutV2": """
    ReadingOrder(embeddings label_embeddings label_features_projection encoder; std=0.01)
    """,
    "PPFormulaNet": """
    TextModel(embed_tokens embed_positions layers layernorm_embedding)
    """,
    "PPLCNet": """
    Backbone(encoder) Encoder(convolution blocks) ForImageClassification(encoder avg_pool
    last_convolution act_fn)
    """,
    "PPLCNetV4": """
    Backbone(encoder) Encoder(convolution blocks)
    """,
    "PPOCRV5ServerRec": """
    Model(backbone)
    """,
    "PPOCRV6SmallDet": """
    ForObjectDetection(model head) Model(backbone neck)
    """,
    "PPOCRV6SmallRec": """
    Model(backbone)
    """,
    "PPOCRV6TinyRec": """
    ForTextRecognition(model head) Model(backbone)
    """,
    "PaddleOCRVL": """
    =PaddleOCRTextModel(embed_tokens layers norm) ForConditionalGeneration(model lm_head;
    lm_head.weight=model.language_model.embed_tokens.weight) Model(visual language_model
    projector) =PaddleOCRVisionModel(vision_model) =PaddleOCRVisionTransformer(embeddings
    encoder post_layernorm)
    """,
    "PaliGemma": """
    ForConditionalGeneration(model lm_head;
    lm_head.weight=model.language_model.embed_tokens.weight) Model(vision_tower
    multi_modal_projector language_model)
    """,
    "PatchTSMixer": """
    Encoder(patcher mlp_mixer_encoder) ForPretraining(model head) ForRegression(model
    inject_scale head) ForTimeSeriesClassification(model head inject_scale) Model(encoder
    patching scaler)
    """,
    "Pegasus": """
    Decoder(embed_tokens embed_positions layers layer_norm) DecoderWrapper(decoder)
    Encoder(embed_tokens embed_positions layers layer_norm) ForCausalLM(model lm_head;
    lm_head.weight=model.decoder.embed_tokens.weight) ForConditionalGeneration(model lm_head;
    lm_head.weight=model.shared.weight, model.decoder.embed_tokens.weight=model.shared.weight,
    model.encoder.embed_tokens.weight=model.shared.weight) Model(shared encoder decoder;
    decoder.embed_tokens.weight=shared.weight, encoder.embed_tokens.weight=shared.weight)
    """,
    "PegasusX": """
    Decoder(embed_tokens embed_positions layers layer_norm) DecoderWrapper(decoder)
    Encoder(embed_tokens embed_global embed_positions layers) ForConditionalGeneration(model
    lm_head; lm_head.weight=model.shared.weight,
    model.encoder.embed_tokens.weight=model.shared.weight,
    model.decoder.embed_tokens.weight=model.shared.weight) Model(shared encoder decoder;
    encoder.embed_tokens.weight=shared.weight, decoder.embed_tokens.weight=shared.weight)
    """,
    "Persimmon": """
    ForCausalLM(model lm_head; untied) ForSequenceClassification(model score)
    ForTokenClassification(model score) Model(embed_tokens layers final_layernorm)
    """,
    "Phi": """
    ForCausalLM(model lm_head; untied) ForSequenceClassification(model score)
    ForTokenClassification(model score) Model(embed_tokens layers embed_dropout
    final_layernorm)
    """,
    "Phi3": """
    ForCausalLM(model lm_head; untied) ForSequenceClassification(model score)
    ForTokenClassification(model score) Model(embed_tokens layers norm)
    """,
    "Phimoe": """
    ForCausalLM(model lm_head; untied) ForSequenceClassification(model score)
    Model(embed_tokens layers norm)
    """,
    "Pixtral": """
    VisionModel(patch_conv ln_pre transformer patch_positional_embedding)
    """,
    "PoolFormer": """
    ForImageClassification(poolformer norm classifier) Model(encoder)
    """,
    "PvtV2": """
    Backbone(encoder) ForImageClassification(pvt_v2 classifier) Model(encoder)
    """,
    "Qwen2": """
    ForCausalLM(model lm_head; untied) ForQuestionAnswering(transformer qa_outputs)
    ForSequenceClassification(model score) ForTokenClassification(model score)
    Model(embed_tokens layers norm)
    """,
    "Qwen2Audio": """
    Encoder(conv1 conv2 embed_positions layers) ForConditionalGeneration(model lm_head)
    Model(audio_tower multi_modal_projector language_model)
    """,
    "Qwen2Moe": """
    ForCausalLM(model lm_head; untied) ForQuestionAnswering(model qa_outputs)
    ForSequenceClassification(model score) ForTokenClassification(model score)
    Model(embed_tokens layers norm)
    """,
    "Qwen2VL": """
    ForConditionalGeneration(model lm_head; untied) Model(visual language_model)
    TextModel(embed_tokens layers norm) =Qwen2VisionTransformerPretrainedModel(patch_embed
    rotary_pos_emb blocks merger)
    """,
    "Qwen2_5Omni": """
    AudioEncoder(conv1 conv2 positional_embedding audio_bos_eos_token)
    TalkerForConditionalGeneration(thinker_to_talker_proj model codec_head)
    TalkerModel(embed_tokens layers norm) ThinkerForConditionalGeneration(model lm_head;
    untied) ThinkerModel(audio_tower visual language_model) ThinkerTextModel(embed_tokens
    layers norm) Token2WavDiTModel(time_embed text_embed input_embed rotary_embed)
    VisionEncoder(patch_embed rotary_pos_emb blocks merger)
    """,
    "Qwen2_5_VL": """
    ForConditionalGeneration(model lm_head; untied) Model(visual language_model)
    TextModel(embed_tokens layers norm) =Qwen2_5_VisionTransformerPretrainedModel(patch_embed
    rotary_pos_emb blocks merger)
    """,
    "Qwen3": """
    ForCausalLM(model lm_head; untied) ForQuestionAnswering(transformer qa_outputs)
    ForSequenceClassification(model score) ForTokenClassification(model score)
    Model(embed_tokens layers norm)
    """,
    "Qwen3ASR": """
    Encoder(positional_embedding layers ln_post conv2d1) ForConditionalGeneration(model
    lm_head; lm_head.weight=model.language_model.embed_tokens.weight)
    ForTokenClassification(model score) Model(audio_tower language_model
    multi_modal_projector)
    """,
    "Qwen3Moe": """
    ForCausalLM(model lm_head; untied) ForQuestionAnswering(transformer qa_outputs)
    ForSequenceClassification(model score) ForTokenClassification(model score)
    Model(embed_tokens layers norm)
    """,
    "Qwen3OmniMoe": """
    AudioEncoder(positional_embedding layers ln_post conv2d1) TalkerCodePredictorModel(layers
    norm codec_embedding) TalkerCodePredictorModelForConditionalGeneration(model lm_head;
    untied) VisionEncoder(merger_list patch_embed pos_embed rotary_pos_emb)
    """,
    "Qwen3VL": """
    ForConditionalGeneration(model lm_head; untied) Model(visual language_model)
    TextModel(embed_tokens layers norm) VisionModel(patch_embed pos_embed rotary_pos_emb
    blocks)
    """,
    "Qwen3VLMoe": """
    VisionModel(patch_embed pos_embed rotary_pos_emb blocks)
    """,
    "Qwen3_5": """
    VisionModel(patch_embed pos_embed rotary_pos_emb blocks)
    """,
    "Qwen3_5Moe": """
    VisionModel(patch_embed pos_embed rotary_pos_emb blocks)
    """,
    "Qwen4Exp": """
    VisionModel(patch_embed pos_embed rotary_pos_emb blocks)
    """,
    "RegNet": """
    ForImageClassification(regnet classifier) Model(embedder encoder)
    """,
    "RemBert": """
    ForCausalLM(rembert cls) ForMaskedLM(rembert cls) ForMultipleChoice(rembert classifier)
    ForQuestionAnswering(rembert qa_outputs) ForSequenceClassification(rembert classifier)
    ForTokenClassification(rembert classifier) Model(embeddings encoder)
    """,
    "ResNet": """
    Backbone(embedder encoder) ForImageClassification(resnet classifier) Model(embedder
    encoder)
    """,
    "RoCBert": """
    ForCausalLM(roc_bert cls; cls.predictions.decoder.bias=cls.predictions.bias,
    cls.predictions.decoder.weight=roc_bert.embeddings.word_embeddings.weight)
    ForMaskedLM(roc_bert cls; cls.predictions.decoder.bias=cls.predictions.bias,
    cls.predictions.decoder.weight=roc_bert.embeddings.word_embeddings.weight)
    ForMultipleChoice(roc_bert classifier) ForPreTraining(roc_bert cls;
    cls.predictions.decoder.bias=cls.predictions.bias,
    cls.predictions.decoder.weight=roc_bert.embeddings.word_embeddings.weight)
    ForQuestionAnswering(roc_bert qa_outputs) ForSequenceClassification(roc_bert classifier)
    ForTokenClassification(roc_bert classifier) Model(embeddings encoder)
    """,
    "RoFormer": """
    ForCausalLM(roformer cls; cls.predictions.decoder.bias=cls.predictions.bias,
    cls.predictions.decoder.weight=roformer.embeddings.word_embeddings.weight)
    ForMaskedLM(roformer cls; cls.predictions.decoder.bias=cls.predictions.bias,
    cls.predictions.decoder.weight=roformer.embeddings.word_embeddings.weight)
    ForMultipleChoice(roformer sequence_summary classifier) ForQuestionAnswering(roformer
    qa_outputs) ForSequenceClassification(roformer classifier) ForTokenClassification(roformer
    classifier) Model(embeddings embeddings_project encoder)
    """,
    "Roberta": """
    ForCausalLM(roberta lm_head;
    lm_head.decoder.weight=roberta.embeddings.word_embeddings.weight,
    lm_head.decoder.bias=lm_head.bias) ForMaskedLM(roberta lm_head;
    lm_head.decoder.weight=roberta.embeddings.word_embeddings.weight,
    lm_head.decoder.bias=lm_head.bias) ForMultipleChoice(roberta classifier)
    ForQuestionAnswering(roberta qa_outputs) ForSequenceClassification(roberta classifier)
    ForTokenClassification(roberta classifier) Model(embeddings encoder)
    """,
    "RobertaPreLayerNorm": """
    ForCausalLM(roberta_prelayernorm lm_head;
    lm_head.decoder.weight=roberta_prelayernorm.embeddings.word_embeddings.weight,
    lm_head.decoder.bias=lm_head.bias) ForMaskedLM(roberta_prelayernorm lm_head;
    lm_head.decoder.weight=roberta_prelayernorm.embeddings.word_embeddings.weight,
    lm_head.decoder.bias=lm_head.bias) ForMultipleChoice(roberta_prelayernorm classifier)
    ForQuestionAnswering(roberta_prelayernorm qa_outputs)
    ForSequenceClassification(roberta_prelayernorm classifier)
    ForTokenClassification(roberta_prelayernorm classifier) Model(embeddings encoder
    LayerNorm)
    """,
    "SLANet": """
    Backbone(vision_backbone post_csp_pan)
    """,
    "Sam3": """
    DetrDecoder(layers output_layer_norm box_head query_embed) DetrEncoder(layers)
    MaskDecoder(pixel_decoder mask_embedder instance_projection semantic_projection)
    """,
    "Sam3LiteText": """
    DetrDecoder(layers output_layer_norm box_head query_embed) DetrEncoder(layers)
    MaskDecoder(pixel_decoder mask_embedder instance_projection semantic_projection)
    """,
    "SeamlessM4T": """
    Decoder(embed_tokens embed_positions layers layer_norm) Encoder(embed_tokens
    embed_positions layers layer_norm) ForTextToText(shared text_encoder text_decoder lm_head;
    lm_head.weight=shared.weight, text_encoder.embed_tokens.weight=shared.weight,
    text_decoder.embed_tokens.weight=shared.weight)
    """,
    "SeamlessM4Tv2": """
    Decoder(embed_tokens embed_positions layers layer_norm) Encoder(embed_tokens
    embed_positions layers layer_norm) ForTextToText(shared text_encoder text_decoder lm_head;
    lm_head.weight=shared.weight, text_encoder.embed_tokens.weight=shared.weight,
    text_decoder.embed_tokens.weight=shared.weight)
    """,
    "SeedOss": """
    ForCausalLM(model lm_head; untied) ForQuestionAnswering(transformer qa_outputs)
    ForSequenceClassification(model score) ForTokenClassification(model score)
    Model(embed_tokens layers norm)
    """,
    "Segformer": """
    ForImageClassification(segformer classifier) ForSemanticSegmentation(segformer
    decode_head) Model(stages)
    """,
    "Siglip": """
    ForImageClassification(vision_model classifier; std=1.0) Model(text_model vision_model;
    std=1.0) TextModel(embeddings encoder final_layer_norm head) VisionModel(embeddings
    encoder post_layernorm head)
    """,
    "SmolLM3": """
    ForCausalLM(model lm_head; lm_head.weight=model.embed_tokens.weight)
    ForQuestionAnswering(transformer qa_outputs) ForSequenceClassification(model score)
    ForTokenClassification(model score) Model(embed_tokens layers norm)
    """,
    "SmolVLM": """
    ForConditionalGeneration(model lm_head; untied) Model(vision_model connector text_model)
    VisionTransformer(embeddings encoder post_layernorm)
    """,
    "Speech2Text": """
    Decoder(embed_tokens embed_positions layers layer_norm) Encoder(conv embed_positions
    layers layer_norm) ForConditionalGeneration(model lm_head;
    lm_head.weight=model.decoder.embed_tokens.weight) Model(encoder decoder)
    """,
    "SpeechT5": """
    Decoder(layers) DecoderWithTextPrenet(prenet wrapped_decoder)
    DecoderWithoutPrenet(wrapped_decoder) Encoder(layer_norm layers embed_positions)
    EncoderWithoutPrenet(wrapped_encoder) Model(encoder decoder)
    """,
    "Splinter": """
    ForPreTraining(splinter splinter_qass) ForQuestionAnswering(splinter splinter_qass)
    Model(embeddings encoder)
    """,
    "SqueezeBert": """
    ForMaskedLM(transformer cls; cls.predictions.decoder.bias=cls.predictions.bias,
    cls.predictions.decoder.weight=transformer.embeddings.word_embeddings.weight)
    ForMultipleChoice(transformer classifier) ForQuestionAnswering(transformer qa_outputs)
    ForSequenceClassification(transformer classifier) ForTokenClassification(transformer
    classifier) Model(embeddings encoder)
    """,
  ]
}
