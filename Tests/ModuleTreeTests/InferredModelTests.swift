import ModuleTree
import TensorCore
import TestSupport
import Testing
import TorchRandom

@Suite struct InferredModelTests {
  static func infer(_ tensors: KeyValuePairs<String, [Int]>) throws -> InferredModel {
    try InferredModel(
      tensors.map { (TensorName($0.key), try TensorInfo(dtype: .float32, shape: $0.value)) })
  }

  @Test func `classes follow from names and shapes`() throws {
    let model = try Self.infer([
      "conv.weight": [8, 3, 7, 7], "bn.weight": [8], "bn.bias": [8], "bn.running_mean": [8],
      "bn.running_var": [8], "c1.weight": [4, 2, 3], "c1.bias": [4], "c3.weight": [2, 1, 1, 2, 3],
      "layers.0.fc.weight": [5, 4], "layers.0.fc.bias": [5], "layers.1.fc.weight": [5, 4],
      "norm.weight": [4], "norm.bias": [4], "rms_norm.weight": [4], "wte.weight": [50, 12],
      "rnn.weight_ih_l0": [12, 5], "rnn.weight_hh_l0": [12, 3], "rnn.bias_ih_l0": [12],
      "rnn.bias_hh_l0": [12], "gru.weight_ih_l0": [9, 5], "gru.weight_hh_l0": [9, 3],
      "cell.weight_ih": [3, 5], "cell.weight_hh": [3, 3], "attn.in_proj_weight": [12, 4],
      "attn.in_proj_bias": [12], "attn.out_proj.weight": [4, 4], "attn.out_proj.bias": [4],
      "cls": [1, 1, 4], "odd.gamma": [3],
    ])
    func kind(_ path: String) -> String? { model.tree[path]?.kind }
    #expect(kind("conv") == "Conv2d" && kind("c1") == "Conv1d" && kind("c3") == "Conv3d")
    #expect(kind("bn") == "BatchNorm2d" && kind("norm") == "LayerNorm")
    #expect(kind("rms_norm") == "RMSNorm" && kind("wte") == "Embedding")
    #expect(kind("rnn") == "LSTM" && kind("gru") == "GRU" && kind("cell") == "RNNCell")
    #expect(kind("attn") == "MultiheadAttention" && kind("attn.out_proj") == "Linear")
    #expect(kind("layers") == "Sequential" && kind("layers.0.fc") == "Linear")
    #expect(kind("odd") == "Module" && kind("") == "Module")
    #expect(
      model.notes == [
        "inferred 3 Linear and 11 more classes",
        "no class inferred for 2 modules such as odd",
      ])
    #expect(model.tree["conv"]?.arguments == "3, 8, kernel_size=(7, 7), stride=(1, 1), bias=False")
  }

  @Test(arguments: (try? Golden.nets()) ?? [])
  func `every tensor of a real net is in the guessed tree once`(golden: Golden.NetCase) throws {
    let tensors = try golden.construct.tensors.map { tensor in
      (
        name: TensorName(tensor.name),
        info: try TensorInfo(
          dtype: try #require(DType(named: tensor.dtype)), shape: tensor.shape)
      )
    }
    let tree = try InferredModel(tensors).tree
    let found = tree.stateDict()
    #expect(Set(found.map(\.name)) == Set(tensors.map(\.name)))
    #expect(found.count == tensors.count)
    #expect(
      found.allSatisfy { tensor in
        tensors.contains { $0.name == tensor.name && $0.info.shape == tensor.shape }
      })
    _ = try Module(labels: tree.labels)
  }

  @Test func `a layer draws in its own order, whatever the file's`() throws {
    let sorted = try Self.infer([
      "fc.bias": [5], "fc.extra": [2], "fc.weight": [5, 4], "bn.bias": [3],
      "bn.num_batches_tracked": [],
      "bn.running_mean": [3], "bn.running_var": [3], "bn.weight": [3],
    ])
    #expect(
      sorted.tree.stateDict().map(\.name.text) == [
        "fc.bias", "fc.extra", "fc.weight", "bn.weight", "bn.bias", "bn.running_mean",
        "bn.running_var", "bn.num_batches_tracked",
      ])
    let linear = try Self.infer(["fc.bias": [5], "fc.weight": [5, 4]])
    #expect(linear.tree.stateDict().map(\.name.text) == ["fc.weight", "fc.bias"])
    #expect(linear.notes == ["inferred 1 Linear"])
  }

  @Test func `weights that match no class are kept but cannot be redrawn`() throws {
    let model = try Self.infer(["a.weight": [2, 3], "a.bias": [7], "b.weight_ih_l0": [3]])
    #expect(model.tree.stateDict().count == 3)
    #expect(model.tree.parameters().allSatisfy { $0.initializer == nil })
    #expect(throws: CheckpointError.self) {
      try Self.infer([String(repeating: "a.", count: 5_000) + "w": [1]])
    }
  }

  /// Every layer with tensors of its own in PyTorch's printed texts, whose values are known.
  static let layers = LayerContract.layers.filter { module in
    !(module.layer is ParameterCollection) && KnownLayers.library(of: module.kind) == nil
      && !(module.ownParameters.isEmpty && module.ownBuffers.isEmpty)
      && module.ownParameters.allSatisfy { $0.initializer != nil }
  }

  @Test(arguments: layers.indices)
  func `a layer is inferred with its own draws, or is among the choices`(index: Int) throws {
    let layer = try #require(Self.layers[index].layer)
    let found = try inferred(layer)
    let kind = layer.kind == "NonDynamicallyQuantizableLinear" ? "Linear" : layer.kind
    #expect(found.possibleKinds.contains(kind), "\(layer.kind) \(layer.arguments)")
    let isAmbiguous = found.ownParameters.contains { $0.initializer == nil }
    if isAmbiguous {
      #expect(found.ownParameters.allSatisfy { $0.initializer == nil && $0.reason != nil })
      return
    }
    #expect(
      try values(of: found.ownParameters) == values(of: layer.parameters),
      "\(layer.kind) \(layer.arguments)")
  }

  @Test func `most layers are inferred without a choice`() throws {
    let certain = try Self.layers.count { module in
      try inferred(#require(module.layer)).ownParameters.allSatisfy { $0.initializer != nil }
    }
    #expect(certain > Self.layers.count / 2, "\(certain) of \(Self.layers.count)")
  }

  /// What the tensors of a layer alone tell.
  private func inferred(_ layer: any Layer) throws -> Module {
    let tensors =
      layer.parameters.map { ($0.name, $0.shape, DType.float32) }
      + layer.buffers.filter(\.isPersistent).map { ($0.name, $0.shape, $0.dtype ?? .float32) }
    let model = try InferredModel(
      tensors.map { (TensorName("at." + $0.0), try TensorInfo(dtype: $0.2, shape: $0.1)) })
    return try #require(model.tree["at"])
  }

  private func values(of parameters: [Parameter]) throws -> [[UInt8]] {
    var generator = Generator(seed: 9)
    return try parameters.map { parameter in
      let info = try TensorInfo(dtype: .float32, shape: parameter.shape)
      return try #require(parameter.initializer).fill(for: info).bytes(of: info, from: &generator)
    }
  }

  @Test(
    arguments: [
      (["weight": [8]], "LayerNorm, RMSNorm, PReLU, …"),
      (["weight": [6, 4]], "Linear, Embedding, …"),
      (["weight": [8, 4, 3], "bias": [8]], "Conv1d, ConvTranspose1d, or Bilinear"),
      (["weight": [7, 4, 3], "bias": [7]], "Conv1d or Bilinear"),
    ] as [([String: [Int]], String)])
  func `the classes that draw other values are named`(
    tensors: [String: [Int]], list: String
  ) throws {
    let inferred = try InferredModel(
      tensors.sorted { $0.key > $1.key }.map {
        (TensorName("x." + $0.key), try TensorInfo(dtype: .float32, shape: $0.value))
      })
    let reason = try #require(inferred.tree["x"]?.ownParameters.first?.reason)
    #expect(reason == "without a module tree it may be \(list); pass --model")
  }

  @Test func `transformers' Conv1D counts where only it has the tensors of some layer`() throws {
    let square = try Self.infer(["h.c_proj.weight": [4, 4], "h.c_proj.bias": [4]])
    #expect(square.tree["h.c_proj"]?.possibleKinds == ["Linear"])
    let both = try Self.infer([
      "h.c_attn.weight": [4, 12], "h.c_attn.bias": [12], "h.c_proj.weight": [4, 4],
      "h.c_proj.bias": [4],
    ])
    #expect(both.tree["h.c_attn"]?.possibleKinds == ["Conv1D"])
    #expect(both.tree["h.c_proj"]?.possibleKinds == ["Conv1D", "Linear"])
    #expect(both.tree["h.c_proj"]?.ownParameters.first?.initializer == nil)
  }

  @Test func `what attention makes itself is a Linear, without a bias too`() throws {
    let model = try Self.infer(["a.in_proj_weight": [12, 4], "a.out_proj.weight": [4, 4]])
    #expect(model.tree["a.out_proj"]?.possibleKinds == ["Linear"])
    #expect(model.tree["a.out_proj"]?.ownParameters.first?.initializer != nil)
  }

  @Test func `classes and arguments that tensors leave open are marked`() throws {
    let model = try Self.infer([
      "dw.weight": [32, 1, 3, 3], "dw.bias": [32], "stem.weight": [32, 3, 3, 3], "stem.bias": [32],
      "bn.weight": [8], "bn.bias": [8], "bn.running_mean": [8], "bn.running_var": [8],
      "norm.weight": [8], "norm.bias": [8], "group_norm.weight": [8], "group_norm.bias": [8],
      "fc.weight": [3, 2], "fc.bias": [3], "net.0.weight": [3, 2], "net.0.bias": [3],
      "emb.weight": [7, 3], "lstm.weight_ih_l0": [12, 5], "lstm.weight_hh_l0": [12, 3],
    ])
    #expect(
      model.tree.markingGuesses.description == """
        Module(
          (dw): Conv2d?(1?, 32, kernel_size=(3, 3), stride=(1, 1)?)
          (stem): Conv2d(3?, 32, kernel_size=(3, 3), stride=(1, 1)?)
          (bn): BatchNorm2d?(8, eps=1e-05?, momentum=0.1?, affine=True, bias=True, track_running_stats=True)
          (norm): LayerNorm?((8,), eps=1e-05?, elementwise_affine=True, bias=True)
          (group_norm): GroupNorm?(1?, 8, eps=1e-05?, affine=True, bias=True)
          (fc): Linear(in_features=2, out_features=3, bias=True)
          (net): Sequential?(
            (0): Linear(in_features=2, out_features=3, bias=True)
          )
          (emb): Embedding?(7, 3)
          (lstm): LSTM(5, 3, bias=False)
        )
        """)
  }

  @Test func `an alternative gives every module one of its classes`() throws {
    let model = try Self.infer([
      "a.weight": [5, 4], "b.weight": [6], "odd.gamma": [3], "c.weight": [3, 2], "c.bias": [3],
    ])
    let trees = model.alternatives(limit: 64)
    // Norms of two dimensions draw other values than Linear and Embedding.
    #expect(trees.count == 3 * 2)
    #expect(Set(trees.map { "\($0["a"]?.kind ?? "") \($0["b"]?.kind ?? "")" }).count == 6)
    #expect(trees.allSatisfy { $0.stateDict().map(\.name.text).count == 4 })
    #expect(trees[0]["a"]?.kind == "Linear" && trees[0]["b"]?.kind == "LayerNorm")
    #expect(model.alternatives(limit: 4).count == 4)
  }
}
