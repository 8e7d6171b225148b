import CheckpointKit
import Synchronization
import TensorCore
import TestSupport
import Testing

@Suite struct DiffAnswerTests {
  private func noise(_ seed: UInt64, _ count: Int = 64) -> [Float] {
    var random = SplitMix(seed: seed)
    return (0..<count).map { _ in Float(Int(random.next() >> 40)) / 0x1p23 - 1 }
  }

  private func diff(
    _ left: [Checkpoint.Entry], _ right: [Checkpoint.Entry]
  ) async throws -> CheckpointDiff {
    try await CheckpointDiff(
      from: Checkpoint(entries: left), to: Checkpoint(entries: right), threads: 2)
  }

  /// A model of blocks; those that `isTuned` names are moved a little, others drawn with `seed`.
  private func model(
    seed: UInt64 = 1, prefix: String = "", tuned isTuned: (String) -> Bool = { _ in false }
  ) throws -> [Checkpoint.Entry] {
    let names =
      ["embed.weight"] + (0..<3).flatMap { ["blocks.\($0).weight", "blocks.\($0).bias"] }
      + ["head.weight"]
    return try names.enumerated().map { index, name in
      var values = noise(seed &* 100 &+ UInt64(index))
      if isTuned(name) { for place in values.indices { values[place] *= 1.01 } }
      return try .init(memory: TensorName(prefix + name), values, shape: [8, 8])
    }
  }

  private func answer(_ right: [Checkpoint.Entry]) async throws -> DiffAnswer {
    try await diff(model(), right).answer()
  }

