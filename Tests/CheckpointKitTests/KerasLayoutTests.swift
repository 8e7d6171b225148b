import CheckpointKit
import ParallelWork
import TensorCore
import TestSupport
import Testing

/// Layers in Keras's layout and in PyTorch's; `Tools/fixtures/make_keras.py` has run both and found that
/// they compute the same with the tensors that are expected here.
@Suite struct KerasLayoutTests {
  struct Case: Decodable, CustomStringConvertible {
    let file: String
    let tensors: [GoldenTensor]
    var description: String { file }
  }

  static let cases = Result { try Fixtures.cases("keras/layouts.json", as: Case.self) }

  private func open(_ file: String) throws -> Checkpoint {
    try CheckpointSource.open(Fixtures.path("keras/" + file)).checkpoint
  }

  private func listed(_ checkpoint: Checkpoint) throws -> [GoldenTensor] {
    try checkpoint.entries.map { try GoldenTensor($0) }
  }

  /// Files of the layout models, each with its expectation and what cannot be told from it.
  static var files: [(String, String, [String])] {
    let models = ["convolutions", "recurrent", "normalisations", "wrapped"]
    return models.map { ($0, $0 + ".weights.h5", []) } + [
      // These files do not say which class a layer has.
      ("convolutions", "convolutions.h5", ["conv3", "depth2"]),
      ("recurrent", "recurrent.h5", []), ("normalisations", "normalisations.h5", []),
      ("wrapped", "wrapped.h5", []),
      ("described", "described.keras", []), ("described", "described.h5", []),
    ]
  }

  @Test(arguments: files)
  func `every layer has the tensors with which PyTorch computes the same`(
    model: String, file: String, unknown: [String]
  ) throws {
    let result = try KerasLayout.toTorch(try open(file))
    let wanted = try #require(try Self.cases.get().first { $0.file == model }).tensors.filter {
      tensor in !unknown.contains { tensor.name.hasPrefix($0 + ".") }
    }
    let known = Set(wanted.map(\.name))
    let found = try listed(result.checkpoint)
    #expect(Set(found.filter { known.contains($0.name) }) == Set(wanted))
    // What is left keeps its name and is reported.
    let left = found.filter { !known.contains($0.name) }
    #expect(left.allSatisfy { $0.name.contains("/") })
    for layer in unknown + (model == "described" ? ["before"] : []) {
      #expect(result.notes.contains { $0.hasPrefix("layer '\(layer)'") }, "\(layer)")
    }
    if unknown.isEmpty && model != "described" { #expect(left.isEmpty) }
  }

  @Test(arguments: files)
  func `there and back into the same structure gives the same bits`(
    model: String, file: String, unknown: [String]
  ) throws {
    let original = try open(file)
    let there = try KerasLayout.toTorch(original).checkpoint
    let back = try KerasLayout.toKeras(there, like: original)
    #expect(Set(try listed(back.checkpoint)) == Set(try listed(original)))
  }

