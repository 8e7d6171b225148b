import ModuleTree
import ParallelWork
import TensorCore
import TestSupport
import Testing
import TorchRandom

private let Net = ModuleClass("Net")

@Suite struct BuilderTests {
  @Test func `the article's net is written as in Python and prints as PyTorch does`() throws {
    let net = Net(
      layer1: Linear(2, 4), relu1: ReLU(), layer2: Sequential(Linear(4, 2), ReLU(), Linear(2, 2)))
    let golden = try #require(try Golden.article().first)
    #expect(net.description == golden.repr)
    let checkpoint = try net.initialized(seed: golden.seed)
    #expect(try checkpoint.entries.map { try $0.digest() } == golden.tensors.map(\.sha256))
    #expect(try Module(labels: checkpoint.modules).description == golden.repr)
  }

  /// Layers in Swift beside the golden constructor that they stand for.
  static let layers: [(id: String, module: any ModuleConvertible)] = [
    ("m000", Linear(2, 4)), ("m001", Linear(7, 5, bias: false)), ("m003", Bilinear(2, 3, 4)),
    ("m005", Conv1d(4, 6, 3)), ("m006", Conv1d(4, 6, 5, groups: 2, bias: false)),
    ("m007", Conv2d(3, 8, 3)), ("m010", Conv3d(2, 3, 2)), ("m012", ConvTranspose1d(4, 6, 3)),
    ("m013", ConvTranspose2d(4, 6, 3, stride: 2, outputPadding: 1, groups: 2)),
    ("m015", ConvTranspose3d(4, 3, 2)), ("m016", Embedding(10, 3)),
    ("m017", Embedding(3, 5, paddingIndex: 1)), ("m019", EmbeddingBag(10, 3)),
    ("m020", EmbeddingBag(20, 5, mode: "sum", paddingIndex: 2)), ("m021", BatchNorm1d(5)),
    ("m022", BatchNorm2d(5, affine: false)),
    ("m023", BatchNorm3d(4, momentum: nil, tracksStatistics: false)),
    ("m024", BatchNorm2d(6, epsilon: 1e-3, bias: false)), ("m026", InstanceNorm1d(5)),
    ("m027", InstanceNorm2d(5, affine: true)),
    ("m028", InstanceNorm3d(5, affine: true, tracksStatistics: true)), ("m029", LayerNorm(5)),
    ("m030", LayerNorm(3, 4, bias: false)), ("m031", LayerNorm(5, affine: false)),
    ("m032", GroupNorm(2, 6)), ("m033", GroupNorm(3, 6, affine: false)), ("m034", RMSNorm(5)),
    ("m035", RMSNorm(3, 4, epsilon: 1e-6, affine: false)), ("m037", Recurrent(.rnn, 3, 4)),
    ("m039", Recurrent(.lstm, 5, 8)), ("m043", RecurrentCell(.rnn, 3, 4)),
    ("m047", RecurrentCell(.gru, 3, 5, bias: false)), ("m048", MultiheadAttention(8)),
    ("m050", MultiheadAttention(8, keySize: 4, valueSize: 6, addsKeyAndValue: true)),
    ("m051", TransformerLayer(.encoder, 8, feedforward: 16)),
    ("m052", TransformerLayer(.decoder, 8, feedforward: 16)),
    ("m053", TransformerStack(TransformerLayer(.encoder, 8, feedforward: 16), count: 3)),
    (
      "m054",
      TransformerStack(
        TransformerLayer(.decoder, 8, feedforward: 16), count: 2, norm: LayerNorm(8))
    ),
    ("m055", Transformer(16, encoderLayers: 2, decoderLayers: 2, feedforward: 32)),
    ("m056", PReLU()), ("m057", PReLU(7, initial: 0.1)),
    ("m058", AdaptiveLogSoftmax(16, classes: 100, cutoffs: [10, 40])),
    (
      "m061",
      ModuleDict([
        "a": ReLU(), "b": Recurrent(.gru, 2, 3), "c": Sequential(),
      ])
    ),
  ]

  @Test(arguments: layers.map(\.id))
  func `a layer built in Swift prints and begins as torch's does`(id: String) throws {
    let module = try #require(Self.layers.first { $0.id == id }).module.module
    let golden = try #require(try Golden.modules().first { $0.id == id })
    #expect(module.description == golden.repr)
    let entries = try module.initialized(seed: golden.seed).entries
    #expect(entries.map(\.name.text) == golden.construct.tensors.map(\.name))
    #expect(try entries.map { try $0.digest() } == golden.construct.tensors.map(\.sha256))
  }

  @Test(arguments: [TransformerLayer.Side.encoder, .decoder])
  func `a stack of no layers draws the one that it was given`(
    side: TransformerLayer.Side
  ) throws {
    func last(_ count: Int) throws -> String {
      let stack = TransformerStack(TransformerLayer(side, 8, feedforward: 16), count: count)
      let entries = try Sequential(stack, Linear(3, 4)).module.initialized(seed: 3).entries
      return try #require(entries.first { $0.name == "1.weight" }).digest()
    }
    #expect(try last(0) == last(2))
  }

  @Test func `values are copied unless shared`() throws {
    let linear = Linear(3, 3)
    #expect(Sequential(linear, linear).module.parameters().count == 4)
    let shared = linear.module.shared()
    #expect(Sequential(shared, shared).module.parameters().count == 2)
  }

  @Test func `ties need parameters of one shape`() throws {
    let net = Net(wte: Embedding(5, 3), head: Linear(3, 5, bias: false), other: Linear(3, 4))
    #expect(throws: CheckpointError.self) { try net.tying("x.weight", to: "wte.weight") }
    let thrown = #expect(throws: CheckpointError.self) {
      try net.tying("other.weight", to: "wte.weight")
    }
    #expect(
      thrown?.description
        == "tensor 'other.weight': expected shape [5, 3], that of 'wte.weight', found shape [4, 3]"
    )
    let tied = try net.tying("head.weight", to: "wte.weight")
    let checkpoint = try tied.initialized(seed: 1)
    #expect(checkpoint.entries.compactMap(\.alias) == ["wte.weight"])
  }
}
