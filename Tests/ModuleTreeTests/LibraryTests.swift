import ModuleTree
import ParallelWork
import TensorCore
import TestSupport
import Testing

/// Small models of library classes, against the bytes of their constructors.
@Suite struct LibraryTests {
  /// Models of which no class is drawn again: only the order of construction is the library's.
  private static let ordered = [
    "UNet2DModel", "UNet2DConditionModel", "AutoencoderKL", "PixArtTransformer2DModel",
    "DiTTransformer2DModel", "AutoencoderTiny",
  ]

  /// Models of transformers: one of each way of filling and of hidden tensors.
  private static let models = [
    "BertForMaskedLM", "GPT2LMHeadModel", "LlamaForCausalLM", "GemmaForCausalLM",
    "FalconForCausalLM", "T5ForConditionalGeneration", "BartForConditionalGeneration",
    "MarianMTModel", "ModernBertForMaskedLM", "XLMModel", "DebertaModel", "ViTModel", "DeiTModel",
    "Dinov2Model", "SwinModel", "ConvNextV2Model", "BeitModel", "ResNetModel", "CLIPModel",
    "SiglipModel", "Wav2Vec2Model", "HubertModel", "PvtV2Model",
  ]

  private static let images = [
    "DenseNet", "MobileNetV2", "MobileNetV3", "MNASNet", "EfficientNet", "RegNet", "ConvNeXt",
    "VisionTransformer", "SwinTransformer", "FeaturePyramidNetwork", "RPNHead",
    "SwinTransformerV2", "SwinTransformer3d", "MaxVit", "MViT", "MViTv2", "MaskRCNN",
    "MaskRCNNv2", "FCOSHead", "RetinaNetHead", "SSDHead", "SSDLiteHead", "LastLevelP6P7",
    "FeatureEncoder",
  ]

  private static var classes: [(String, Library)] {
    var classes: [(String, Library)] = [
      ("GINConv", .torch), ("EdgeConv", .torch), ("VQModel", .diffusers),
    ]
    for name in images { classes.append((name, .torchvision)) }
    for name in models { classes.append((name, .transformers)) }
    for name in ordered { classes.append((name, .diffusers)) }
    return classes
  }

  @Test(arguments: classes)
  func `a class of a library is built as its constructor does`(
    name: String, library: Library
  ) throws {
    func text(_ end: String) throws -> String {
      String(decoding: try Fixtures.bytes("libraries/\(name).\(end)"), as: UTF8.self)
    }
    let plain = try Module(printed: text("txt"))
    try plain.requireComplete()
    let entries = try plain.built(by: library).initialized(seed: 3).entries
    let sums = try entries.map { "\(try $0.digest(.sha256))  \($0.name)\n" }
    #expect(sums.joined() == (try text("sums")))
    let isNoted = plain.notesOnConstructors.contains {
      $0.contains("--library \(library.rawValue)")
    }
    #expect(isNoted != (Self.ordered + ["GINConv", "EdgeConv"]).contains(name))
    #expect(isNoted || plain.notesOnConstructors.isEmpty)
  }

  @Test(arguments: classes)
  func `a class of a library is described and read back`(name: String, library: Library) throws {
    let text = String(decoding: try Fixtures.bytes("libraries/\(name).txt"), as: UTF8.self)
    let json = try Module(printed: text).json()
    #expect(try Module(json: json).json() == json)
  }

  @Test(arguments: [
    "ResNet", "ResNetV2", "RegNet", "EfficientNet", "DenseNet", "ConvNeXt", "ConvNeXtV2", "DLA",
    "NormFreeNet", "RepVGG", "VisionTransformer", "VisionTransformerDistilled", "Beit", "Cait",
    "Xcit", "TNT", "CoaT", "SwinTransformer", "SwinTransformerV2", "PyramidVisionTransformerV2",
    "Twins", "Levit", "MaxxVit", "MlpMixer", "ResMLP", "GMLP", "MetaFormer", "EdgeNeXt",
  ])
  func `a class of timm is built as its constructor does`(name: String) throws {
    func text(_ end: String) throws -> String {
      String(decoding: try Fixtures.bytes("libraries/timm/\(name).\(end)"), as: UTF8.self)
    }
    let plain = try Module(printed: text("txt"))
    try plain.requireComplete()
    let entries = try plain.built(by: .timm).initialized(seed: 3).entries
    let sums = try entries.map { "\(try $0.digest(.sha256))  \($0.name)" }.sorted()
    let expected = try text("sums").split(separator: "\n").map(String.init).sorted()
    #expect(sums == expected)
    let isNoted = plain.notesOnConstructors.contains { $0.contains("--library timm") }
    #expect(isNoted)
  }