  @Test func `each outcome has its verdict and its line`() async throws {
    let same = try await answer(model())
    #expect(same.verdict == .identical && same.text == "identical: 8 tensors")
    let tuned = try await answer(model { _ in true })
    #expect(tuned.verdict == .fineTuned && tuned.isSameArchitecture && tuned.frozenParts.isEmpty)
    #expect(
      tuned.clauses[0] == "same architecture, fine-tuned everywhere: 8 of 8 tensors changed")
    #expect(abs(try #require(tuned.largest).relativeL2 - 0.01) < 1e-6)
    let other = try await answer(model(seed: 2))
    #expect(other.verdict == .unrelated)
    #expect(other.text.hasPrefix("same architecture, different weights: 8 of 8 tensors changed"))
    let part = try await answer(model { $0.hasPrefix("head") || $0.hasPrefix("blocks.2") })
    #expect(part.verdict == .partial)
    #expect(part.changedParts == ["blocks.2", "head"])
    #expect(part.frozenParts == ["embed", "blocks.0–1"])
    #expect(
      part.text.hasPrefix(
        "same architecture, changed only in blocks.2, head: 3 of 8 tensors; frozen: embed, blocks.0–1; "
      ))
    let biases = try await answer(model { $0.hasSuffix(".bias") })
    #expect(biases.changedParts == ["*.bias"] && biases.frozenParts == ["*.weight"])
    let renamed = try await answer(model(prefix: "net."))
    #expect(renamed.verdict == .renamed)
    #expect(renamed.text == "same values: 8 tensors, all names gain 'net.'")
    let fewer = try await answer(Array(try model().dropLast()))
    #expect(fewer.verdict == .architecture && !fewer.isSameArchitecture)
    #expect(fewer.text == "different architecture: 1 removed; 7 tensors equal")
    let none = try await answer([.init(memory: "x", [1])])
    #expect(none.text == "different architecture: 1 added, 8 removed, no tensor in common")
  }

  @Test func `values that became NaN are counted with their tensors`() async throws {
    var broken = try model { _ in true }
    broken[1] = try .init(
      memory: broken[1].name, [Float](repeating: .nan, count: 64), shape: [8, 8])
    let found = try await answer(broken)
    #expect(found.verdict == .fineTuned && found.nanTensorCount == 1)
    #expect(found.clauses[1] == "64 values in 1 tensor became NaN")
  }

  @Test func `values beside the tensors are part of the answer`() async throws {
    var left = Checkpoint(entries: try model())
    let right = left
    left.values = [.init("epoch", .integer(3))]
    let diff = try await CheckpointDiff(from: left, to: right, threads: 1)
    let found = diff.answer(values: ValueDiff(from: left, to: right))
    #expect(found.verdict == .values)
    #expect(found.text == "identical tensors: 8; 1 other value changed")
  }

  @Test func `transposed tensors are recognized, renamed or not, changed or not`() async throws {
    func turned(_ name: TensorName, _ values: [Float], _ rows: Int) throws -> Checkpoint.Entry {
      let columns = values.count / rows
      let order = (0..<values.count).map { $0 % rows * columns + $0 / rows }
      return try .init(memory: name, order.map { values[$0] }, shape: [columns, rows])
    }
    let (a, b, c, d) = (noise(1), noise(2), noise(3), noise(4))
    let left = [
      try Checkpoint.Entry(memory: "a.weight", a, shape: [4, 16]),
      try .init(memory: "b.weight", b, shape: [16, 4]),
      try .init(memory: "c.weight", c, shape: [8, 8]),
      try .init(memory: "d.weight", d, shape: [2, 32]),
      try .init(memory: "e.weight", d, shape: [1, 64]),
    ]
    let right = [
      try turned("a.weight", a, 4), try turned("b.weight", b.map { $0 * 1.5 }, 16),
      try turned("c.weight", c, 8), try turned("x.kernel", d, 2),
      try Checkpoint.Entry(memory: "e.weight", d, shape: [64, 1]),
    ]
    let found = try await diff(left, right)
    #expect(
      found.changes.map { "\($0.kind) \($0.name) \($0.newName.map(\.text) ?? "")" } == [
        "transposed a.weight ", "transposed b.weight ", "transposed c.weight ",
        "transposed d.weight x.kernel", "reshaped e.weight ",
      ])
    #expect(found.changes[0].axes == [1, 0] && found.changes[0].difference?.differingCount == 0)
    #expect(abs(try #require(found.changes[1].difference?.relativeL2) - 0.5) < 1e-6)
    // Height and width last, and inputs before outputs, as PyTorch has a kernel.
    let (values, strides) = (noise(5, 72), [24, 8, 4, 1])
    var moved: [Float] = []
    for output in 0..<4 {
      for input in 0..<2 {
        for place in 0..<9 {
          let start = place / 3 * strides[0] + place % 3 * strides[1]
          moved.append(values[start + input * strides[2] + output])
        }
      }
    }
    let kernel = try await diff(
      [try .init(memory: "w", values, shape: [3, 3, 2, 4])],
      [try .init(memory: "w", moved, shape: [4, 2, 3, 3])])
    #expect(kernel.changes.first?.kind == .transposed)
    #expect(kernel.changes.first?.axes == [2, 3, 1, 0])
    #expect(kernel.answer().text == "same values: 1 tensor, 1 transposed")
    // Other values are reshaped.
    let other = try await diff(
      [try .init(memory: "w", noise(6), shape: [4, 16])],
      [try .init(memory: "w", noise(7), shape: [16, 4])])
    #expect(other.changes.first?.kind == .reshaped)
  }

  @Test func `tensors are paired by what the names of equal ones have in common`() async throws {
    let left = try model { $0 == "blocks.1.weight" || $0 == "blocks.2.bias" }
    let right = try model().map { entry in
      var entry = entry
      if entry.name.text.hasPrefix("blocks.") {
        entry.name = TensorName("layers." + entry.name.text.dropFirst(7))
      }
      return entry
    }
    let found = try await diff(left, right)
    #expect(
      found.changes.map { "\($0.kind) \($0.newName.map(\.text) ?? "")" } == [
        "renamed layers.0.weight", "renamed layers.0.bias", "changed layers.1.weight",
        "renamed layers.1.bias", "renamed layers.2.weight", "changed layers.2.bias",
      ])
    #expect(found.renamings.map(\.text) == ["'blocks' → 'layers'"])
    #expect(found.renamings[0].tensors.count == 6)
  }

  @Test func `sums along the module tree are those of the tensors`() async throws {
    let found = try await diff(model(), model { $0.hasPrefix("blocks.1") })
    let tree = DiffTree(found)
    #expect(
      tree.nodes.map(\.path.text) == [
        "", "embed", "blocks", "blocks.0", "blocks.1", "blocks.2", "head",
      ])
    let blocks = tree.nodes[2]
    #expect(blocks.sum.tensorCount == 6 && blocks.sum.changedCount == 2)
    #expect(blocks.sum.elementCount == 384)
    #expect(blocks.sum.differingCount == 128 && blocks.sum.changedShare == 1 / 3)
    #expect(abs(try #require(blocks.sum.difference.relativeL2) - 0.01) < 1e-6)
    #expect(tree.rows(depth: 1).count == 3)
    #expect(tree.rows(depth: 2).count == 5)
    #expect(tree.rows(depth: 9).count == 8)
    let isChanged = { found.tensors[$0].kind == .changed }
    #expect(tree.rows(depth: 1, where: isChanged) == [.module(2)])
    #expect(tree.depth(fitting: 5) == 2 && tree.depth(fitting: 100) >= 3)
    #expect(tree.depth(fitting: 0) == 1)
  }

  @Test func `a name of very many parts costs little`() async throws {
    let name = TensorName(String(repeating: "a.", count: 30_000))
    let tree = DiffTree(try await diff([.init(memory: name, [1])], [.init(memory: name, [2])]))
    #expect(tree.nodes.count == DiffTree.maxDepth + 1)
    #expect(tree.rows(depth: 1) == [.tensor(0)])
  }

  @Test func `progress counts both sides and ends with all of the work`() async throws {
    let seen = Counts()
    _ = try await CheckpointDiff(
      from: Checkpoint(entries: model()), to: Checkpoint(entries: model { _ in true }), threads: 2
    ) { seen.add($0) }
    let found = seen.all
    #expect(found.last?.done == found.last?.total)
    #expect(found.last?.total == 2 * 8 * 256)
    #expect(zip(found, found.dropFirst()).allSatisfy { $0.done <= $1.done })
  }
}

private final class Counts: Sendable {
  private let counts = Mutex<[WorkProgress]>([])
  var all: [WorkProgress] { counts.withLock { $0 } }
  func add(_ progress: WorkProgress) { counts.withLock { $0.append(progress) } }
}
