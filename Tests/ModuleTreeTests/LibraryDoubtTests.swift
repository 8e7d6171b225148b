import ModuleTree
import TensorCore
import TestSupport
import Testing

/// When a class's name raises a doubt, and what clears it.
@Suite struct LibraryDoubtTests {
  private func isComplete(_ text: String, extra: String = "") -> Bool {
    (try? Module(printed: text, sideFile: SideFile(extra)).requireComplete()) != nil
  }

  private func fixture(_ name: String) throws -> String {
    String(decoding: try Fixtures.bytes("libraries/\(name).txt"), as: UTF8.self)
  }

  @Test(arguments: ["Encoder", "Decoder", "Block", "Attention", "BasicTransformerBlock"])
  func `a general name of a library raises no doubt in a user's model`(kind: String) throws {
    let text =
      "Net(\n  (a): \(kind)(\n    (fc): Linear(in_features=4, out_features=4, bias=True)\n  )\n)"
    let tree = try Module(printed: text)
    try tree.requireComplete()
    #expect(tree.notes.isEmpty && tree.notesOnConstructors.isEmpty)
  }

  @Test(arguments: ["VisionTransformer", "Scale", "LayerScale", "Affine", "PositionalEncoding"])
  func `a class that is told to own no tensors raises no doubt`(kind: String) throws {
    let text =
      "Net(\n  (a): \(kind)(\n    (fc): Linear(in_features=4, out_features=4, bias=True)\n  )\n)"
    #expect(!isComplete(text))
    #expect(isComplete(text, extra: "class \(kind)(Module)"))
    let tree = try Module(printed: text, sideFile: SideFile("class \(kind)(Module)"))
    #expect(tree.notes.isEmpty)
  }

  @Test func `a user's vision transformer is drawn with the tensors that are given`() throws {
    let text = """
      VisionTransformer(
        (patch_embed): PatchEmbedding(
          (proj): Conv2d(3, 16, kernel_size=(4, 4), stride=(4, 4))
        )
        (blocks): Sequential(
          (0): Block(
            (norm1): LayerNorm((16,), eps=1e-05, elementwise_affine=True, bias=True)
            (mlp): Linear(in_features=16, out_features=16, bias=True)
          )
        )
        (norm): LayerNorm((16,), eps=1e-05, elementwise_affine=True, bias=True)
        (head): Linear(in_features=16, out_features=10, bias=True)
      )
      """
    let tokens = "patch_embed.cls_token: [1, 1, 16] = normal\n"
    #expect(!isComplete(text, extra: tokens))
    let lines = tokens + "class VisionTransformer(Module)\nclass Block(Module)"
    let tree = try Module(printed: text, sideFile: SideFile(lines))
    try tree.requireComplete()
    #expect(tree.stateDict().count == 11)
  }

  @Test
  func `one class of a library in a user's model does not make all of its names the library's`() {
    let text = """
      Net(
        (0): Residual(
          (fn): Attention(
            (to_qkv): Linear(in_features=4, out_features=12, bias=False)
          )
        )
      )
      """
    #expect(isComplete(text))
  }

  @Test func `an MLPBlock with other children is not torchvision's`() throws {
    let text = """
      Net(
        (a): MLPBlock(
          (fc): Linear(in_features=4, out_features=4, bias=True)
        )
      )
      """
    let tree = try Module(printed: text)
    #expect(tree.notesOnConstructors.isEmpty && tree.redrawingLibraries.isEmpty)
    #expect(throws: CheckpointError.self) { try tree.built(by: .torchvision) }
  }

