import CheckpointKit
import TensorCore
import TestSupport
import Testing

/// Trees of Keras models from their descriptions; `Tools/fixtures/make_keras_models.py` wrote down what the
/// layers in memory were.
@Suite struct KerasTreeTests {
  struct Case: Decodable, CustomStringConvertible {
    struct Tensor: Decodable {
      let name: String
      let `class`: String
      let variable: String
      let initializer: String?
    }
    let file: String
    let tensors: [Tensor]
    var description: String { file }
  }

  struct Layout: Decodable {
    let file: String
    let tensors: [GoldenTensor]
  }

  static let cases = Result {
    try ["trees", "trees2"].flatMap {
      try Fixtures.cases("keras-models/\($0).json", as: Case.self)
    }
  }
  static let files = ["base", "parts", "int8", "own", "keras2.15"].flatMap {
    ["\($0).keras", "\($0).h5"]
  }

  private func open(_ file: String) throws -> Checkpoint {
    try CheckpointSource.open(Fixtures.path("keras-models/" + file)).checkpoint
  }

  @Test(arguments: files)
  func `every tensor has its layer's class, its own name, and Keras's initializer`(
    file: String
  ) throws {
    let wanted = try #require(try Self.cases.get().first { $0.file == file }).tensors
    let checkpoint = try open(file)
    let tree = try checkpoint.tree()
    #expect(wanted.count == checkpoint.entries.count && !tree.isInferred)
    let tensors = Dictionary(
      tree.module.stateDict().map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    #expect(tensors.count == wanted.count)
    for entry in wanted {
      let name = try #require(tree.names[TensorName(entry.name)], "\(entry.name)")
      let (path, leaf) = name.parentAndLeaf
      // Keras does not write down the class of a layer that a layer of one's own makes.
      let kind = entry.class == "Block" ? "Layer" : entry.class
      #expect(tree.module[path]?.kind == kind, "\(entry.name): \(name)")
      #expect(leaf == (kind == "Layer" && leaf == "0" ? "0" : entry.variable))
      let tensor = try #require(tensors[name])
      #expect(tensor.shape == checkpoint.entries.first { $0.name.text == entry.name }?.info.shape)
      if file.hasPrefix("own") { continue }
      switch entry.initializer {
      case "Zeros", "Ones": #expect(tensor.initializer != nil, "\(name)")
      case let own?:
        #expect(tensor.initializer == nil)
        #expect(tensor.reason?.hasPrefix("drawn by Keras's \(own)") == true, "\(name)")
      case nil: #expect(tensor.initializer == nil && tensor.reason != nil, "\(name)")
      }
    }
  }

  @Test func `layers stand where their users put them`() throws {
    for file in ["parts.keras", "parts.h5"] {
      let tree = try open(file).tree().module
      for (path, kind) in [
        ("shared", "Dense"), ("encoder", "Sequential"), ("encoder.first", "Dense"),
        ("both.forward_lstm", "LSTM"), ("steps.inside", "Dense"), ("scaled", "Normalization"),
        ("cells.stacked_rnn_cells.gru_cell", "GRUCell"), ("attention", "MultiHeadAttention"),
      ] {
        #expect(tree[path]?.kind == kind, "\(file): \(path)")
      }
      #expect(tree["batch"]?.arguments.contains("scale=False") == true)
    }
    let base = try open("base.keras").tree().module
    #expect(base.kind == "Sequential")
    #expect(base["vgg16.block1_conv1"]?.kind == "Conv2D")
    #expect(
      base["top"]?.arguments
        == "units=2, activation='linear', use_bias=True, "
        + "kernel_initializer=RandomNormal(mean=0.0, stddev=0.01), bias_initializer=Zeros")
  }