  @Test func `without a structure the names are those of Keras's older files`() throws {
    for model in ["convolutions", "normalisations", "recurrent"] {
      let original = try open(model + ".h5")
      let there = try KerasLayout.toTorch(original).checkpoint
      let back = try listed(try KerasLayout.toKeras(there).checkpoint)
      // Of a Conv and a depthwise one, of a slope and shared axes, PyTorch keeps less than Keras,
      // and of a name's counter nothing.
      let less = [
        "depth", "conv3", "separable", "slope", "time_distributed", "table", "rms", "both",
      ]
      let wanted = try listed(original).filter { tensor in
        !less.contains { tensor.name.hasPrefix($0) }
      }
      for tensor in wanted { #expect(back.contains(tensor), "\(tensor)") }
    }
  }

  @Test(arguments: ["weights.h5", "net.weights.h5", "net.keras", "sharded.weights.json"])
  func `whatever the file a model was saved in, PyTorch's tensors are the same`(
    file: String
  ) throws {
    let whole = try listed(try KerasLayout.toTorch(try open("whole.h5")).checkpoint)
    #expect(whole.count == 12 && whole.contains { $0.name == "encoder.first.weight" })
    #expect(Set(try listed(try KerasLayout.toTorch(try open(file)).checkpoint)) == Set(whole))
  }

  @Test func `a kernel of several bands is transposed, whatever the pieces that are read`() throws {
    let (rows, columns) = (1500, 1601)
    let values = (0..<rows * columns).map { Float($0) }
    let kernel = try Checkpoint.Entry(memory: "fc/kernel", values, shape: [rows, columns])
    let there = try KerasLayout.toTorch(Checkpoint(entries: [kernel])).checkpoint
    let weight = try #require(there.entries.first)
    #expect(weight.info.shape == [columns, rows])
    let wanted = (0..<columns).flatMap { column in (0..<rows).map { values[$0 * columns + column] }
    }
    let bytes = try Checkpoint.Entry(memory: "w", wanted).allBytes()
    #expect(try weight.allBytes(step: 1 << 20) == bytes)
    #expect(try weight.allBytes(step: 999_999) == bytes)
  }

  @Test func `two biases are added where Keras has one`() throws {
    let like = try open("recurrent.weights.h5")
    var torch = try KerasLayout.toTorch(like).checkpoint
    let names = ["simple.bias_ih_l0", "simple.bias_hh_l0"]
    for (name, values) in zip(names, [[1, -0.0, 0.1] as [Float], [2, 0, 0.2]]) {
      let index = try #require(torch.entries.firstIndex { $0.name.text == name })
      torch.entries[index] = try .init(memory: TensorName(name), values)
    }
    let back = try KerasLayout.toKeras(torch, like: like).checkpoint
    let bias = try #require(
      back.entries.first { $0.name == "layers/simple_rnn/cell/vars/2" })
    let wanted = try Checkpoint.Entry(memory: "b", [3, -0.0, Float(0.1) + Float(0.2)])
    #expect(try bias.allBytes() == wanted.allBytes())
    #expect(try bias.allBytes(step: 3) == wanted.allBytes())
  }

  @Test func `what contradicts the structure is refused with both shapes`() throws {
    let like = try open("convolutions.weights.h5")
    var torch = try KerasLayout.toTorch(like).checkpoint
    let index = try #require(torch.entries.firstIndex { $0.name == "dense.weight" })
    torch.entries[index] = try .init(memory: "dense.weight", [1, 2, 3, 4], shape: [2, 2])
    let error = #expect(throws: CheckpointError.self) {
      _ = try KerasLayout.toKeras(torch, like: like)
    }
    #expect(
      error?.description
        == "tensor 'dense.weight': expected shape [4, 3] for a Keras variable of shape [3, 4], found shape [2, 2]"
    )
  }

  @Test func `batch counters are left out, other tensors are kept, and both are reported`() throws {
    let like = try open("normalisations.weights.h5")
    var torch = try KerasLayout.toTorch(like).checkpoint
    torch.entries.append(
      try .init(memory: "batch.num_batches_tracked", .int64, [], [1, 0, 0, 0, 0, 0, 0, 0]))
    torch.entries.append(try .init(memory: "extra.weight", [1]))
    torch.entries.removeAll { $0.name == "table.weight" }
    let result = try KerasLayout.toKeras(torch, like: like)
    #expect(
      result.notes == [
        "Keras layer 'table' is left out: the checkpoint lacks 'table.weight'",
        "'batch.num_batches_tracked': left out, since Keras does not count batches",
        "'extra.weight' stay as they are: no Keras layer has them",
      ])
    #expect(result.checkpoint.entries.last?.name == "extra.weight")
  }

  @Test func `a checkpoint without a layer of Keras is refused`() throws {
    let entries = [try Checkpoint.Entry(memory: "fc.weight", [1, 2])]
    let error = #expect(throws: CheckpointError.self) {
      _ = try KerasLayout.toTorch(Checkpoint(entries: entries))
    }
    #expect(error?.code == .mismatched)
  }

  @Test func `two layers of one name stay as they are`() throws {
    let entries = try ["a/kernel", "b/kernel", "a/vars/kernel"].map {
      try Checkpoint.Entry(memory: TensorName($0), [1, 2, 3, 4], shape: [2, 2])
    }
    let result = try KerasLayout.toTorch(Checkpoint(entries: entries))
    #expect(
      result.checkpoint.entries.map(\.name) == ["b.weight", "a/kernel", "a/vars/kernel"])
    #expect(
      result.notes == ["layer 'a' stays as Keras has it: two of its variables have the same name"])
  }
}

extension Checkpoint.Entry {
  fileprivate func digest() throws -> Digest {
    var buffer = ChunkBuffer(capacity: 24)
    var builder = DigestBuilder(.sha256)
    try forEachChunk(using: &buffer) { _, bytes in builder.update(bytes) }
    return builder.finalize()
  }
}