  @Test(arguments: ["UNet3DConditionModel", "ControlNetModel", "I2VGenXLUNet", "Kandinsky3UNet"])
  func `another model of diffusers' blocks is refused, and noted by default`(kind: String) throws {
    let text = try fixture("UNet2DConditionModel")
    let tree = try Module(
      printed: text.replacing("UNet2DConditionModel(", with: "\(kind)("))
    let note =
      "if \(kind) is that of diffusers, it may build its layers in another order than they are "
      + "printed, which is not repeated here; for its bytes describe it with ckpt-describe (Tools/describe.py)"
    #expect(tree.notesOnConstructors == [note])
    let error = #expect(throws: CheckpointError.self) { try tree.built(by: .diffusers) }
    #expect(
      error?.message == "in which order diffusers builds the layers of \(kind) is not known; "
        + "describe the model with ckpt-describe (Tools/describe.py) instead")
  }

  @Test func `diffusers' blocks in a user's model are not built by its library`() throws {
    let text = try fixture("UNet2DConditionModel")
    let tree = try Module(printed: text.replacing("UNet2DConditionModel(", with: "Net("))
    let error = #expect(throws: CheckpointError.self) { try tree.built(by: .diffusers) }
    #expect(error?.message.contains("not in a model of diffusers") == true)
    #expect(tree.notesOnConstructors.contains { $0.contains("as diffusers builds it") })
  }

  @Test(arguments: ["SD3Transformer2DModel", "SD3ControlNetModel"])
  func `the table of positions that some models of diffusers list is not left out`(
    kind: String
  ) throws {
    let text = try fixture("PixArtTransformer2DModel")
    #expect(!isComplete(text.replacing("PixArtTransformer2DModel(", with: "\(kind)(")))
  }

  @Test(arguments: [
    ("JumpingKnowledge(lstm, channels=4, layers=2)", false), ("JumpingKnowledge(cat)", true),
    ("DeepGCNLayer(block=res+)", false), ("MaskLabel()", false), ("MedianAggregation()", false),
    ("SoftmaxAggregation(learn=True)", false), ("SoftmaxAggregation(learn=False)", true),
    ("SAGPooling(GraphConv, 4, ratio=0.5, multiplier=1.0)", false), ("MeanAggregation()", true),
    ("BesselBasisLayer(\n    (envelope): Envelope()\n  )", false),
  ])
  func `classes of torch_geometric that hide tensors`(text: String, isWhole: Bool) {
    let net = "Net(\n  (a): \(text)\n  (b): Linear(in_features=2, out_features=2, bias=True)\n)"
    #expect(isComplete(net) == isWhole)
  }

  @Test func `a network without reset_parameters in one of torch_geometric's is noted`() throws {
    let text = """
      EdgeConv(nn=Sequential(
        (0): MultiheadAttention(
          (out_proj): NonDynamicallyQuantizableLinear(in_features=4, out_features=4, bias=True)
        )
      ))
      """
    let notes = try Module(printed: text).notesOnConstructors
    #expect(
      notes.count == 1 && notes[0].hasPrefix("if EdgeConv is that of torch_geometric, it draws"))
  }

  @Test(arguments: [
    ("EfficientViM", "stage", "EfficientViMBlock"), ("MetaNeXt", "stages", "MetaNeXtBlock"),
    ("CrossVit", "blocks", "Block"),
  ])
  func `timm's own parameters are not left out`(model: String, name: String, block: String) {
    #expect(
      !isComplete(
        """
        \(model)(
          (\(name)): \(block)(
            (fc): Linear(in_features=2, out_features=2, bias=True)
          )
        )
        """))
  }

  @Test func `options that no text shows are named`() throws {
    let options = try Module(printed: try fixture("timm/ResNet")).notesOnOptions(of: .timm)
    #expect(options == ["ResNet's default zero_init_last=True is assumed"])
    let net = try Module(
      printed: "Net(\n  (a): PReLU(num_parameters=1)\n  (b): CrossEntropyLoss()\n)")
    #expect(
      net.notes == [
        "PReLU: init is taken to be 0.25, the default; if not, give it with --extra: a",
        "CrossEntropyLoss: weight is taken to be None, the default; if not, give it with --extra: b",
      ])
  }

  @Test func `a function in torch_geometric's Sequential owns nothing`() throws {
    let tree = try Module(
      printed: """
        Sequential(
          (0) - Linear(in_features=3, out_features=4, bias=True): x -> x
          (1) - <function global_mean_pool at 0x7fc56ac25e40>: x, batch -> x
          (2) - <function <lambda> at 0x7fc56ac25e40>: x -> x
          (3) - functools.partial(<function relu at 0x7fc56ac25e40>, inplace=True): x -> x
          (4) - Linear(in_features=4, out_features=2, bias=True): x -> x
        )
        """)
    #expect(
      tree.stateDict().map(\.name.text) == [
        "module_0.weight", "module_0.bias", "module_4.weight", "module_4.bias",
      ])
  }
}
