/// Models of transformers 5.24 by family, Dinov2 to LightOnOcr: see ``PreTrainedModel``.
///
/// Written by `Tools/fixtures/make_transformers.py` from live models; not edited by hand.
extension PreTrainedModel {
  static let familiesB: [String: String] = [
    "Dinov2": """
    Backbone(embeddings encoder layernorm) Encoder(layer) ForImageClassification(dinov2
    classifier) Model(embeddings encoder layernorm)
    """,
    "DistilBert": """
    ForMaskedLM(distilbert vocab_transform vocab_layer_norm vocab_projector;
    vocab_projector.weight=distilbert.embeddings.word_embeddings.weight)
    ForMultipleChoice(distilbert pre_classifier classifier) ForQuestionAnswering(distilbert
    qa_outputs) ForSequenceClassification(distilbert pre_classifier classifier)
    ForTokenClassification(distilbert classifier) Model(embeddings transformer)
    """,
    "Electra": """
    ForCausalLM(electra generator_predictions generator_lm_head;
    generator_lm_head.weight=electra.embeddings.word_embeddings.weight) ForMaskedLM(electra
    generator_predictions generator_lm_head;
    generator_lm_head.weight=electra.embeddings.word_embeddings.weight)
    ForMultipleChoice(electra sequence_summary classifier) ForPreTraining(electra
    discriminator_predictions) ForQuestionAnswering(electra qa_outputs)
    ForSequenceClassification(electra classifier) ForTokenClassification(electra classifier)
    Model(embeddings embeddings_project encoder)
    """,
    "Emu3": """
    ForCausalLM(model lm_head; untied) TextModel(embed_tokens layers norm)
    """,
    "Ernie": """
    ForCausalLM(ernie cls;
    cls.predictions.decoder.weight=ernie.embeddings.word_embeddings.weight,
    cls.predictions.decoder.bias=cls.predictions.bias) ForMaskedLM(ernie cls;
    cls.predictions.decoder.bias=cls.predictions.bias,
    cls.predictions.decoder.weight=ernie.embeddings.word_embeddings.weight)
    ForMultipleChoice(ernie classifier) ForNextSentencePrediction(ernie cls)
    ForPreTraining(ernie cls; cls.predictions.decoder.bias=cls.predictions.bias,
    cls.predictions.decoder.weight=ernie.embeddings.word_embeddings.weight)
    ForQuestionAnswering(ernie qa_outputs) ForSequenceClassification(ernie classifier)
    ForTokenClassification(ernie classifier) Model(embeddings encoder)
    """,
    "Ernie4_5": """
    ForCausalLM(model lm_head; lm_head.weight=model.embed_tokens.weight) Model(embed_tokens
    layers norm)
    """,
    "Ernie4_5_VLMoe": """
    VisionTransformerPretrainedModel(patch_embed rotary_pos_emb blocks ln)
    =Ernie4_5_VL_MoeVisionTransformerPretrainedModel(patch_embed rotary_pos_emb blocks ln)
    """,
    "EuroBert": """
    ForMaskedLM(model lm_head; untied) ForSequenceClassification(model dense classifier)
    ForTokenClassification(model classifier) Model(embed_tokens layers norm)
    """,
    "Exaone4": """
    ForCausalLM(model lm_head; untied) ForQuestionAnswering(transformer qa_outputs)
    ForSequenceClassification(model score) ForTokenClassification(model score)
    Model(embed_tokens layers norm)
    """,
    "Exaone4_5_": """
    ForConditionalGeneration(model lm_head; untied) Model(visual language_model)
    VisionModel(patch_embed rotary_pos_emb blocks merger)
    """,
    "FNet": """
    ForMaskedLM(fnet cls; cls.predictions.decoder.bias=cls.predictions.bias,
    cls.predictions.decoder.weight=fnet.embeddings.word_embeddings.weight)
    ForMultipleChoice(fnet classifier) ForNextSentencePrediction(fnet cls) ForPreTraining(fnet
    cls; cls.predictions.decoder.bias=cls.predictions.bias,
    cls.predictions.decoder.weight=fnet.embeddings.word_embeddings.weight)
    ForQuestionAnswering(fnet qa_outputs) ForSequenceClassification(fnet classifier)
    ForTokenClassification(fnet classifier) Model(embeddings encoder)
    """,
    "Falcon": """
    ForCausalLM(transformer lm_head; lm_head.weight=transformer.word_embeddings.weight)
    ForQuestionAnswering(transformer qa_outputs) ForSequenceClassification(transformer score)
    ForTokenClassification(transformer classifier) Model(word_embeddings h ln_f)
    """,
    "Flaubert": """
    ForMultipleChoice(transformer sequence_summary logits_proj)
    ForQuestionAnswering(transformer qa_outputs) ForQuestionAnsweringSimple(transformer
    qa_outputs) ForSequenceClassification(transformer sequence_summary)
    ForTokenClassification(transformer classifier) Model(position_embeddings embeddings
    layer_norm_emb attentions) WithLMHeadModel(transformer pred_layer;
    pred_layer.proj.weight=transformer.embeddings.weight)
    """,
    "Flava": """
    ImageCodebook(blocks) TextModel(embeddings encoder layernorm)
    """,
    "FocalNet": """
    ForImageClassification(focalnet classifier) Model(embeddings encoder layernorm)
    """,
    "FunAsrNano": """
    Encoder(position_embeddings layers)
    """,
    "Fuyu": """
    ForCausalLM(model lm_head; untied) Model(language_model vision_embed_tokens)
    """,
    "GLPN": """
    Model(encoder)
    """,
    "GPT2": """
    DoubleHeadsModel(transformer lm_head multiple_choice_head;
    lm_head.weight=transformer.wte.weight) ForQuestionAnswering(transformer qa_outputs)
    ForSequenceClassification(transformer score) ForTokenClassification(transformer
    classifier) LMHeadModel(transformer lm_head; lm_head.weight=transformer.wte.weight)
    Model(wte wpe h ln_f)
    """,
    "GPTBigCode": """
    ForCausalLM(transformer lm_head; lm_head.weight=transformer.wte.weight)
    ForSequenceClassification(transformer score) ForTokenClassification(transformer
    classifier) Model(wte wpe h ln_f)
    """,
    "GPTJ": """
    ForCausalLM(transformer lm_head; untied) ForQuestionAnswering(transformer qa_outputs)
    ForSequenceClassification(transformer score) Model(wte h ln_f)
    """,
    "GPTNeoX": """
    ForCausalLM(gpt_neox lm_head; untied) ForQuestionAnswering(gpt_neox qa_outputs)
    ForSequenceClassification(gpt_neox score) ForTokenClassification(gpt_neox classifier)
    Model(embed_in emb_dropout layers final_layer_norm)
    """,
    "Gemma": """
    ForCausalLM(model lm_head; lm_head.weight=model.embed_tokens.weight)
    ForSequenceClassification(model score) ForTokenClassification(model score)
    Model(embed_tokens layers norm)
    """,
    "Gemma2": """
    ForCausalLM(model lm_head; lm_head.weight=model.embed_tokens.weight)
    ForSequenceClassification(model score) ForTokenClassification(model score)
    Model(embed_tokens layers norm)
    """,
    "Gemma3": """
    ForCausalLM(model lm_head; lm_head.weight=model.embed_tokens.weight)
    TextForSequenceClassification(model score) TextModel(embed_tokens layers norm)
    """,
    "Glm": """
    ForCausalLM(model lm_head; untied) ForSequenceClassification(model score)
    ForTokenClassification(model score) Model(embed_tokens layers norm)
    """,
    "Glm4": """
    ForCausalLM(model lm_head; untied) ForSequenceClassification(model score)
    ForTokenClassification(model score) Model(embed_tokens layers norm)
    """,
    "Glm46V": """
    ForConditionalGeneration(model lm_head; untied) Model(visual language_model)
    """,
    "Glm4v": """
    ForConditionalGeneration(model lm_head; untied) Model(visual language_model)
    TextModel(embed_tokens layers norm) VisionModel(embeddings patch_embed rotary_pos_emb
    blocks)
    """,
    "Glm4vMoe": """
    VisionModel(embeddings patch_embed rotary_pos_emb blocks)
    """,
    "GlmAsr": """
    Encoder(conv1 conv2 layers norm) ForConditionalGeneration(model lm_head;
    lm_head.weight=model.language_model.embed_tokens.weight) Model(audio_tower language_model
    multi_modal_projector)
    """,
    "GlmImage": """
    ForConditionalGeneration(model lm_head) Model(visual language_model vqmodel)
    TextModel(embed_tokens layers norm) VQVAE(quantize quant_conv post_quant_conv)
    VisionModel(embeddings patch_embed blocks)
    """,
    "GlmMoeDsa": """
    ForCausalLM(model lm_head; untied) Model(embed_tokens layers norm)
    """,
    "GlmOcr": """
    ForConditionalGeneration(model lm_head; untied) Model(visual language_model)
    TextModel(embed_tokens layers norm) VisionModel(patch_embed rotary_pos_emb blocks merger)
    """,
    "Granite": """
    ForCausalLM(model lm_head; untied) Model(embed_tokens layers norm)
    """,
    "Granite4Vision": """
    TextModel(embed_tokens layers norm)
    """,
    "GraniteDocling": """
    VisionModel(embeddings encoder post_layernorm connector)
    """,
    "GraniteDoclingText": """
    Model(embed_tokens layers norm)
    """,
    "GraniteSpeech": """
    CTCEncoder(input_linear layers out out_mid)
    """,
    "GraniteSpeechPlus": """
    CTCEncoder(input_linear layers out out_mid)
    """,
    "Gte": """
    ForMaskedLM(gte lm_head; lm_head.decoder.weight=gte.embeddings.word_embeddings.weight)
    ForSequenceClassification(gte classifier) ForTokenClassification(gte classifier)
    Model(embeddings layers)
    """,
    "HGNetV2": """
    Backbone(embedder encoder) ForImageClassification(embedder encoder avg_pool flatten)
    """,
    "Helium": """
    ForCausalLM(model lm_head; untied) ForSequenceClassification(model score)
    ForTokenClassification(model score) Model(embed_tokens layers norm)
    """,
    "HiggsAudioV2": """
    ForConditionalGeneration(model audio_lm_head) Model(embed_tokens layers norm
    embed_audio_tokens)
    """,
    "Hubert": """
    ForCTC(hubert lm_head) ForSequenceClassification(hubert projector classifier)
    Model(feature_extractor feature_projection encoder)
    """,
    "HyperCLOVAX": """
    ForCausalLM(model lm_head; untied) Model(embed_tokens layers norm)
    """,
    "HyperCLOVAXVisionV2": """
    ForConditionalGeneration(model lm_head;
    lm_head.weight=model.language_model.embed_tokens.weight) Model(vision_model projector
    language_model)
    """,
    "Idefics2": """
    VisionTransformer(embeddings encoder post_layernorm)
    """,
    "Idefics3": """
    ForConditionalGeneration(model lm_head; untied) Model(vision_model connector text_model)
    VisionTransformer(embeddings encoder post_layernorm)
    """,
    "InstructBlip": """
    QFormerModel(embeddings encoder)
    """,
    "InstructBlipVideo": """
    QFormerModel(embeddings encoder)
    """,
    "Jais2": """
    ForCausalLM(model lm_head; untied) Model(embed_tokens layers norm)
    """,
    "Janus": """
    VisionModel(embeddings encoder post_layernorm)
    """,
    "JinaEmbeddingsV3": """
    ForMaskedLM(lm_head roberta;
    lm_head.decoder.weight=roberta.embeddings.word_embeddings.weight,
    lm_head.decoder.bias=lm_head.bias) ForQuestionAnswering(qa_outputs roberta)
    ForSequenceClassification(classifier roberta) ForTokenClassification(classifier roberta)
    Model(embeddings layers)
    """,
    "Kosmos2_5": """
    TextForCausalLM(model lm_head; lm_head.weight=model.embed_tokens.weight) TextModel(model)
    TextTransformer(embed_tokens embed_positions segment_emb layers)
    """,
    "LED": """
    Decoder(embed_tokens embed_positions layers layernorm_embedding) Encoder(embed_tokens
    embed_positions layers layernorm_embedding) ForConditionalGeneration(led lm_head;
    lm_head.weight=led.shared.weight, led.encoder.embed_tokens.weight=led.shared.weight,
    led.decoder.embed_tokens.weight=led.shared.weight) ForQuestionAnswering(led qa_outputs;
    led.encoder.embed_tokens.weight=led.shared.weight,
    led.decoder.embed_tokens.weight=led.shared.weight) Model(shared encoder decoder;
    encoder.embed_tokens.weight=shared.weight, decoder.embed_tokens.weight=shared.weight)
    """,
    "Lasr": """
    Encoder(subsampler layers out_norm) ForCTC(encoder ctc_head)
    """,
    "LayoutLM": """
    ForMaskedLM(layoutlm cls; cls.predictions.decoder.bias=cls.predictions.bias,
    cls.predictions.decoder.weight=layoutlm.embeddings.word_embeddings.weight)
    ForQuestionAnswering(layoutlm qa_outputs) ForSequenceClassification(layoutlm classifier)
    ForTokenClassification(layoutlm classifier) Model(embeddings encoder)
    """,
    "Lfm2": """
    ForCausalLM(model lm_head; lm_head.weight=model.embed_tokens.weight) Model(embed_tokens
    layers embedding_norm)
    """,
    "Lfm3": """
    ForCausalLM(model lm_head; lm_head.weight=model.embed_tokens.weight) Model(embed_tokens
    layers embedding_norm)
    """,
    "Lfm3Vl": """
    ForConditionalGeneration(model lm_head;
    lm_head.weight=model.language_model.embed_tokens.weight) Model(language_model vision_tower
    multi_modal_projector) VisionModel(patch_embed rotary_pos_emb embedding_norm layers)
    """,
    "LightGlue": """
    ForKeypointMatching(keypoint_detector input_projection positional_encoder
    transformer_layers)
    """,
    "LightOnOcr": """
    ForConditionalGeneration(model lm_head;
    lm_head.weight=model.language_model.embed_tokens.weight) Model(vision_encoder
    vision_projection language_model)
    """,
  ]
}
