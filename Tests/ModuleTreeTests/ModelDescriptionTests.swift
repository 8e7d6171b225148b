import ModuleTree
import ParallelWork
import TensorCore
import TestSupport
import Testing
import TorchRandom

@Suite struct ModelDescriptionTests {
  @Test(arguments: ModuleGoldenTests.cases)
  func `a described module draws torch's bytes`(golden: Golden.ModuleCase) throws {
    let dtype = try #require(DType(named: golden.dtype))
    let json = try ModuleGoldenTests.tree(golden).json()
    let tree = try Module(json: json)
    #expect(try tree.json() == json)
    #expect(tree.description == golden.repr)
    var plan = try Initialization(of: tree, dtype: dtype, generator: Generator(seed: golden.seed))
    try plan.construct()
    for (entry, tensor) in zip(try plan.entries(), golden.construct.tensors) {
      #expect(entry.name.text == tensor.name)
      #expect(entry.info.dtype.torchName == tensor.dtype)
      #expect(try entry.digest() == tensor.sha256, "\(tensor.name)")
    }
    #expect(plan.generator.position.words == golden.construct.rng_after.next_u32)
    #expect(plan.generator.position.cached == golden.construct.rng_after.cached_normal_f64_le)
  }

  @Test(arguments: NetGoldenTests.nets)
  func `a described net draws torch's bytes`(golden: Golden.NetCase) throws {
    let json = try NetGoldenTests.plan(golden).tree.json()
    let tree = try Module(json: json)
    #expect(try tree.json() == json)
    var plan = try Initialization(of: tree, generator: Generator(seed: golden.seed))
    try plan.construct()
    try plan.apply(
      (NetGoldenTests.constructorRules[golden.id] ?? []).map { try Rule($0) }, order: .modules)
    for (entry, tensor) in zip(try plan.entries(), golden.construct.tensors) {
      #expect(try entry.digest() == tensor.sha256, "\(tensor.name)")
    }
    #expect(plan.generator.position.words == golden.construct.rng_after.next_u32)
  }
}
