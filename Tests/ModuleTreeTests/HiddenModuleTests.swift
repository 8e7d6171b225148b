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
    #expect(convolutions.contains("b.bias") && !convolutions.contains("c.weight"))
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
}
