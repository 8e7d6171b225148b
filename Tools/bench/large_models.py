"""The models of `bench models`, as their libraries' constructors build them, without pretrained weights."""

TORCHVISION = ["vit_l_16", "resnet152", "convnext_large", "swin_b", "efficientnet_v2_l"]
TRANSFORMERS = {
    "bert_large": ("BertModel", dict(hidden_size=1024, num_hidden_layers=24, num_attention_heads=16,
                                     intermediate_size=4096)),
    "gpt2_large": ("GPT2Model", dict(n_embd=1280, n_layer=36, n_head=20)),
    # TinyLlama's sizes.
    "llama_1b": ("LlamaModel", dict(hidden_size=2048, num_hidden_layers=22, num_attention_heads=32,
                                    num_key_value_heads=4, intermediate_size=5632, vocab_size=32000)),
    "t5_large": ("T5Model", dict(d_model=1024, d_ff=4096, d_kv=64, num_layers=24, num_heads=16)),
    "whisper_medium": ("WhisperModel", dict(d_model=1024, encoder_layers=24, decoder_layers=24,
                                            encoder_attention_heads=16, decoder_attention_heads=16,
                                            encoder_ffn_dim=4096, decoder_ffn_dim=4096)),
}


def maker(name):
    """A function that constructs the model; what it needs is imported before."""
    if name in TORCHVISION:
        import torchvision
        return lambda: torchvision.models.get_model(name, weights=None)
    import transformers
    kind, sizes = TRANSFORMERS[name]
    model = getattr(transformers, kind)
    config = model.config_class(**sizes)
    return lambda: model(config)


def __getattr__(name):
    return maker(name)
