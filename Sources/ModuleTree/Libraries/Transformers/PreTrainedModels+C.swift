/// Models of transformers 5.24 by family, Llama to Owlv2: see ``PreTrainedModel``.
///
/// Written by `Tools/fixtures/make_transformers.py` from live models; not edited by hand.
extension PreTrainedModel {
  static let familiesC: [String: String] = [
    "Llama": """
    ForCausalLM(model lm_head; untied) ForQuestionAnswering(transformer qa_outputs)
    ForSequenceClassification(model score) ForTokenClassification(model score)
    Model(embed_tokens layers norm)
    """,
    "Llava": """
    ForConditionalGeneration(model lm_head; untied) Model(vision_tower multi_modal_projector
    language_model)
    """,
    "Longformer": """
    ForMaskedLM(longformer lm_head;
    lm_head.decoder.weight=longformer.embeddings.word_embeddings.weight,
    lm_head.decoder.bias=lm_head.bias) ForMultipleChoice(longformer classifier)
    ForQuestionAnswering(longformer qa_outputs) ForSequenceClassification(longformer
    classifier) ForTokenClassification(longformer classifier) Model(embeddings encoder)
    """,
    "Lxmert": """
    ForPreTraining(lxmert cls obj_predict_head answer_head;
    cls.predictions.decoder.weight=lxmert.embeddings.word_embeddings.weight)
    ForQuestionAnswering(lxmert answer_head loss) Model(embeddings encoder)
    """,
    "M2M100": """
    Decoder(embed_tokens embed_positions layers layer_norm) Encoder(embed_tokens
    embed_positions layers layer_norm) ForConditionalGeneration(model lm_head;
    lm_head.weight=model.shared.weight, model.decoder.embed_tokens.weight=model.shared.weight,
    model.encoder.embed_tokens.weight=model.shared.weight) Model(shared encoder decoder;
    decoder.embed_tokens.weight=shared.weight, encoder.embed_tokens.weight=shared.weight)
    """,
    "MBart": """
    Decoder(embed_tokens embed_positions layers layernorm_embedding) DecoderWrapper(decoder)
    Encoder(embed_tokens embed_positions layers layernorm_embedding) ForCausalLM(model
    lm_head; lm_head.weight=model.decoder.embed_tokens.weight) ForConditionalGeneration(model
    lm_head; lm_head.weight=model.shared.weight,
    model.decoder.embed_tokens.weight=model.shared.weight,
    model.encoder.embed_tokens.weight=model.shared.weight) ForQuestionAnswering(model
    qa_outputs; model.decoder.embed_tokens.weight=model.shared.weight,
    model.encoder.embed_tokens.weight=model.shared.weight) ForSequenceClassification(model
    classification_head; model.decoder.embed_tokens.weight=model.shared.weight,
    model.encoder.embed_tokens.weight=model.shared.weight) Model(shared encoder decoder;
    decoder.embed_tokens.weight=shared.weight, encoder.embed_tokens.weight=shared.weight)
    """,
    "MPNet": """
    ForMaskedLM(mpnet lm_head; lm_head.decoder.weight=mpnet.embeddings.word_embeddings.weight,
    lm_head.decoder.bias=lm_head.bias) ForMultipleChoice(mpnet classifier)
    ForQuestionAnswering(mpnet qa_outputs) ForSequenceClassification(mpnet classifier)
    ForTokenClassification(mpnet classifier) Model(embeddings encoder)
    """,
    "MT5": """
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
    "Marian": """
    Decoder(embed_tokens embed_positions layers) DecoderWrapper(decoder) Encoder(embed_tokens
    embed_positions layers) ForCausalLM(model lm_head;
    lm_head.weight=model.decoder.embed_tokens.weight) MTModel(model lm_head;
    lm_head.weight=model.shared.weight, model.decoder.embed_tokens.weight=model.shared.weight,
    model.encoder.embed_tokens.weight=model.shared.weight) Model(shared encoder decoder;
    decoder.embed_tokens.weight=shared.weight, encoder.embed_tokens.weight=shared.weight)
    """,
    "MaskFormerDetr": """
    Decoder(layers layernorm)
    """,
    "MegatronBert": """
    ForCausalLM(bert cls;
    cls.predictions.decoder.weight=bert.embeddings.word_embeddings.weight,
    cls.predictions.decoder.bias=cls.predictions.bias) ForMaskedLM(bert cls;
    cls.predictions.decoder.weight=bert.embeddings.word_embeddings.weight,
    cls.predictions.decoder.bias=cls.predictions.bias) ForMultipleChoice(bert classifier)
    ForNextSentencePrediction(bert cls) ForPreTraining(bert cls;
    cls.predictions.decoder.weight=bert.embeddings.word_embeddings.weight,
    cls.predictions.decoder.bias=cls.predictions.bias) ForQuestionAnswering(bert qa_outputs)
    ForSequenceClassification(bert classifier) ForTokenClassification(bert classifier)
    Model(embeddings encoder)
    """,
    "MetaClip2": """
    ForImageClassification(vision_model classifier; std=1.0) Model(text_model vision_model
    visual_projection text_projection; std=1.0) TextModel(embeddings encoder final_layer_norm)
    TextModelWithProjection(text_model text_projection) VisionModel(embeddings pre_layrnorm
    encoder post_layernorm) VisionModelWithProjection(vision_model visual_projection)
    """,
    "MiniCPM3": """
    ForCausalLM(model lm_head; lm_head.weight=model.embed_tokens.weight; std=0.1)
    ForSequenceClassification(model score; std=0.1) Model(embed_tokens layers norm; std=0.1)
    """,
    "MiniCPMOcrVision": """
    Model(embeddings encoder post_layernorm vit_merger)
    """,
    "MiniCPMV4_6Vision": """
    Model(embeddings encoder post_layernorm vit_merger)
    """,
    "MiniCPMV4_7Vision": """
    Model(embeddings encoder post_layernorm vit_merger)
    """,
    "MiniMaxM3VL": """
    VisionModel(embeddings pre_layrnorm layers)
    """,
    "Ministral3": """
    ForCausalLM(model lm_head; untied) ForQuestionAnswering(model qa_outputs)
    ForSequenceClassification(model score) ForTokenClassification(model score)
    Model(embed_tokens layers norm)
    """,
    "Mistral": """
    ForCausalLM(model lm_head; untied) ForQuestionAnswering(model qa_outputs)
    ForSequenceClassification(model score) ForTokenClassification(model score)
    Model(embed_tokens layers norm)
    """,
    "Mistral3": """
    ForConditionalGeneration(model lm_head;
    lm_head.weight=model.language_model.embed_tokens.weight) Model(vision_tower
    multi_modal_projector language_model)
    """,
    "Mixtral": """
    ForCausalLM(model lm_head; untied) ForQuestionAnswering(model qa_outputs)
    ForSequenceClassification(model score) ForTokenClassification(model score)
    Model(embed_tokens layers norm)
    """,
    "Mllama": """
    ForCausalLM(model lm_head) TextModel(embed_tokens layers norm)
    """,
    "MobileNetV1": """
    ForImageClassification(mobilenet_v1 classifier) Model(conv_stem layer)
    """,
    "MobileNetV2": """
    ForImageClassification(mobilenet_v2 classifier) ForSemanticSegmentation(mobilenet_v2
    segmentation_head) Model(conv_stem layer conv_1x1)
    """,
    "MobileViT": """
    ForImageClassification(mobilevit classifier) Model(conv_stem encoder conv_1x1_exp)
    """,
    "MobileViTV2": """
    ForImageClassification(mobilevitv2 classifier) ForSemanticSegmentation(mobilevitv2
    segmentation_head) Model(conv_stem encoder)
    """,
    "ModernBert": """
    ForMaskedLM(model head decoder; decoder.weight=model.embeddings.tok_embeddings.weight)
    ForMultipleChoice(model head classifier) ForQuestionAnswering(model head classifier)
    ForSequenceClassification(model head classifier) ForTokenClassification(model head
    classifier) Model(embeddings layers final_norm)
    """,
    "Molmo2": """
    Adapter(image_pooling_2d image_projector) TextModel(embed_tokens layers norm
    rotary_emb_unscaled)
    """,
    "Moonshine": """
    Decoder(embed_tokens layers norm) Encoder(conv1 conv2 conv3 groupnorm)
    ForConditionalGeneration(model proj_out;
    proj_out.weight=model.decoder.embed_tokens.weight) Model(encoder decoder)
    """,
    "Moshi": """
    ForCausalLM(model lm_head) Model(embed_tokens layers norm)
    """,
    "MossTranscribeDiarize": """
    AudioModel(conv1 conv2 embed_positions layers) ForConditionalGeneration(model lm_head;
    lm_head.weight=model.language_model.embed_tokens.weight) Model(audio_tower language_model
    multi_modal_projector)
    """,
    "Mpt": """
    ForCausalLM(transformer lm_head; lm_head.weight=transformer.wte.weight)
    ForQuestionAnswering(transformer qa_outputs) ForSequenceClassification(transformer score)
    ForTokenClassification(transformer classifier) Model(wte blocks norm_f)
    """,
    "MuseGlimmer": """
    VisionModel(patch_embedder ln_pre layers ln_post)
    """,
    "MuseGlimmerAssistant": """
    Model(layers norm encoder)
    """,
    "MuseSpark": """
    VisionModel(patch_embedder ln_pre layers ln_post)
    """,
    "MusicFlamingo": """
    ForConditionalGeneration(model lm_head) Model(audio_tower language_model
    multi_modal_projector pos_emb)
    """,
    "Musicgen": """
    Decoder(embed_tokens embed_positions layers layer_norm) ForCausalLM(model lm_heads)
    Model(decoder)
    """,
    "MusicgenMelody": """
    Decoder(embed_tokens embed_positions layers layer_norm) ForCausalLM(model lm_heads)
    Model(decoder)
    """,
    "Mvp": """
    Decoder(embed_tokens embed_positions layers layernorm_embedding) DecoderWrapper(decoder)
    Encoder(embed_tokens embed_positions layers layernorm_embedding) ForCausalLM(model
    lm_head; lm_head.weight=model.decoder.embed_tokens.weight) ForConditionalGeneration(model
    lm_head; lm_head.weight=model.shared.weight,
    model.encoder.embed_tokens.weight=model.shared.weight,
    model.decoder.embed_tokens.weight=model.shared.weight) ForQuestionAnswering(model
    qa_outputs; model.encoder.embed_tokens.weight=model.shared.weight,
    model.decoder.embed_tokens.weight=model.shared.weight) ForSequenceClassification(model
    classification_head; model.encoder.embed_tokens.weight=model.shared.weight,
    model.decoder.embed_tokens.weight=model.shared.weight) Model(shared encoder decoder;
    encoder.embed_tokens.weight=shared.weight, decoder.embed_tokens.weight=shared.weight)
    """,
    "Nemotron3Diarization": """
    AudioModel(embedder input_layer_norm layers layer_norm)
    """,
    "Nemotron3_5Transcribe": """
    AsrAudioModel(embedder input_layer_norm layers layer_norm) WordTimestampModel(upsampler
    input_layer_norm layers layer_norm)
    """,
    "NllbMoe": """
    Decoder(embed_tokens embed_positions layers layer_norm) Encoder(embed_tokens
    embed_positions layers layer_norm) ForConditionalGeneration(model lm_head;
    lm_head.weight=model.shared.weight, model.encoder.embed_tokens.weight=model.shared.weight,
    model.decoder.embed_tokens.weight=model.shared.weight) Model(shared encoder decoder;
    encoder.embed_tokens.weight=shared.weight, decoder.embed_tokens.weight=shared.weight)
    """,
    "NomicBert": """
    ForMaskedLM(nomic_bert cls;
    cls.predictions.decoder.weight=nomic_bert.embeddings.word_embeddings.weight,
    cls.predictions.decoder.bias=cls.predictions.bias) ForSequenceClassification(nomic_bert
    classifier) ForTokenClassification(nomic_bert classifier) Model(embeddings layers)
    """,
    "Nystromformer": """
    ForMaskedLM(nystromformer cls;
    cls.predictions.decoder.weight=nystromformer.embeddings.word_embeddings.weight,
    cls.predictions.decoder.bias=cls.predictions.bias) ForMultipleChoice(nystromformer
    pre_classifier classifier) ForQuestionAnswering(nystromformer qa_outputs)
    ForSequenceClassification(nystromformer classifier) ForTokenClassification(nystromformer
    classifier) Model(embeddings encoder)
    """,
    "OPT": """
    Decoder(embed_tokens embed_positions final_layer_norm layers) ForCausalLM(model lm_head;
    lm_head.weight=model.decoder.embed_tokens.weight) ForQuestionAnswering(model qa_outputs)
    ForSequenceClassification(model score) Model(decoder)
    """,
    "Olmo": """
    ForCausalLM(model lm_head; untied) ForSequenceClassification(model score)
    Model(embed_tokens layers norm)
    """,
    "Olmo2": """
    ForCausalLM(model lm_head; untied) ForSequenceClassification(model score)
    Model(embed_tokens layers norm)
    """,
    "Olmo3": """
    ForCausalLM(model lm_head; untied) ForSequenceClassification(model score)
    Model(embed_tokens layers norm)
    """,
    "Olmoe": """
    ForCausalLM(model lm_head; untied) Model(embed_tokens layers norm)
    """,
    "OmniASR": """
    AudioModel(subsampling encode_positions layers layer_norm) ForConditionalGeneration(model
    lm_head) Model(audio_tower language_model multi_modal_projector)
    """,
    "OmniASRCTC": """
    Model(audio_tower) =OmniASRForCTC(ctc_head model)
    """,
    "OpenAIGPT": """
    DoubleHeadsModel(transformer lm_head multiple_choice_head;
    transformer.tokens_embed.weight=lm_head.weight) ForSequenceClassification(transformer
    score) LMHeadModel(transformer lm_head; lm_head.weight=transformer.tokens_embed.weight)
    Model(tokens_embed positions_embed h)
    """,
    "Ovis2": """
    VisionModel(transformer head_linear head_norm)
    """,
    "OwlViT": """
    TextModel(text_model) TextTransformer(embeddings encoder final_layer_norm)
    VisionModel(vision_model) VisionTransformer(embeddings pre_layernorm encoder
    post_layernorm)
    """,
    "Owlv2": """
    TextModel(text_model) TextTransformer(embeddings encoder final_layer_norm)
    VisionModel(vision_model) VisionTransformer(embeddings pre_layernorm encoder
    post_layernorm)
    """,
  ]
}
