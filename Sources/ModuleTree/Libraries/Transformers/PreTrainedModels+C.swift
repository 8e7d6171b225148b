/// Models of transformers 5.24 by family, SmolLM3 to ZoeDepth: see ``PreTrainedModel``.
///
/// Written by `Tools/fixtures/make_transformers.py` from live models; not edited by hand.
extension PreTrainedModel {
  static let familiesC = """
    SmolLM3: ForCausalLM(model lm_head; lm_head.weight=model.embed_tokens.weight)
      ForQuestionAnswering(transformer qa_outputs) ForSequenceClassification(model score)
      ForTokenClassification(model score) Model(embed_tokens layers norm)
    Speech2Text: Decoder(embed_tokens embed_positions layers layer_norm) Encoder(conv
      embed_positions layers layer_norm) ForConditionalGeneration(model lm_head;
      lm_head.weight=model.decoder.embed_tokens.weight) Model(encoder decoder)
    SpeechT5: Decoder(layers) DecoderWithTextPrenet(prenet wrapped_decoder)
      DecoderWithoutPrenet(wrapped_decoder) Encoder(layer_norm layers embed_positions)
      EncoderWithoutPrenet(wrapped_encoder) Model(encoder decoder)
    Splinter: ForPreTraining(splinter splinter_qass) ForQuestionAnswering(splinter splinter_qass)
      Model(embeddings encoder)
    SqueezeBert: ForMaskedLM(transformer cls; cls.predictions.decoder.bias=cls.predictions.bias,
      cls.predictions.decoder.weight=transformer.embeddings.word_embeddings.weight)
      ForMultipleChoice(transformer classifier) ForQuestionAnswering(transformer qa_outputs)
      ForSequenceClassification(transformer classifier) ForTokenClassification(transformer
      classifier) Model(embeddings encoder)
    Starcoder2: ForCausalLM(model lm_head; lm_head.weight=model.embed_tokens.weight; std=0.018042)
      ForSequenceClassification(model score; std=0.018042) ForTokenClassification(model score;
      std=0.018042) Model(embed_tokens layers norm; std=0.018042)
    SuperPoint: ForKeypointDetection(encoder keypoint_decoder descriptor_decoder)
    Swin: Backbone(swin hidden_states_norms) Encoder(layers) ForImageClassification(swin
      classifier) ForMaskedImageModeling(swin decoder) Model(embeddings encoder layernorm)
    TableTransformer: Decoder(layers layernorm) Encoder(layers layernorm)
    Tapas: ForMaskedLM(tapas cls; cls.predictions.decoder.bias=cls.predictions.bias,
      cls.predictions.decoder.weight=tapas.embeddings.word_embeddings.weight)
      ForSequenceClassification(tapas classifier) Model(embeddings encoder)
    TextNet: Backbone(textnet) ForImageClassification(textnet avg_pool flatten fc) Model(stem
      encoder)
    Tipsv2Text: Model(embeddings encoder final_layer_norm)
    TrOCR: Decoder(embed_tokens embed_positions layernorm_embedding layers)
      DecoderWrapper(decoder) ForCausalLM(model output_projection;
      output_projection.weight=model.decoder.embed_tokens.weight)
    Ultrabert: ForMaskedLM(model head decoder; untied) ForQuestionAnswering(model qa_outputs)
      ForSequenceClassification(model head classifier) ForTokenClassification(model head
      classifier) Model(embed_tokens layers norm)
    UniSpeech: ForCTC(unispeech lm_head) ForSequenceClassification(unispeech projector classifier)
      Model(feature_extractor feature_projection encoder)
    ViT: ForImageClassification(vit classifier) Model(embeddings layers layernorm)
    VideoLlama3: ForConditionalGeneration(model lm_head; untied) Model(vision_model projector
      language_model) VisionModel(rotary_pos_emb embeddings encoder post_layernorm)
    VideoLlava: ForConditionalGeneration(model lm_head; untied) Model(video_tower image_tower
      multi_modal_projector language_model)
    VideoMAE: ForVideoClassification(videomae fc_norm classifier) Model(embeddings encoder)
    Vilt: ForImageAndTextRetrieval(vilt rank_output) ForQuestionAnswering(vilt classifier)
      ForTokenClassification(vilt classifier) Model(embeddings encoder layernorm)
    VisualBert: ForMultipleChoice(visual_bert cls) ForPreTraining(visual_bert cls;
      cls.predictions.decoder.bias=cls.predictions.bias,
      cls.predictions.decoder.weight=visual_bert.embeddings.word_embeddings.weight)
      ForQuestionAnswering(visual_bert cls) ForRegionToPhraseAlignment(visual_bert cls attention;
      cls.predictions.decoder.bias=cls.predictions.bias,
      cls.predictions.decoder.weight=visual_bert.embeddings.word_embeddings.weight)
      ForVisualReasoning(visual_bert cls) Model(embeddings encoder)
    VoxtralRealtime: Encoder(embedder layers norm) ForConditionalGeneration(model lm_head;
      lm_head.weight=model.language_model.embed_tokens.weight) Model(audio_tower language_model
      multi_modal_projector time_embedding)
    Wav2Vec2: ForAudioFrameClassification(wav2vec2 classifier) ForCTC(wav2vec2 lm_head)
      ForSequenceClassification(wav2vec2 projector classifier) Model(feature_extractor
      feature_projection encoder)
    Whisper: Decoder(embed_tokens embed_positions layers layer_norm) DecoderWrapper(decoder)
      Encoder(conv1 conv2 embed_positions layers) ForAudioClassification(encoder projector
      classifier) ForCausalLM(model proj_out; proj_out.weight=model.decoder.embed_tokens.weight)
      ForConditionalGeneration(model proj_out; proj_out.weight=model.decoder.embed_tokens.weight)
      Model(encoder decoder)
    XCLIP: TextModel(embeddings encoder final_layer_norm)
    XGLM: ForCausalLM(model lm_head; lm_head.weight=model.embed_tokens.weight) Model(embed_tokens
      embed_positions layers layer_norm)
    Yoso: ForMaskedLM(yoso cls; cls.predictions.decoder.bias=cls.predictions.bias,
      cls.predictions.decoder.weight=yoso.embeddings.word_embeddings.weight)
      ForMultipleChoice(yoso pre_classifier classifier) ForQuestionAnswering(yoso qa_outputs)
      ForSequenceClassification(yoso classifier) ForTokenClassification(yoso classifier)
      Model(embeddings encoder)
    ZoeDepth: ForDepthEstimation(backbone neck relative_head metric_head)
    """
}
