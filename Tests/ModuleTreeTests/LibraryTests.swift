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
  ]

  @Test(
    arguments: [
      "DenseNet", "MobileNetV2", "MobileNetV3", "MNASNet", "EfficientNet", "RegNet", "ConvNeXt",
      "VisionTransformer", "SwinTransformer", "FeaturePyramidNetwork", "RPNHead",
      "SwinTransformerV2", "SwinTransformer3d", "MaxVit", "MViT", "MViTv2", "MaskRCNN",
      "MaskRCNNv2", "FCOSHead", "RetinaNetHead", "SSDHead", "SSDLiteHead", "LastLevelP6P7",
      "FeatureEncoder",
    ].map { ($0, Library.torchvision) } + (["VQModel"] + ordered).map { ($0, Library.diffusers) }
      + [("GINConv", .torch)])
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
    #expect(isNoted != (Self.ordered + ["GINConv"]).contains(name))
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
}
