/// Models of transformers 5.24 by family, StableLm to ZoeDepth: see ``PreTrainedModel``.
///
/// Written by `Tools/fixtures/make_transformers.py` from live models; not edited by hand.
extension PreTrainedModel {
  static let familiesE: [String: String] = [
    "StableLm": """
    ForCausalLM(model lm_head; untied) ForSequenceClassification(model score)
    ForTokenClassification(model score) Model(embed_tokens layers norm)
    """,
    "Starcoder2": """
    ForCausalLM(model lm_head; lm_head.weight=model.embed_tokens.weight; std=0.018042)
    ForSequenceClassification(model score; std=0.018042) ForTokenClassification(model score;
    std=0.018042) Model(embed_tokens layers norm; std=0.018042)
    """,
    "SuperPoint": """
    ForKeypointDetection(encoder keypoint_decoder descriptor_decoder)
    """,
    "Swin": """
    Backbone(swin hidden_states_norms) Encoder(layers) ForImageClassification(swin classifier)
    ForMaskedImageModeling(swin decoder) Model(embeddings encoder layernorm)
    """,
    "T5": """
    EncoderModel(shared encoder; encoder.embed_tokens.weight=shared.weight; std=1.0)
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
    """,
    "TableTransformer": """
    Decoder(layers layernorm) Encoder(layers layernorm)
    """,
    "Tapas": """
    ForMaskedLM(tapas cls; cls.predictions.decoder.bias=cls.predictions.bias,
    cls.predictions.decoder.weight=tapas.embeddings.word_embeddings.weight)
    ForSequenceClassification(tapas classifier) Model(embeddings encoder)
    """,
    "TextNet": """
    Backbone(textnet) ForImageClassification(textnet avg_pool flatten fc) Model(stem encoder)
    """,
    "Tipsv2Text": """
    Model(embeddings encoder final_layer_norm)
    """,
    "TrOCR": """
    Decoder(embed_tokens embed_positions layernorm_embedding layers) DecoderWrapper(decoder)
    ForCausalLM(model output_projection;
    output_projection.weight=model.decoder.embed_tokens.weight)
    """,
    "UMT5": """
    EncoderModel(shared encoder; encoder.embed_tokens.weight=shared.weight; std=1.0)
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
    """,
    "Ultrabert": """
    ForMaskedLM(model head decoder; untied) ForQuestionAnswering(model qa_outputs)
    ForSequenceClassification(model head classifier) ForTokenClassification(model head
    classifier) Model(embed_tokens layers norm)
    """,
    "UniSpeech": """
    ForCTC(unispeech lm_head) ForSequenceClassification(unispeech projector classifier)
    Model(feature_extractor feature_projection encoder)
    """,
    "VaultGemma": """
    ForCausalLM(model lm_head; lm_head.weight=model.embed_tokens.weight) Model(embed_tokens
    layers norm)
    """,
    "ViT": """
    ForImageClassification(vit classifier) Model(embeddings layers layernorm)
    """,
    "VideoLlama3": """
    ForConditionalGeneration(model lm_head; untied) Model(vision_model projector
    language_model) VisionModel(rotary_pos_emb embeddings encoder post_layernorm)
    """,
    "VideoLlava": """
    ForConditionalGeneration(model lm_head; untied) Model(video_tower image_tower
    multi_modal_projector language_model)
    """,
    "VideoMAE": """
    ForVideoClassification(videomae fc_norm classifier) Model(embeddings encoder)
    """,
    "Vilt": """
    ForImageAndTextRetrieval(vilt rank_output) ForQuestionAnswering(vilt classifier)
    ForTokenClassification(vilt classifier) Model(embeddings encoder layernorm)
    """,
    "VipLlava": """
    ForConditionalGeneration(model lm_head; untied) Model(vision_tower multi_modal_projector
    language_model)
    """,
    "VisualBert": """
    ForMultipleChoice(visual_bert cls) ForPreTraining(visual_bert cls;
    cls.predictions.decoder.bias=cls.predictions.bias,
    cls.predictions.decoder.weight=visual_bert.embeddings.word_embeddings.weight)
    ForQuestionAnswering(visual_bert cls) ForRegionToPhraseAlignment(visual_bert cls
    attention; cls.predictions.decoder.bias=cls.predictions.bias,
    cls.predictions.decoder.weight=visual_bert.embeddings.word_embeddings.weight)
    ForVisualReasoning(visual_bert cls) Model(embeddings encoder)
    """,
    "Voxtral": """
    Encoder(conv1 conv2 embed_positions layers) ForConditionalGeneration(model lm_head)
    Model(audio_tower language_model multi_modal_projector)
    """,
    "VoxtralRealtime": """
    Encoder(embedder layers norm) ForConditionalGeneration(model lm_head;
    lm_head.weight=model.language_model.embed_tokens.weight) Model(audio_tower language_model
    multi_modal_projector time_embedding)
    """,
    "VoxtralRealtimeText": """
    Model(embed_tokens layers norm)
    """,
    "Wav2Vec2": """
    ForAudioFrameClassification(wav2vec2 classifier) ForCTC(wav2vec2 lm_head)
    ForSequenceClassification(wav2vec2 projector classifier) Model(feature_extractor
    feature_projection encoder)
    """,
    "Whisper": """
    Decoder(embed_tokens embed_positions layers layer_norm) DecoderWrapper(decoder)
    Encoder(conv1 conv2 embed_positions layers) ForAudioClassification(encoder projector
    classifier) ForCausalLM(model proj_out; proj_out.weight=model.decoder.embed_tokens.weight)
    ForConditionalGeneration(model proj_out;
    proj_out.weight=model.decoder.embed_tokens.weight) Model(encoder decoder)
    """,
    "XCLIP": """
    TextModel(embeddings encoder final_layer_norm)
    """,
    "XGLM": """
    ForCausalLM(model lm_head; lm_head.weight=model.embed_tokens.weight) Model(embed_tokens
    embed_positions layers layer_norm)
    """,
    "XLM": """
    ForMultipleChoice(transformer sequence_summary logits_proj)
    ForQuestionAnswering(transformer qa_outputs) ForQuestionAnsweringSimple(transformer
    qa_outputs) ForSequenceClassification(transformer sequence_summary)
    ForTokenClassification(transformer classifier) Model(position_embeddings embeddings
    layer_norm_emb attentions) WithLMHeadModel(transformer pred_layer;
    pred_layer.proj.weight=transformer.embeddings.weight)
    """,
    "XLMRoberta": """
    ForCausalLM(lm_head roberta;
    lm_head.decoder.weight=roberta.embeddings.word_embeddings.weight,
    lm_head.decoder.bias=lm_head.bias) ForMaskedLM(lm_head roberta;
    lm_head.decoder.weight=roberta.embeddings.word_embeddings.weight,
    lm_head.decoder.bias=lm_head.bias) ForMultipleChoice(classifier roberta)
    ForQuestionAnswering(qa_outputs roberta) ForSequenceClassification(classifier roberta)
    ForTokenClassification(classifier roberta) Model(embeddings encoder)
    """,
    "XLMRobertaXL": """
    ForCausalLM(roberta lm_head;
    lm_head.decoder.weight=roberta.embeddings.word_embeddings.weight,
    lm_head.decoder.bias=lm_head.bias) ForMaskedLM(roberta lm_head;
    lm_head.decoder.weight=roberta.embeddings.word_embeddings.weight,
    lm_head.decoder.bias=lm_head.bias) ForMultipleChoice(roberta classifier)
    ForQuestionAnswering(roberta qa_outputs) ForSequenceClassification(roberta classifier)
    ForTokenClassification(roberta classifier) Model(embeddings encoder)
    """,
    "Xmod": """
    ForCausalLM(roberta lm_head;
    lm_head.decoder.weight=roberta.embeddings.word_embeddings.weight,
    lm_head.decoder.bias=lm_head.bias) ForMaskedLM(roberta lm_head;
    lm_head.decoder.weight=roberta.embeddings.word_embeddings.weight,
    lm_head.decoder.bias=lm_head.bias) ForMultipleChoice(roberta classifier)
    ForQuestionAnswering(roberta qa_outputs) ForSequenceClassification(roberta classifier)
    ForTokenClassification(roberta classifier) Model(embeddings encoder)
    """,
    "Yoso": """
    ForMaskedLM(yoso cls; cls.predictions.decoder.bias=cls.predictions.bias,
    cls.predictions.decoder.weight=yoso.embeddings.word_embeddings.weight)
    ForMultipleChoice(yoso pre_classifier classifier) ForQuestionAnswering(yoso qa_outputs)
    ForSequenceClassification(yoso classifier) ForTokenClassification(yoso classifier)
    Model(embeddings encoder)
    """,
    "ZoeDepth": """
    ForDepthEstimation(backbone neck relative_head metric_head)
    """,
  ]
}
