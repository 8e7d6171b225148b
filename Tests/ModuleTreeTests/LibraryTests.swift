import ModuleTree
import TensorCore
import TestSupport
import Testing

/// Small models of library classes, against the bytes of their constructors.
@Suite struct LibraryTests {
  @Test(arguments: [
    "DenseNet", "MobileNetV2", "MobileNetV3", "MNASNet", "EfficientNet", "RegNet", "ConvNeXt",
    "VisionTransformer", "SwinTransformer", "FeaturePyramidNetwork", "RPNHead",
  ])
  func `a class of a library is built as its constructor does`(name: String) throws {
    func text(_ end: String) throws -> String {
      String(decoding: try Fixtures.bytes("libraries/\(name).\(end)"), as: UTF8.self)
    }
    let plain = try Module(printed: text("txt"))
    let entries = try plain.built(by: .torchvision).initialized(seed: 3).entries
    let sums = try entries.map { "\(try $0.digest())  \($0.name)\n" }
    #expect(sums.joined() == (try text("sums")))
    let isNoted = plain.notesOnConstructors.contains { $0.contains("--library torchvision") }
    #expect(isNoted)
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