  @Test(arguments: [
    (
      "EfficientNet", ": SqueezeExcite(", ": GlobalContext(",
      "what timm's EfficientNet does after building its layers is not known"
    ),
    (
      "VisionTransformer", ": Block(", ": ParallelScalingBlock(",
      "what timm's VisionTransformer does after building its layers is not known"
    ),
    (
      "MlpMixer", ": Mlp(", ": GluMlp(",
      "what timm's MlpMixer does after building its layers is not known"
    ),
    (
      "ResNet", "ResNet(", "FeatureListNet(",
      "what timm's FeatureListNet does after building its layers is not known"
    ),
  ])
  func `another option of a class is refused`(
    name: String, part: String, other: String, message: String
  ) throws {
    let text = String(
      decoding: try Fixtures.bytes("libraries/timm/\(name).txt"), as: UTF8.self)
    let changed = text.replacing(part, with: other)
    #expect(changed != text)
    let error = #expect(throws: CheckpointError.self) {
      try Module(printed: changed).built(by: .timm)
    }
    #expect(error?.message.hasPrefix(message) == true, "\(String(describing: error))")
  }

  @Test func `a class of another structure is not the library's`() throws {
    let tree = try Module(
      printed: "ResNet(\n  (a): Linear(in_features=2, out_features=2, bias=True)\n)")
    #expect(throws: CheckpointError.self) { try tree.built(by: .torchvision) }
    #expect(!tree.notesOnConstructors.contains { $0.contains("--library") })
  }

  @Test func `a tensor that is given is not taken from the table`() throws {
    let text =
      "CNBlock(\n  (block): Sequential(\n    (0): Linear(in_features=2, out_features=2, bias=True)\n  )\n)"
    let plain = try Module(printed: text)
    #expect(plain.stateDict().first?.shape.sizes == [2, 1, 1])
    #expect(
      plain.notes == [
        "CNBlock: layer_scale is taken to be 1e-6, the default; if not, give it with --extra: the model itself"
      ])
    let given = try Module(printed: text, sideFile: SideFile("layer_scale: [2, 1, 1] = 0.5"))
    #expect(given.notes.isEmpty && given.stateDict().count == 3)
  }

  @Test func `a model of transformers with other children is refused`() throws {
    let text = """
      LlamaForCausalLM(
        (transformer): Embedding(9, 4)
        (lm_head): Linear(in_features=4, out_features=9, bias=False)
      )
      """
    let tree = try Module(printed: text)
    #expect(throws: CheckpointError.self) { try tree.built(by: .transformers) }
    #expect(tree.notesOnConstructors.contains { $0.contains("LlamaForCausalLM") })
    let unknown = try Module(
      printed: "BertForNothing(\n  (a): Linear(in_features=2, out_features=2, bias=True)\n)")
    #expect(throws: CheckpointError.self) { try unknown.built(by: .transformers) }
  }

  @Test func `options of transformers that are not printed are named`() throws {
    let text = String(
      decoding: try Fixtures.bytes("libraries/LlamaForCausalLM.txt"), as: UTF8.self)
    let note =
      "what the text does not show of LlamaForCausalLM's configuration is taken to be "
      + "transformers's default: initializer_range 0.02, tie_word_embeddings false"
    #expect(try Module(printed: text).notes.contains(note))
  }

  @Test func `experts are drawn once their sizes are given`() throws {
    let text = String(
      decoding: try Fixtures.bytes("libraries/MixtralForCausalLM.txt"), as: UTF8.self)
    let plain = try Module(printed: text)
    #expect(throws: CheckpointError.self) { try plain.requireComplete() }
    let sizes = (0..<2).map { layer in
      """
      model.layers.\(layer).mlp.gate.weight: [3, 8]
      model.layers.\(layer).mlp.experts.gate_up_proj: [3, 12, 8]
      model.layers.\(layer).mlp.experts.down_proj: [3, 8, 6]
      """
    }
    let given = try Module(
      printed: text, sideFile: SideFile(sizes.joined(separator: "\n")))
    try given.requireComplete()
    let entries = try given.built(by: .transformers).initialized(seed: 3).entries
    let sums = try entries.map { "\(try $0.digest(.sha256))  \($0.name)\n" }.sorted()
    let expected = String(
      decoding: try Fixtures.bytes("libraries/MixtralForCausalLM.sums"), as: UTF8.self)
    #expect(sums == expected.split(separator: "\n").map { "\($0)\n" }.sorted())
  }
}
