import ModuleTree
import TensorCore
import TestSupport
import Testing

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
        "inferred 14 modules: 3 Linear, 1 BatchNorm2d, 1 Conv1d, 1 Conv2d, 1 Conv3d, 1 Embedding, "
          + "1 GRU, 1 LSTM, 1 LayerNorm, 1 MultiheadAttention, 1 RMSNorm, 1 RNNCell",
        "no class inferred for the tensors of 2 modules: odd, the model itself",
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
    #expect(linear.notes == ["inferred 1 module: 1 Linear"])
  }

  @Test func `weights that match no class are kept but cannot be redrawn`() throws {
    let model = try Self.infer(["a.weight": [2, 3], "a.bias": [7], "b.weight_ih_l0": [3]])
    #expect(model.tree.stateDict().count == 3)
    #expect(model.tree.parameters().allSatisfy { $0.initializer == nil })
    #expect(throws: CheckpointError.self) {
      try Self.infer([String(repeating: "a.", count: 5_000) + "w": [1]])
    }
  }
}
