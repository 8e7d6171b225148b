import ModuleTree
import TensorCore
import TestSupport
import Testing
import TorchRandom

@Suite struct SideFileTests {
  static let text = """
    Net(
      (blocks): ModuleList(
        (0-1): 2 x Block(
          (fc): Linear(in_features=2, out_features=2, bias=False)
          (conv): StdConv2d(1, 1, kernel_size=(1, 1), stride=(1, 1), bias=False)
        )
      )
      (attn): MultiheadAttention(
        (out_proj): NonDynamicallyQuantizableLinear(in_features=2, out_features=2, bias=True)
      )
    )
    """

  @Test func `a side file adds what text cannot show`() throws {
    let sideFile = try SideFile(
      """
      # comment
      class StdConv2d(Conv2d)
      cls: [1, 2] = normal(std=0.02)   # bare
      blocks.*.gamma: (2,) bfloat16 = 0.5
      blocks.1.fc.weight = blocks.0.fc.weight
      attn: kdim=3, add_bias_kv=True
      """)
    let tree = try Module(printed: Self.text, sideFile: sideFile)
    #expect(tree.description == Self.text)
    #expect(
      tree.stateDict().map { "\($0.name) \($0.shape)" } == [
        "cls [1, 2]", "blocks.0.gamma [2]", "blocks.0.fc.weight [2, 2]",
        "blocks.0.conv.weight [1, 1, 1, 1]", "blocks.1.gamma [2]", "blocks.1.fc.weight [2, 2]",
        "blocks.1.conv.weight [1, 1, 1, 1]", "attn.q_proj_weight [2, 2]",
        "attn.k_proj_weight [2, 3]", "attn.v_proj_weight [2, 2]", "attn.in_proj_bias [6]",
        "attn.bias_k [1, 1, 2]", "attn.bias_v [1, 1, 2]", "attn.out_proj.weight [2, 2]",
        "attn.out_proj.bias [2]",
      ])
    let entries = try tree.initialized().entries
    #expect(entries[1].info.dtype == .bfloat16)
    #expect(entries.compactMap(\.alias) == ["blocks.0.fc.weight"])
    let convolutions = try SelectedTensors(Selector("Conv2d"), in: tree)
    #expect(try tree.stateDict().map(\.name).filter { try convolutions.contains($0) }.count == 2)
  }

  @Test(arguments: [
    ("x", "line 1: expected 'name: [sizes]', 'name = name' or 'path: option=…', found 'x'"),
    (
      "\n\nx: [a]",
      "line 3: expected 'name: [sizes] dtype = initializer', the last two as wanted, found 'x: [a]'"
    ),
    ("x: [2] float3", "line 1: expected a dtype as float32 or int64, found 'x: [2] float3'"),
    (
      "class A(B)",
      "line 1: expected 'class Name(Base)' with a class of torch.nn as base, found 'class A(B)'"
    ),
    ("nix.x: [2]", "line 1: the model has no module 'nix'"),
    (
      "relu: init=1",
      "line 1: expected a class with unprinted options: PReLU (init=NUMBER) or MultiheadAttention (kdim, vdim, add_bias_kv), found options 'init=1' for ReLU"
    ),
    ("lin.weight: [2]", "line 1: Linear already has a 'weight'"),
    ("construct: a", "line 1: the model has no module 'a'"),
    ("a.b = lin.weight", "the model has no such parameter"),
  ])
  func `an impossible side file is refused with its line`(text: String, message: String) {
    let thrown = #expect(throws: CheckpointError.self) {
      try Module(
        printed:
          "Net(\n  (lin): Linear(in_features=1, out_features=1, bias=True)\n  (relu): ReLU()\n)",
        sideFile: SideFile(text))
    }
    #expect(thrown?.message == message)
  }

  @Test func `statements that would each look through very many tensors are refused`() throws {
    let text = """
      Net(
        (l): ModuleList(
          (0-2999): 3000 x Linear(in_features=2, out_features=2, bias=False)
        )
      )
      """
    let ties = (1...1_500).map { "l.\($0).weight = l.0.weight" }.joined(separator: "\n")
    let thrown = #expect(throws: CheckpointError.self) {
      try Module(printed: text, sideFile: SideFile(ties))
    }
    #expect(thrown?.message.contains("at most 1333 statements for a model of 3000 tensors") == true)
    #expect(thrown?.message.contains("--allow-large") == true)
  }

  @Test func `a side file gives initial values that a description lacks`() throws {
    let json = """
      {"ckpt-model": 1, "modules": [{"path": "", "class": "Net", "parameters": [
        {"name": "w", "shape": [2, 3], "rule": null, "reason": "saved"}], "buffers": [
        {"name": "b", "shape": [2], "dtype": "int64", "rule": null, "reason": "saved"}]}]}
      """
    let sideFile = try SideFile("w: [2, 3] = 0.5\nb: [2] = ones")
    var plan = try Initialization(
      of: Module(json: json, sideFile: sideFile), generator: Generator(seed: 1))
    try plan.construct()
    let entries = try plan.entries()
    #expect(entries.map(\.info.dtype) == [.float32, .int64])
    #expect(try entries[0].allBytes() == Array(repeatElement([0, 0, 0, 0x3f], count: 6).joined()))
    #expect(
      try entries[1].allBytes()
        == Array(repeatElement([1, 0, 0, 0, 0, 0, 0, 0], count: 2).joined()))
    let other = try SideFile("w: [3, 2] = 0.5")
    let error = #expect(throws: CheckpointError.self) { try Module(json: json, sideFile: other) }
    #expect(error?.message == "line 1: expected shape [2, 3] for 'w' of Net, found [3, 2]")
  }

  @Test func `the error for an unknown class names a similar one`() throws {
    for (text, likeness) in [
      ("FrozenNorm(4, eps=1e-05, momentum=0.1)", "BatchNorm2d"),
      ("Table(10, 3)", "Embedding"),
      ("Linear8bitLt(in_features=2, out_features=3, bias=True)", "Linear"),
    ] {
      let kind = text.prefix { $0 != "(" }
      let thrown = #expect(throws: CheckpointError.self) { try Module(printed: text) }
      let statement = "class \(kind)(\(likeness))"
      #expect(thrown?.message.contains("'\(statement)'") == true, "\(thrown?.message ?? "")")
      #expect(try !Module(printed: text, sideFile: SideFile(statement)).stateDict().isEmpty)
    }
  }

  @Test func `classes known to hide tensors are noted until the tensors are given`() throws {
    let text = "Net(\n  (a): LayerScale()\n  (b): CNBlock(\n    (x): ReLU()\n  )\n)"
    let plain = try Module(printed: text)
    #expect(
      plain.notes == [
        "LayerScale owns tensors that printed text does not show, such as a.gamma; give them with --extra",
        "CNBlock owns tensors that printed text does not show, such as b.layer_scale; "
          + "give them with --extra",
      ])
    let given = try Module(
      printed: text, sideFile: SideFile("a.gamma: [4] = 1e-6\nb.layer_scale: [4, 1, 1] = 1e-6"))
    #expect(given.notes.isEmpty)
  }

  @Test(arguments: [
    ("skip: randn(10, generator=g)", "line 1: skip randn: expected arguments such as size"),
    ("skip: rand(3, device='cuda')", "line 1: skip rand: expected arguments such as size"),
    ("skip: Linear(3, 4, dtype=torch.float64)", "found 'dtype'"),
    ("skip: LSTMCell(3, 4, True, 5)", "found '5'"),
    ("was fc: Conv2d(4, 4, 3, device='cuda')", "found 'device'"),
  ])
  func `an argument that changes the draws is not ignored`(text: String, message: String) {
    let thrown = #expect(throws: CheckpointError.self) { try SideFile(text) }
    #expect(thrown?.message.contains(message) == true, "\(thrown?.message ?? "")")
  }

  @Test func `a scattered part of a replaced layer is refused, a block is drawn`() throws {
    let text = "Net(\n  (fc): Linear(in_features=6, out_features=2, bias=True)\n)"
    func tree(_ part: String) throws -> Module {
      try Module(
        printed: text,
        sideFile: SideFile("was fc: Linear(6, 20)\nat construction: Linear: weight[\(part)]=normal")
      )
    }
    #expect(throws: CheckpointError.self) { try tree(":, 1:5").initialized(seed: 1) }
    #expect(try tree("0:2").initialized(seed: 1).entries.count == 2)
  }

  @Test func `the order within a module is written before its colon`() throws {
    let thrown = #expect(throws: CheckpointError.self) {
      try Module(printed: Self.text, sideFile: SideFile("blocks.0.order: conv, fc"))
    }
    #expect(
      thrown?.message
        == "line 1: write the order within 'blocks.0' as 'order blocks.0: conv, fc'")
  }

  @Test(arguments: [
    (
      "attn.out_proj.bias <- attn.in_proj_bias[0:3]",
      "expected float32 [3] as in the source, found float32 [2]"
    ),
    ("attn.out_proj.bias <- x[0:3]", "the model has no tensor 'x'"),
    ("attn.out_proj.bias[7] <- attn.in_proj_bias[0]", "[7]: expected indices below the sizes"),
  ])
  func `a copy of a part names what does not match`(line: String, message: String) throws {
    let thrown = #expect(throws: CheckpointError.self) {
      try Module(
        printed: Self.text, sideFile: SideFile("class StdConv2d(Conv2d)\n\(line)"))
    }
    #expect(thrown?.message.hasPrefix("line 2: \(message)") == true, "\(thrown?.message ?? "")")
  }

  @Test(arguments: [
    ("MultiheadAttention(8, 3)", "expected num_heads that divides embed_dim=8, found num_heads=3"),
    (
      "TransformerEncoder(Linear(2, 2), 3)",
      "expected encoder_layer as TransformerEncoderLayer(8, 2)"
    ),
    ("TransformerEncoderLayer(8, 2, device='cuda')", "expected the arguments d_model, nhead"),
    ("AdaptiveLogSoftmaxWithLoss(8, 30, [5, 4])", "expected cutoffs that ascend below n_classes"),
    ("Transformer(8, 2, 999999)", "expected at most 10000 layers, found num_encoder_layers=999999"),
  ])
  func `a call of a composite layer is checked`(call: String, message: String) throws {
    let thrown = #expect(throws: CheckpointError.self) { try Skip(call) }
    #expect(thrown?.message.hasPrefix("'\(call)': \(message)") == true, "\(thrown?.message ?? "")")
  }
}