  @Test(arguments: ["base", "parts", "int8"], [".keras", ".h5"])
  func `models inside models, cells, equations, and integers have PyTorch's tensors`(
    model: String, ending: String
  ) throws {
    let layouts = try Fixtures.cases("keras-models/torch.json", as: Layout.self)
    let wanted = try #require(layouts.first { $0.file == model }).tensors
    let result = try KerasLayout.toTorch(try open(model + ending))
    let found = try result.checkpoint.entries.map { try GoldenTensor($0) }
    #expect(Set(found).isSuperset(of: wanted))
    let left = found.filter { !wanted.contains($0) }.map(\.name)
    #expect(left.count == (model == "parts" ? 6 : 0))
    #expect(left.allSatisfy { ["norm", "scal", "befo", "gru/", "laye"].contains($0.prefix(4)) })
    if model == "int8" { return }
    let back = try KerasLayout.toKeras(result.checkpoint, like: try open(model + ending)).checkpoint
    let original = try open(model + ending).entries.map { try GoldenTensor($0) }
    #expect(Set(try back.entries.map { try GoldenTensor($0) }) == Set(original))
  }

  @Test func `integers cannot be written back`() throws {
    let like = try open("int8.keras")
    let there = try KerasLayout.toTorch(like).checkpoint
    let error = #expect(throws: CheckpointError.self) {
      _ = try KerasLayout.toKeras(there, like: like)
    }
    #expect(error?.message.contains("layer 'wide' cannot be built") == true)
    #expect(error?.message.contains("its weights are quantized") == true)
  }

  @Test func `transformers' TensorFlow names are PyTorch's`() throws {
    let result = try KerasLayout.toTorch(try open("tf_model.h5")).checkpoint
    #expect(
      Set(result.entries.map { "\($0.name) \($0.info.shape)" }) == [
        "bert.embeddings.word_embeddings.weight [9, 4]",
        "bert.embeddings.position_embeddings.weight [5, 4]",
        "bert.embeddings.LayerNorm.weight [4]", "bert.embeddings.LayerNorm.bias [4]",
        "bert.encoder.layer.0.attention.self.query.weight [6, 4]",
        "bert.encoder.layer.0.attention.self.query.bias [6]",
        "bert.encoder.layer.0.attention.output.dense.weight [4, 6]",
        "bert.encoder.layer.0.attention.output.dense.bias [4]",
        "bert.encoder.layer.1.conv.weight [5, 4, 3, 2]",
        "bert.encoder.layer.1.c_attn.weight [4, 3]", "bert.encoder.layer.1.c_attn.bias [3]",
        "bert.cls_token [1, 1, 4]", "cls.predictions.bias [9]", "classifier.weight [2, 4]",
        "classifier.bias [2]",
      ])
    let tree = try open("tf_model.h5").tree()
    #expect(tree.isInferred)
    #expect(tree.module["bert.encoder.layer.0.attention.self.query"]?.kind == "Dense")
  }

  @Test func `files of Keras 1 and 2 describe their layers`() throws {
    let first = try open("keras1.h5")
    let tree = try first.tree()
    #expect(tree.names["dense_1_W:0"] == "dense_1.W" && tree.names["bn_gamma:0"] == "bn.gamma")
    #expect(
      tree.module.stateDict().first { $0.name == "dense_1.W" }?.reason?.contains("GlorotUniform")
        == true)
    #expect(tree.module.stateDict().first { $0.name == "bn.gamma" }?.initializer != nil)
    #expect(
      try KerasLayout.toTorch(first).checkpoint.entries.map(\.name) == [
        "dense_1.weight", "dense_1.bias", "bn.weight", "bn.bias", "bn.running_mean",
        "bn.running_var",
      ])
    let second = try open("keras2.h5").tree().module
    #expect(second["bidirectional_1.backward_lstm_1"]?.kind == "LSTM")
    #expect(second["renamed"]?.kind == "Dense")
    let torch = try KerasLayout.toTorch(try open("keras2.h5")).checkpoint
    #expect(torch.entries.contains { $0.name == "bidirectional_1.weight_hh_l0_reverse" })
    #expect(torch.entries.contains { $0.name == "renamed.weight" && $0.info.shape == [2, 4] })
  }

  // MARK: - Descriptions that nobody has checked

  private func described(_ config: String, _ names: String...) throws -> Checkpoint {
    Checkpoint(
      entries: try names.map {
        try Checkpoint.Entry(memory: TensorName($0), [1, 2, 3, 4], shape: [2, 2])
      }, metadata: ["config.json": config])
  }

  private func list(_ layers: String) -> String {
    #"{"class_name": "Sequential", "config": {"name": "s", "layers": [\#(layers)]}}"#
  }

  @Test func `a description that is cut, nested too deep, or of too many layers is refused`() throws
  {
    let open = #"{"class_name": "Sequential", "config": {"layers": ["#
    let layer = #"{"class_name": "A", "config": {}}"#
    for (text, message) in [
      (open, "config.json, byte 51: "),
      (
        String(repeating: open, count: 1000),
        "config.json, byte 2192: nested deeper than 128 levels"
      ),
      (
        list(Array(repeating: layer, count: 200_000).joined(separator: ",")),
        "expected at most 200000 layers in the model's description, found more"
      ),
    ] {
      let error = #expect(throws: CheckpointError.self) {
        _ = try described(text, "layers/dense/vars/0").tree()
      }
      #expect(error?.message.hasPrefix(message) == true, "\(error?.description ?? "")")
    }
  }

  @Test func `names that repeat, are empty, or hold dots are told apart`() throws {
    let layers = ["a.b", "a_b", "", "", "a.b"].map {
      #"{"class_name": "Dense", "config": {"name": "\#($0)"}}"#
    }
    let tree = try described(
      list(layers.joined(separator: ",")), "layers/dense/vars/0", "layers/dense_1/vars/0",
      "layers/dense_4/vars/0"
    ).tree()
    #expect(
      Set(tree.module.stateDict().map(\.name)) == ["a_b.kernel", "a_b_2.kernel", "a_b_3.kernel"])
    #expect(tree.module.children().count == 5)
  }

  @Test func `a layer that two models share has its tensors at the first place`() throws {
    let shared = #"{"class_name": "Dense", "config": {"name": "shared"}}"#
    let models = ["one", "two"].map {
      #"{"class_name": "Sequential", "config": {"name": "\#($0)", "layers": [\#(shared)]}}"#
    }
    let tree = try described(
      list(models.joined(separator: ",")), "layers/sequential/layers/dense/vars/0"
    ).tree()
    #expect(tree.module.stateDict().map(\.name) == ["one.shared.kernel"])
    #expect(tree.module["two.shared"]?.kind == "Dense")
  }

  @Test func `of two layers of one name, the outer one is meant unless the model is named`() throws
  {
    let dense = #"{"class_name": "Dense", "config": {"name": "dense"}}"#
    let inner =
      #"{"class_name": "Sequential", "config": {"name": "base", "layers": [\#(dense)]}}"#
    var checkpoint = try described(
      list("\(inner),\(dense)"), "base/dense/kernel", "dense/kernel")
    checkpoint.setText(#"{"base": "base", "dense": "dense"}"#, for: "keras.layers")
    let names = try checkpoint.tree().names
    #expect(names["base/dense/kernel"] == "base.dense.kernel")
    #expect(names["dense/kernel"] == "dense.kernel")
  }

  @Test func `metadata of the same name that is not Keras's is left alone`() throws {
    for text in [#"{"hidden_size": 8}"#, "{", "[]", #"{"class_name": 7}"#, "class_name"] {
      let tree = try described(text, "fc.weight").tree()
      #expect(tree.module.stateDict().map(\.name) == ["fc.weight"])
    }
  }

  @Test func `names of many levels are not layers of as many`() throws {
    let many = String(repeating: "a/", count: 100_000)
    let tree = try described(list(""), "layers/dense/vars/0", many + "vars/0").tree()
    #expect(tree.module.stateDict().count == 2)
    let lists = String(repeating: "a_._", count: 100_000) + "a"
    var labeled = try described(list(""), "tf_m/x/kernel:0", "tf_m/\(lists)/kernel:0")
    labeled.setText(#"{"tf_m/x": "\#(many)"}"#, for: "keras.layers")
    let named = try labeled.tree().module
    #expect(named.stateDict().count == 2)
    #expect(named.modules().count < 10)
    _ = try KerasLayout.toTorch(labeled)
  }
}
