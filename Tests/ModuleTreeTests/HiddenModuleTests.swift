import ModuleTree
import ParallelWork
import TensorCore
import TestSupport
import Testing
import TorchRandom

@Suite struct HiddenModuleTests {
  static let cases = (try? Golden.hiddenModules()) ?? []

  @Test func `the goldens are all here`() {
    #expect(Self.cases.count == 47)
  }

  @Test(arguments: cases)
  func `a side file with what text hides gives torch's bytes`(golden: Golden.ModuleCase) throws {
    let printed = try Module(printed: golden.repr, sideFile: SideFile(golden.extra ?? ""))
    #expect(printed.description == golden.repr)
    let described = try Module(json: printed.json())
    for tree in [printed, described] {
      let dtype = try #require(DType(named: golden.dtype))
      var plan = try Initialization(of: tree, dtype: dtype, generator: Generator(seed: golden.seed))
      try plan.construct()
      let entries = try plan.entries()
      let hasNote = tree.notes.contains { $0.contains("within 2e-6") }
      #expect(hasNote == golden.construct.tensors.contains { $0.name.hasSuffix("._u") })
      #expect(entries.map(\.name.text) == golden.construct.tensors.map(\.name))
      #expect(
        entries.filter { $0.alias != nil }.map(\.name.text)
          == (golden.shared ?? []).flatMap { $0.dropFirst() })
      for (entry, tensor) in zip(entries, golden.construct.tensors) {
        #expect(entry.info.dtype.torchName == tensor.dtype, "\(tensor.name)")
        #expect(entry.info.shape == tensor.shape, "\(tensor.name)")
        if let values = tensor.values {
          try expectNear(entry, values)
        } else {
          #expect(try entry.digest() == tensor.sha256, "\(tensor.name)")
        }
      }
      #expect(plan.generator.position.words == golden.construct.rng_after.next_u32)
      #expect(plan.generator.position.cached == golden.construct.rng_after.cached_normal_f64_le)
    }
  }

  private func expectNear(_ entry: Checkpoint.Entry, _ values: [Double]) throws {
    var buffer = ChunkBuffer(capacity: entry.info.byteCount)
    var found: [Double] = []
    try entry.forEachChunk(using: &buffer) { _, bytes in
      ElementConversion.decode(bytes, as: entry.info.dtype, into: &found)
    }
    #expect(found.count == values.count)
    for (one, other) in zip(found, values) { #expect(abs(one - other) < 2e-6, "\(entry.name)") }
  }

  @Test func `classes recognized by their text are named in a note and stand for their base`()
    throws
  {
    let tree = try Module(
      printed: """
        Net(
          (a): Conv2dSame(3, 8, kernel_size=(3, 3), stride=(2, 2), bias=False)
          (b): Conv2dSame(8, 8, kernel_size=(3, 3), stride=(2, 2))
          (c): BatchNormAct2d(
            8, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True
            (act): ReLU()
          )
          (d): Conv1D(nf=4, nx=2)
          (e): Gemma2RMSNormish((4,), eps=1e-06)
        )
        """, sideFile: SideFile("class Gemma2RMSNormish(Module)"))
    #expect(
      tree.notes == [
        "Conv2dSame is not a torch.nn class; treated as Conv2d because it prints like one: "
          + "a and 1 more",
        "BatchNormAct2d is not a torch.nn class; treated as BatchNorm2d because it prints like one: c",
        "Conv1D is not a torch.nn class; treated as the Conv1D of transformers: d",
      ])
    let convolutions = try SelectedTensors(Selector("_ConvNd"), in: tree)
    #expect(try convolutions.contains("b.bias") && !convolutions.contains("c.weight"))
    #expect(try Module(labels: tree.labels)["c"]?.stateDict().count == 5)
  }

  @Test func `tables of angles are treated as empty, with a note`() throws {
    let tree = try Module(printed: "Net(\n  (rotary_emb): LlamaRotaryEmbedding()\n)")
    #expect(tree.stateDict().isEmpty)
    #expect(
      tree.notes == [
        "LlamaRotaryEmbedding is assumed to own no tensors that state_dict() lists: rotary_emb"
      ])
    #expect(throws: CheckpointError.self) { try Module(printed: "RotaryEmbedding(dim=4)") }
    #expect(throws: CheckpointError.self) { try Module(printed: "ScaledEmbedding()") }
  }

  @Test(arguments: [
    "Linear4bit(in_features=2, out_features=2, bias=True)",
    "Table(3, 4, norm=2, dim=4)",
  ])
  func `classes that print alike and begin otherwise are not guessed`(text: String) {
    #expect(throws: CheckpointError.self) { try Module(printed: text) }
  }

  static let fc = "(fc): Linear(in_features=2, out_features=2, bias=True)"

  /// Children whose text shows no sizes, as in programs of torch.export, torch.fx, and torch.jit.
  @Test(arguments: ["Module", "InterpreterModule", "WeakScriptModuleProxy", "TracedModule"])
  func `a module of a compiled program shows nothing`(kind: String) throws {
    let text = "Net(\n  (0): \(kind)()\n  \(Self.fc)\n)"
    let thrown = #expect(throws: CheckpointError.self) { try Module(printed: text) }
    #expect(
      thrown?.message.hasPrefix("line 2, column 8: \(kind)() shows no tensors and no sizes") == true
    )
    let none = try SideFile("class \(kind)(Module)")
    #expect(try Module(printed: text, sideFile: none).stateDict().count == 2)
    #expect(try Module(printed: text, sideFile: SideFile("0.w: [3]")).stateDict().count == 3)
    let nested = text.replacing("()", with: "(\n    (a): ReLU()\n  )")
    #expect(try Module(printed: nested).stateDict().count == 2)
  }

  /// The code below `torch.fx.symbolic_trace(net)` of PyTorch 2.15.
  static let graph = """
    B(
      (layers): Module(
        (0): Module(
          \(fc)
        )
      )
      (h): Linear(in_features=2, out_features=2, bias=True)
    )



    def forward(self, x):
        x, = fx_pytree.tree_flatten_spec(([x], {}), self._in_spec)
        layers_0_fc = getattr(self.layers, "0").fc(x);  x = None
        layers_0_p = getattr(self.layers, "0").p
        add = layers_0_fc + layers_0_p;  layers_0_fc = layers_0_p = None
        h_weight = self.h.weight
        h_gain = self.h.gain;  h_gain = None
        _tensor_constant0 = self._tensor_constant0
        return linear
    """

  @Test func `what the code of a graph module reads is not left out in silence`() throws {
    for text in [Self.graph, Self.graph + "\n# To see more debug info, use `g.print_readable()`"] {
      let tree = try Module(printed: text)
      let thrown = #expect(throws: CheckpointError.self) { try tree.requireComplete() }
      #expect(
        thrown?.message.hasPrefix(
          "B (the model itself) may own tensors that printed text does not show, such as "
            + "_tensor_constant0; so do Module, Linear; ") == true)
      #expect(tree.undetermined.map(\.path) == ["", "layers.0", "h"])
      let sideFile = try SideFile(
        "layers.0.p: [2]\nh.gain: [1]\n_tensor_constant0: [2] = 1")
      try Module(printed: text, sideFile: sideFile).requireComplete()
    }
    // Code of one's own below a model: what is assigned has another name.
    let own =
      "Net(\n  \(Self.fc)\n)\ndef forward(self, x):\n    n = self.size\n    y = self.fc(x)\n"
    try Module(printed: own).requireComplete()
  }

  @Test func `a printed parameter is not left out in silence`() throws {
    let text = """
      Sequential(
        (0): W(
          w=Parameter containing:
          tensor([[-0.1665,  0.1691],
                  [ 1.3670,  0.9470]], requires_grad=True), k=3
          \(Self.fc)
        )
      )
      """
    let thrown = #expect(throws: CheckpointError.self) {
      try Module(printed: text).requireComplete()
    }
    #expect(thrown?.message.hasPrefix("W ('0') may own tensors") == true)
    #expect(thrown?.message.contains("such as w;") == true)
    try Module(printed: text, sideFile: SideFile("0.w: [2, 2]")).requireComplete()
    try Module(printed: text, sideFile: SideFile("class W(Module)")).requireComplete()
    let listed = "Net(\n  (w): Parameter containing: [torch.float32 of size 2]\n  \(Self.fc)\n)"
    #expect(throws: CheckpointError.self) { try Module(printed: listed) }
  }

  @Test func `what quantization observes is not left out in silence`() throws {
    let observed = try Module(
      printed: """
        Net(
          (fc): Linear(
            in_features=2, out_features=2, bias=True
            (weight_fake_quant): FusedMovingAvgObsFakeQuantize(
              fake_quant_enabled=tensor([1]), observer_enabled=tensor([1]), dtype=torch.qint8
              (activation_post_process): MovingAverageMinMaxObserver(min_val=inf, max_val=-inf)
            )
            (activation_post_process): HistogramObserver(min_val=inf, max_val=-inf)
          )
          (last): PlaceholderObserver(dtype=torch.float32, is_dynamic=False)
        )
        """)
    #expect(
      observed.undetermined.map(\.kind) == [
        "FusedMovingAvgObsFakeQuantize", "MovingAverageMinMaxObserver", "HistogramObserver",
      ])
  }

  @Test func `an averaged model counts its updates`() throws {
    let averaged = try Module(
      printed: "AveragedModel(\n  \(Self.fc.replacing("fc", with: "module"))\n)")
    #expect(
      averaged.stateDict().map { "\($0.name) \($0.shape)" } == [
        "n_averaged []", "module.weight [2, 2]", "module.bias [2]",
      ])
    let counter = try #require(try averaged.initialized(seed: 7).entries.first)
    #expect(counter.info.dtype == .int64)
    #expect(try "\(counter.digest(.sha256))" == Self.zeros)
    try averaged.requireComplete()
    #expect(averaged.notes.isEmpty)
    let other = try Module(printed: "AveragedModel(\n  \(Self.fc)\n)")
    #expect(other.stateDict().count == 2)
    // What is inside may be a library's.
    let inner = try Module(
      printed: "AveragedModel(\n  (module): ViT(\n    (ls): LayerScale()\n    \(Self.fc)\n  )\n)")
    #expect(inner.undetermined.map(\.path) == ["module.ls"])
  }

  @Test func `a Transformer without final norms is not torch's`() throws {
    let golden = try Self.transformer()
    let noted = golden.notes.filter { $0.hasPrefix("Transformer is taken to be torch.nn's") }
    #expect(noted == golden.notes && noted.count == 1 && golden.layer is Transformer)
    let text = golden.description.split(separator: "\n", omittingEmptySubsequences: false)
    let less = text.filter { !$0.hasPrefix("    (norm)") }.joined(separator: "\n")
    let own = try Module(printed: less)
    #expect(own.layer == nil && own["encoder"]?.layer is TransformerStack)
    #expect(
      own.notes == [
        "TransformerEncoder is taken to be torch.nn's, which copies one layer; if it is your own "
          + "class, say so with --extra, 'class TransformerEncoder(Module)': encoder"
      ])
    let told = try Module(
      printed: golden.description, sideFile: SideFile("class Transformer(Module)"))
    #expect(told.layer == nil)
    let layers = try Module(
      printed: golden.description,
      sideFile: SideFile("class Transformer(Module)\nclass TransformerEncoder(Module)"))
    #expect(layers["encoder"]?.layer == nil && layers.notes.isEmpty)
  }

  /// The digest of 8 bytes that are 0.
  private static let zeros = "af5570f5a1810b7af78caf4bc70a660f0df51e42baf91d4de5b2328de0e83dfc"

  private static func transformer() throws -> Module {
    try Module(
      printed: Transformer(4, encoderLayers: 2, decoderLayers: 1, feedforward: 8).module.description
    )
  }

  @Test(arguments: [
    "LazyLinear(in_features=0, out_features=5, bias=True)",
    "LazyConv2d(0, 8, kernel_size=(3, 3), stride=(1, 1))",
    "LazyConvTranspose1d(0, 8, kernel_size=(3,), stride=(1,))",
    "LazyBatchNorm2d(0, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)",
    "LazyInstanceNorm1d(0, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)",
  ])
  func `a lazy layer has no tensors before a batch`(text: String) {
    let thrown = #expect(throws: CheckpointError.self) {
      try Module(printed: "Sequential(\n  (0): \(text)\n)")
    }
    #expect(
      thrown?.message.hasPrefix(
        "line 2, column 8: \(text.prefix { $0 != "(" }) has no tensors until the model has run one batch"
      ) == true)
  }

  @Test(arguments: [
    "Linear(in_features=4, out_features=4, bias=True, rank=2)",
    "Conv2d(1, 1, kernel_size=(1, 1), stride=(1, 1), padding=(0, 0), rank=4)",
    "Embedding(4, 4, scale=True)",
  ])
  func `a class that prints more than torch's is another one`(text: String) throws {
    let nested = "Net(\n  (a): \(text)\n)"
    let thrown = #expect(throws: CheckpointError.self) { try Module(printed: nested) }
    let kind = text.prefix { $0 != "(" }
    #expect(
      thrown?.message.contains("does not print like torch.nn's \(kind); say in the --extra file")
        == true)
    let told = try Module(printed: nested, sideFile: SideFile("class \(kind)(\(kind))"))
    #expect(!told.stateDict().isEmpty)
    let given = try Module(printed: nested, sideFile: SideFile("a.w: [4]"))
    #expect(given.stateDict().map(\.name) == ["a.w"])
  }
}
