import ModuleTree
import ParallelWork
import TensorCore
import TestSupport
import Testing
import TorchRandom

@Suite struct ModuleGoldenTests {
  /// What is not shown by the printed text, given as a user would.
  static let extras = [
    "m050": ": kdim=4, vdim=6, add_bias_kv=True",
    "m057": ": init=0.1",
    "m062": "0: [2, 3] = zeros\n1: [] = ones",
    "m064": "2 = 0",
    "m066": ": weight_norm=weight",
    "m063": "x: [4] = zeros\ny: [1, 2, 3] = zeros",
  ]

  static let cases = (try? Golden.modules()) ?? []

  /// The tree of a case.
  static func tree(_ golden: Golden.ModuleCase) throws -> Module {
    try Module(printed: golden.repr, sideFile: SideFile(extras[golden.id] ?? ""))
  }

  @Test func `the goldens are all here`() throws {
    #expect(Self.cases.count == 97)
  }

  @Test(arguments: cases)
  func `construction gives torch's bytes and generator`(golden: Golden.ModuleCase) throws {
    let dtype = try #require(DType(named: golden.dtype))
    let tree = try Self.tree(golden)
    var plan = try Initialization(of: tree, dtype: dtype, generator: Generator(seed: golden.seed))
    try plan.construct()
    try expect(plan, golden.construct)
    let aliases = try plan.entries().filter { $0.alias != nil }.map(\.name.text)
    #expect(aliases == (golden.shared ?? []).flatMap { $0.dropFirst() })
  }

  /// The old hook hides its weight from `reset_parameters`, which then changes nothing.
  static let resettable = cases.filter { $0.id != "m066" }

  @Test(arguments: resettable)
  func `resetting the leaves gives torch's bytes and generator`(golden: Golden.ModuleCase) throws {
    let dtype = try #require(DType(named: golden.dtype))
    let tree = try Self.tree(golden)
    var plan = try Initialization(of: tree, dtype: dtype, generator: Generator(seed: golden.seed))
    try plan.construct()
    plan.generator = Generator(seed: golden.seed)
    let all = tree.kind == "AdaptiveLogSoftmaxWithLoss" ? "/[.]/" : "**"
    let leaves = try Selector("\(all) & !kind:MultiheadAttention & !kind:Parameter*")
    guard tree.modules().contains(where: { $0.isResettableLeaf }) else { return }
    try plan.reset(leaves)
    // The golden of m049 says "same as construct" of the tensors; the generator it does not give.
    try expect(plan, golden.resets ?? golden.construct, positionToo: golden.id != "m049")
  }

  private func expect(
    _ plan: Initialization, _ state: Golden.State, positionToo: Bool = true
  ) throws {
    let entries = try plan.entries()
    #expect(entries.map(\.name.text) == state.tensors.map(\.name))
    for (entry, tensor) in zip(entries, state.tensors) {
      #expect(entry.info.dtype.torchName == tensor.dtype, "\(tensor.name)")
      #expect(entry.info.shape == tensor.shape, "\(tensor.name)")
      #expect(try entry.digest() == tensor.sha256, "\(tensor.name)")
      #expect(try entry.digest(size: 7) == tensor.sha256, "\(tensor.name) in odd pieces")
    }
    guard positionToo else { return }
    let position = plan.generator.position
    #expect(position.words == state.rng_after.next_u32)
    #expect(position.cached == state.rng_after.cached_normal_f64_le)
  }
}

extension Module {
  fileprivate var isResettableLeaf: Bool {
    ownChildren.isEmpty && !(ownParameters.isEmpty && ownBuffers.isEmpty)
      && !kind.hasPrefix("Parameter")
  }
}
