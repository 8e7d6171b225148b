/// Models of transformers 5.24 by family, those without to Janus: see ``PreTrainedModel``.
///
/// Written by `Tools/fixtures/make_transformers.py` from live models; not edited by hand.
extension PreTrainedModel {
  static let familiesA = """
    : =EncoderDecoderModel(encoder decoder;
      decoder.cls.predictions.decoder.weight=decoder.bert.embeddings.word_embeddings.weight,
      decoder.cls.predictions.decoder.bias=decoder.cls.predictions.bias)
      =SpeechEncoderDecoderModel(encoder decoder;
      decoder.cls.predictions.decoder.weight=decoder.bert.embeddings.word_embeddings.weight,
      decoder.cls.predictions.decoder.bias=decoder.cls.predictions.bias) =UnivNetModel(conv_pre
      resblocks conv_post; std=0.01)
    Aimv2: TextModel(embeddings encoder rms_norm)
    Albert: ForMaskedLM(albert predictions;
      predictions.decoder.weight=albert.embeddings.word_embeddings.weight,
      predictions.decoder.bias=predictions.bias) ForMultipleChoice(albert classifier)
      ForPreTraining(albert predictions sop_classifier;
      predictions.decoder.weight=albert.embeddings.word_embeddings.weight,
      predictions.decoder.bias=predictions.bias) ForQuestionAnswering(albert qa_outputs)
      ForSequenceClassification(albert classifier) ForTokenClassification(albert classifier)
      Model(embeddings encoder)
    Align: TextModel(embeddings encoder)
    AltCLIP: TextModel(roberta transformation pre_LN) =AltRobertaModel(embeddings encoder)
    Arcee Exaone4 Llama Qwen2 Qwen3 Qwen3Moe SeedOss: ForCausalLM(model lm_head; untied)
      ForQuestionAnswering(transformer qa_outputs) ForSequenceClassification(model score)
      ForTokenClassification(model score) Model(embed_tokens layers norm)
    AudioFlamingo3 Voxtral: Encoder(conv1 conv2 embed_positions layers)
      ForConditionalGeneration(model lm_head) Model(audio_tower language_model
      multi_modal_projector)
    Bart MBart: Decoder(embed_tokens embed_positions layers layernorm_embedding)
      DecoderWrapper(decoder) Encoder(embed_tokens embed_positions layers layernorm_embedding)
      ForCausalLM(model lm_head; lm_head.weight=model.decoder.embed_tokens.weight)
      ForConditionalGeneration(model lm_head; lm_head.weight=model.shared.weight,
      model.decoder.embed_tokens.weight=model.shared.weight,
      model.encoder.embed_tokens.weight=model.shared.weight) ForQuestionAnswering(model
      qa_outputs; model.decoder.embed_tokens.weight=model.shared.weight,
      model.encoder.embed_tokens.weight=model.shared.weight) ForSequenceClassification(model
      classification_head; model.decoder.embed_tokens.weight=model.shared.weight,
      model.encoder.embed_tokens.weight=model.shared.weight) Model(shared encoder decoder;
      decoder.embed_tokens.weight=shared.weight, encoder.embed_tokens.weight=shared.weight)
    Beit: Backbone(beit fpn) ForImageClassification(beit classifier) ForMaskedImageModeling(beit
      layernorm lm_head) Model(embeddings layers layernorm)
    Bert: ForMaskedLM(bert cls;
      cls.predictions.decoder.weight=bert.embeddings.word_embeddings.weight,
      cls.predictions.decoder.bias=cls.predictions.bias) ForMultipleChoice(bert classifier)
      ForNextSentencePrediction(bert cls) ForPreTraining(bert cls;
      cls.predictions.decoder.weight=bert.embeddings.word_embeddings.weight,
      cls.predictions.decoder.bias=cls.predictions.bias) ForQuestionAnswering(bert qa_outputs)
      ForSequenceClassification(bert classifier) ForTokenClassification(bert classifier)
      LMHeadModel(bert cls; cls.predictions.decoder.weight=bert.embeddings.word_embeddings.weight,
      cls.predictions.decoder.bias=cls.predictions.bias) Model(embeddings encoder)
    BertGeneration: Encoder(embeddings encoder)
    BigBird: ForCausalLM(bert cls; cls.predictions.decoder.bias=cls.predictions.bias,
      cls.predictions.decoder.weight=bert.embeddings.word_embeddings.weight) ForMaskedLM(bert cls;
      cls.predictions.decoder.bias=cls.predictions.bias,
      cls.predictions.decoder.weight=bert.embeddings.word_embeddings.weight)
      ForMultipleChoice(bert classifier) ForPreTraining(bert cls;
      cls.predictions.decoder.bias=cls.predictions.bias,
      cls.predictions.decoder.weight=bert.embeddings.word_embeddings.weight)
      ForSequenceClassification(bert classifier) ForTokenClassification(bert classifier)
      Model(embeddings encoder)
    BigBirdPegasus: Decoder(embed_tokens embed_positions layers layernorm_embedding)
      DecoderWrapper(decoder) Encoder(embed_tokens embed_positions layers layernorm_embedding)
      ForCausalLM(model lm_head) ForConditionalGeneration(model lm_head;
      lm_head.weight=model.shared.weight, model.encoder.embed_tokens.weight=model.shared.weight,
      model.decoder.embed_tokens.weight=model.shared.weight) ForQuestionAnswering(model
      qa_outputs; model.encoder.embed_tokens.weight=model.shared.weight,
      model.decoder.embed_tokens.weight=model.shared.weight) ForSequenceClassification(model
      classification_head; model.encoder.embed_tokens.weight=model.shared.weight,
      model.decoder.embed_tokens.weight=model.shared.weight) Model(shared encoder decoder;
      encoder.embed_tokens.weight=shared.weight, decoder.embed_tokens.weight=shared.weight)
    BioGpt: ForCausalLM(biogpt output_projection;
      output_projection.weight=biogpt.embed_tokens.weight) ForSequenceClassification(biogpt score)
      ForTokenClassification(biogpt classifier) Model(embed_tokens embed_positions layers
      layer_norm)
    BitNet Cwm DeepseekV32 GlmMoeDsa Granite HyperCLOVAX Jais2 Olmoe: ForCausalLM(model lm_head;
      untied) Model(embed_tokens layers norm)
    Blenderbot: Decoder(embed_tokens embed_positions layers layer_norm) DecoderWrapper(decoder)
      Encoder(embed_tokens embed_positions layers layer_norm) ForCausalLM(model lm_head;
      lm_head.weight=model.decoder.embed_tokens.weight) ForConditionalGeneration(model lm_head;
      lm_head.weight=model.shared.weight, model.encoder.embed_tokens.weight=model.shared.weight,
      model.decoder.embed_tokens.weight=model.shared.weight) Model(shared encoder decoder;
      encoder.embed_tokens.weight=shared.weight, decoder.embed_tokens.weight=shared.weight)
    BlenderbotSmall: Decoder(embed_tokens embed_positions layers layernorm_embedding)
      DecoderWrapper(decoder) Encoder(embed_tokens embed_positions layers layernorm_embedding)
      ForCausalLM(model lm_head; lm_head.weight=model.decoder.embed_tokens.weight)
      ForConditionalGeneration(model lm_head; lm_head.weight=model.shared.weight,
      model.encoder.embed_tokens.weight=model.shared.weight,
      model.decoder.embed_tokens.weight=model.shared.weight) Model(shared encoder decoder;
      encoder.embed_tokens.weight=shared.weight, decoder.embed_tokens.weight=shared.weight)
    Blip: ForConditionalGeneration(vision_model text_decoder;
      text_decoder.cls.predictions.decoder.bias=text_decoder.cls.predictions.bias,
      text_decoder.cls.predictions.decoder.weight=text_decoder.bert.embeddings.word_embeddings.weight)
      ForImageTextRetrieval(vision_model text_encoder vision_proj text_proj)
      ForQuestionAnswering(vision_model text_encoder text_decoder;
      text_decoder.cls.predictions.decoder.bias=text_decoder.cls.predictions.bias,
      text_decoder.cls.predictions.decoder.weight=text_decoder.bert.embeddings.word_embeddings.weight)
      VisionModel(embeddings encoder post_layernorm; std=1e-10)
    Blip2: QFormerModel(layernorm encoder)
    BlipText: LMHeadModel(bert cls; cls.predictions.decoder.bias=cls.predictions.bias,
      cls.predictions.decoder.weight=bert.embeddings.word_embeddings.weight) Model(embeddings
      encoder)
    Bloom: ForCausalLM(transformer lm_head; lm_head.weight=transformer.word_embeddings.weight)
      ForQuestionAnswering(transformer qa_outputs) ForSequenceClassification(transformer score)
      ForTokenClassification(transformer classifier) Model(word_embeddings
      word_embeddings_layernorm h ln_f)
    Bros: Encoder(layer)
    CLIP MetaClip2: ForImageClassification(vision_model classifier; std=1.0) Model(text_model
      vision_model visual_projection text_projection; std=1.0) TextModel(embeddings encoder
      final_layer_norm) TextModelWithProjection(text_model text_projection) VisionModel(embeddings
      pre_layrnorm encoder post_layernorm) VisionModelWithProjection(vision_model
      visual_projection)
    CLIPSeg: TextModel(embeddings encoder final_layer_norm) VisionModel(embeddings pre_layrnorm
      encoder post_layernorm)
    CTRL: ForSequenceClassification(transformer classifier) LMHeadModel(transformer lm_head;
      lm_head.weight=transformer.w.weight) Model(w h layernorm)
    Camembert XLMRoberta: ForCausalLM(lm_head roberta;
      lm_head.decoder.weight=roberta.embeddings.word_embeddings.weight,
      lm_head.decoder.bias=lm_head.bias) ForMaskedLM(lm_head roberta;
      lm_head.decoder.weight=roberta.embeddings.word_embeddings.weight,
      lm_head.decoder.bias=lm_head.bias) ForMultipleChoice(classifier roberta)
      ForQuestionAnswering(qa_outputs roberta) ForSequenceClassification(classifier roberta)
      ForTokenClassification(classifier roberta) Model(embeddings encoder)
    Canary CohereAsr: Decoder(embed_tokens layers norm pos_emb)
    Canine: ForMultipleChoice(canine classifier) ForQuestionAnswering(canine qa_outputs)
      ForSequenceClassification(canine classifier) ForTokenClassification(canine classifier)
      Model(char_embeddings initial_char_encoder chars_to_molecules encoder)
    CodeGen: ForCausalLM(transformer lm_head; untied) Model(wte h ln_f)
    CohereCompass Qwen3VLMoe Qwen3_5 Qwen3_5Moe Qwen4Exp: VisionModel(patch_embed pos_embed
      rotary_pos_emb blocks)
    ConditionalDetr: Encoder(layers)
    ConvNext: Encoder(stages) ForImageClassification(convnext classifier) Model(embeddings encoder
      layernorm)
    ConvNextV2: Encoder(stages) ForImageClassification(convnextv2 classifier) Model(embeddings
      encoder layernorm)
    Cosmos3Edge: TextModel(embed_tokens layers norm) VisionModel(embeddings encoder
      post_layernorm)
    Cosmos3Omni Glm46V: ForConditionalGeneration(model lm_head; untied) Model(visual
      language_model)
    Csm: BackboneModel(embed_tokens layers norm) DepthDecoderModel(embed_tokens layers norm
      inputs_embeds_projector)
    DFine: HybridEncoder(aifi lateral_convs fpn_blocks downsample_convs; std=0.01)
    DPR: ContextEncoder(ctx_encoder) Encoder(bert_model encode_proj)
      QuestionEncoder(question_encoder) Reader(span_predictor) SpanPredictor(encoder qa_outputs
      qa_classifier)
    DPT: ForDepthEstimation(dpt neck head) ForSemanticSegmentation(dpt neck head auxiliary_head)
      Model(embeddings encoder layernorm)
    DabDetr: Encoder(query_scale layers)
    Data2VecAudio: ForAudioFrameClassification(data2vec_audio classifier) ForCTC(data2vec_audio
      lm_head) ForSequenceClassification(data2vec_audio projector classifier)
      Model(feature_extractor feature_projection encoder)
    Data2VecText: ForCausalLM(data2vec_text lm_head;
      lm_head.decoder.weight=data2vec_text.embeddings.word_embeddings.weight,
      lm_head.decoder.bias=lm_head.bias) ForMaskedLM(data2vec_text lm_head;
      lm_head.decoder.weight=data2vec_text.embeddings.word_embeddings.weight,
      lm_head.decoder.bias=lm_head.bias) ForMultipleChoice(data2vec_text classifier)
      ForQuestionAnswering(data2vec_text qa_outputs) ForSequenceClassification(data2vec_text
      classifier) ForTokenClassification(data2vec_text classifier) Model(embeddings encoder)
    Data2VecVision: ForImageClassification(data2vec_vision classifier)
      ForSemanticSegmentation(data2vec_vision fpn1 fpn2 fpn3) Model(embeddings encoder layernorm)
    Deberta: ForMaskedLM(deberta cls; cls.predictions.decoder.bias=cls.predictions.bias,
      cls.predictions.decoder.weight=deberta.embeddings.word_embeddings.weight)
      ForQuestionAnswering(deberta qa_outputs) ForSequenceClassification(deberta classifier)
      ForTokenClassification(deberta classifier) Model(embeddings encoder)
    DebertaV2: ForMaskedLM(deberta cls; cls.predictions.decoder.bias=cls.predictions.bias,
      cls.predictions.decoder.weight=deberta.embeddings.word_embeddings.weight)
      ForMultipleChoice(deberta classifier) ForQuestionAnswering(deberta qa_outputs)
      ForSequenceClassification(deberta classifier) ForTokenClassification(deberta classifier)
      Model(embeddings encoder)
    DeepseekOcr2: VisionEncoder(layers norm)
    DeepseekV3 Glm Glm4 Helium Phi3 StableLm: ForCausalLM(model lm_head; untied)
      ForSequenceClassification(model score) ForTokenClassification(model score)
      Model(embed_tokens layers norm)
    DeepseekVL: ForConditionalGeneration(model lm_head;
      lm_head.weight=model.language_model.embed_tokens.weight) Model(vision_model aligner
      language_model)
    DeiT: ForImageClassification(deit classifier) ForImageClassificationWithTeacher(deit
      cls_classifier distillation_classifier) Model(embeddings layers layernorm)
    Deimv2: HybridEncoder(aifi lateral_convs fpn_blocks downsample_convs; std=0.01)
      LiteEncoder(input_proj down_pool1 down_conv1 down_pool2; std=0.01)
    Detr: Decoder(layers layernorm) Encoder(layers)
    Dia: Decoder(embeddings layers norm) Encoder(embedding layers norm)
      ForConditionalGeneration(model logits_dense) Model(encoder decoder)
    Dinov2: Backbone(embeddings encoder layernorm) Encoder(layer) ForImageClassification(dinov2
      classifier) Model(embeddings encoder layernorm)
    DistilBert: ForMaskedLM(distilbert vocab_transform vocab_layer_norm vocab_projector;
      vocab_projector.weight=distilbert.embeddings.word_embeddings.weight)
      ForMultipleChoice(distilbert pre_classifier classifier) ForQuestionAnswering(distilbert
      qa_outputs) ForSequenceClassification(distilbert pre_classifier classifier)
      ForTokenClassification(distilbert classifier) Model(embeddings transformer)
    Electra: ForCausalLM(electra generator_predictions generator_lm_head;
      generator_lm_head.weight=electra.embeddings.word_embeddings.weight) ForMaskedLM(electra
      generator_predictions generator_lm_head;
      generator_lm_head.weight=electra.embeddings.word_embeddings.weight)
      ForMultipleChoice(electra sequence_summary classifier) ForPreTraining(electra
      discriminator_predictions) ForQuestionAnswering(electra qa_outputs)
      ForSequenceClassification(electra classifier) ForTokenClassification(electra classifier)
      Model(embeddings embeddings_project encoder)
    Emu3: ForCausalLM(model lm_head; untied) TextModel(embed_tokens layers norm)
    Ernie: ForCausalLM(ernie cls;
      cls.predictions.decoder.weight=ernie.embeddings.word_embeddings.weight,
      cls.predictions.decoder.bias=cls.predictions.bias) ForMaskedLM(ernie cls;
      cls.predictions.decoder.bias=cls.predictions.bias,
      cls.predictions.decoder.weight=ernie.embeddings.word_embeddings.weight)
      ForMultipleChoice(ernie classifier) ForNextSentencePrediction(ernie cls)
      ForPreTraining(ernie cls; cls.predictions.decoder.bias=cls.predictions.bias,
      cls.predictions.decoder.weight=ernie.embeddings.word_embeddings.weight)
      ForQuestionAnswering(ernie qa_outputs) ForSequenceClassification(ernie classifier)
      ForTokenClassification(ernie classifier) Model(embeddings encoder)
    Ernie4_5 VaultGemma: ForCausalLM(model lm_head; lm_head.weight=model.embed_tokens.weight)
      Model(embed_tokens layers norm)
    Ernie4_5_VLMoe: VisionTransformerPretrainedModel(patch_embed rotary_pos_emb blocks ln)
      =Ernie4_5_VL_MoeVisionTransformerPretrainedModel(patch_embed rotary_pos_emb blocks ln)
    EuroBert: ForMaskedLM(model lm_head; untied) ForSequenceClassification(model dense classifier)
      ForTokenClassification(model classifier) Model(embed_tokens layers norm)
    Exaone4_5_: ForConditionalGeneration(model lm_head; untied) Model(visual language_model)
      VisionModel(patch_embed rotary_pos_emb blocks merger)
    FNet: ForMaskedLM(fnet cls; cls.predictions.decoder.bias=cls.predictions.bias,
      cls.predictions.decoder.weight=fnet.embeddings.word_embeddings.weight)
      ForMultipleChoice(fnet classifier) ForNextSentencePrediction(fnet cls) ForPreTraining(fnet
      cls; cls.predictions.decoder.bias=cls.predictions.bias,
      cls.predictions.decoder.weight=fnet.embeddings.word_embeddings.weight)
      ForQuestionAnswering(fnet qa_outputs) ForSequenceClassification(fnet classifier)
      ForTokenClassification(fnet classifier) Model(embeddings encoder)
    Falcon: ForCausalLM(transformer lm_head; lm_head.weight=transformer.word_embeddings.weight)
      ForQuestionAnswering(transformer qa_outputs) ForSequenceClassification(transformer score)
      ForTokenClassification(transformer classifier) Model(word_embeddings h ln_f)
    Flaubert XLM: ForMultipleChoice(transformer sequence_summary logits_proj)
      ForQuestionAnswering(transformer qa_outputs) ForQuestionAnsweringSimple(transformer
      qa_outputs) ForSequenceClassification(transformer sequence_summary)
      ForTokenClassification(transformer classifier) Model(position_embeddings embeddings
      layer_norm_emb attentions) WithLMHeadModel(transformer pred_layer;
      pred_layer.proj.weight=transformer.embeddings.weight)
    Flava: ImageCodebook(blocks) TextModel(embeddings encoder layernorm)
    FocalNet: ForImageClassification(focalnet classifier) Model(embeddings encoder layernorm)
    FunAsrNano: Encoder(position_embeddings layers)
    Fuyu: ForCausalLM(model lm_head; untied) Model(language_model vision_embed_tokens)
    GLPN: Model(encoder)
    GPT2: DoubleHeadsModel(transformer lm_head multiple_choice_head;
      lm_head.weight=transformer.wte.weight) ForQuestionAnswering(transformer qa_outputs)
      ForSequenceClassification(transformer score) ForTokenClassification(transformer classifier)
      LMHeadModel(transformer lm_head; lm_head.weight=transformer.wte.weight) Model(wte wpe h
      ln_f)
    GPTBigCode: ForCausalLM(transformer lm_head; lm_head.weight=transformer.wte.weight)
      ForSequenceClassification(transformer score) ForTokenClassification(transformer classifier)
      Model(wte wpe h ln_f)
    GPTJ: ForCausalLM(transformer lm_head; untied) ForQuestionAnswering(transformer qa_outputs)
      ForSequenceClassification(transformer score) Model(wte h ln_f)
    GPTNeoX: ForCausalLM(gpt_neox lm_head; untied) ForQuestionAnswering(gpt_neox qa_outputs)
      ForSequenceClassification(gpt_neox score) ForTokenClassification(gpt_neox classifier)
      Model(embed_in emb_dropout layers final_layer_norm)
    Gemma Gemma2: ForCausalLM(model lm_head; lm_head.weight=model.embed_tokens.weight)
      ForSequenceClassification(model score) ForTokenClassification(model score)
      Model(embed_tokens layers norm)
    Gemma3: ForCausalLM(model lm_head; lm_head.weight=model.embed_tokens.weight)
      TextForSequenceClassification(model score) TextModel(embed_tokens layers norm)
    Glm4v: ForConditionalGeneration(model lm_head; untied) Model(visual language_model)
      TextModel(embed_tokens layers norm) VisionModel(embeddings patch_embed rotary_pos_emb
      blocks)
    Glm4vMoe: VisionModel(embeddings patch_embed rotary_pos_emb blocks)
    GlmAsr: Encoder(conv1 conv2 layers norm) ForConditionalGeneration(model lm_head;
      lm_head.weight=model.language_model.embed_tokens.weight) Model(audio_tower language_model
      multi_modal_projector)
    GlmImage: ForConditionalGeneration(model lm_head) Model(visual language_model vqmodel)
      TextModel(embed_tokens layers norm) VQVAE(quantize quant_conv post_quant_conv)
      VisionModel(embeddings patch_embed blocks)
    GlmOcr: ForConditionalGeneration(model lm_head; untied) Model(visual language_model)
      TextModel(embed_tokens layers norm) VisionModel(patch_embed rotary_pos_emb blocks merger)
    Granite4Vision: TextModel(embed_tokens layers norm)
    GraniteDocling: VisionModel(embeddings encoder post_layernorm connector)
    GraniteDoclingText VoxtralRealtimeText: Model(embed_tokens layers norm)
    GraniteSpeech GraniteSpeechPlus: CTCEncoder(input_linear layers out out_mid)
    Gte: ForMaskedLM(gte lm_head; lm_head.decoder.weight=gte.embeddings.word_embeddings.weight)
      ForSequenceClassification(gte classifier) ForTokenClassification(gte classifier)
      Model(embeddings layers)
    HGNetV2: Backbone(embedder encoder) ForImageClassification(embedder encoder avg_pool flatten)
    HiggsAudioV2: ForConditionalGeneration(model audio_lm_head) Model(embed_tokens layers norm
      embed_audio_tokens)
    Hubert: ForCTC(hubert lm_head) ForSequenceClassification(hubert projector classifier)
      Model(feature_extractor feature_projection encoder)
    HyperCLOVAXVisionV2: ForConditionalGeneration(model lm_head;
      lm_head.weight=model.language_model.embed_tokens.weight) Model(vision_model projector
      language_model)
    Idefics2: VisionTransformer(embeddings encoder post_layernorm)
    Idefics3 SmolVLM: ForConditionalGeneration(model lm_head; untied) Model(vision_model connector
      text_model) VisionTransformer(embeddings encoder post_layernorm)
    InstructBlip InstructBlipVideo: QFormerModel(embeddings encoder)
    Janus: VisionModel(embeddings encoder post_layernorm)
    """
}
