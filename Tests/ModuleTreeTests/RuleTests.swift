import ModuleTree
import ParallelWork
import TensorCore
import TestSupport
import Testing
import TorchRandom

@Suite struct RuleTests {
  static let net = ModuleClass("Net")(
    a: Linear(2, 3), b: Sequential(Linear(3, 3, bias: false), BatchNorm1d(3)), c: ReLU())

  static func plan(_ seed: UInt64 = 0) throws -> Initialization {
    var plan = try Initialization(of: net, generator: Generator(seed: seed))
    try plan.construct()
    return plan
  }

  static func bytes(_ plan: Initialization, _ name: TensorName) throws -> [UInt8] {
    try #require(try plan.entry(of: name)).allBytes()
  }

  @Test(arguments: [
    (
      "Linear: weight=xavier_uniform_(gain=2), bias=1",
      "Linear: weight=xavier_uniform(gain=2), bias=1"
    ),
    ("  kind:Linear:weight=0", "kind:Linear: weight=0"),
    ("/a:b/ : weight = normal(0, 0.02)", "/a:b/: weight=normal(std=0.02)"),
    ("b.** & !BatchNorm1d: weight=default", "b.** & !BatchNorm1d: weight=default"),
    // A slash inside a word is a part of it, as in the names of Keras.
    ("layers/dense/*/0: weight=1", "layers/dense/*/0: weight=1"),
    ("a/b & !/x: y/: weight=1", "a/b & !/x: y/: weight=1"),
  ])
  func `rules print what they mean`(text: String, printed: String) throws {
    #expect(try Rule(text).description == printed)
    #expect(try Rule(printed).description == printed)
  }

  @Test(arguments: [
    ("Linear", "rule 'Linear': expected 'SELECTOR: PARAMETER=INITIALIZER, …', found no ': '"),
    (
      "Linear: weight",
      "rule 'Linear: weight', column 8: expected PARAMETER=INITIALIZER, found 'weight'"
    ),
    ("Linear: weight=1, weight=2", "rule 'Linear: weight=1, weight=2' gives 'weight' twice"),
    (
      ": weight=1",
      "selector '', column 1: expected a class, a name, '/', '!' or '(', found the end"
    ),
  ])
  func `a rule that cannot be read is an error`(text: String, message: String) {
    let thrown = #expect(throws: CheckpointError.self) { try Rule(text) }
    #expect(thrown?.message == message)
  }

  @Test func `an unknown initializer is named with its column`() {
    let thrown = #expect(throws: CheckpointError.self) { try Rule("Linear: weight=xavier_unifrom") }
    #expect(
      thrown?.message.hasPrefix("rule 'Linear: weight=xavier_unifrom', column 16: ") == true)
    #expect(thrown?.message.contains("xavier_uniform") == true)
  }

  @Test(arguments: [
    (
      "Conv2d: weight=1",
      "rule 'Conv2d: weight=1': selector 'Conv2d' matches no class or name; the classes are BatchNorm1d, Linear, Net, ReLU, Sequential"
    ),
    ("/zzz/: weight=1", "rule '/zzz/: weight=1' matches no module"),
    (
      "Linear: wieght=1",
      "rule 'Linear: wieght=1' names 'wieght', which no module it matches has; they have weight, bias"
    ),
    (
      "ReLU: weight=1",
      "rule 'ReLU: weight=1' names 'weight', which no module it matches has; they have no tensors of their own"
    ),
  ])
  func `a rule that matches nothing is an error`(text: String, message: String) throws {
    var plan = try Self.plan()
    let thrown = #expect(throws: CheckpointError.self) {
      try plan.apply([Rule(text)], order: .modules)
    }
    #expect(thrown?.message == message)
  }

  @Test func `a rule for a container is one for what is inside it`() throws {
    var (named, spelled) = (try Self.plan(), try Self.plan())
    try named.apply([Rule("b: weight=uniform, running_mean=3")], order: .modules)
    try spelled.apply(
      [Rule("b.0: weight=uniform"), Rule("b.1: weight=uniform, running_mean=3")], order: .modules)
    for entry in try named.entries() {
      #expect(try entry.allBytes() == Self.bytes(spelled, entry.name), "\(entry.name)")
    }
    #expect(try Self.bytes(named, "b.1.running_mean").prefix(4) == [0, 0, 0x40, 0x40])
    #expect(try Self.bytes(named, "a.weight") == Self.bytes(Self.plan(), "a.weight"))
  }

  @Test func `a bias that is not there is passed over`() throws {
    var plan = try Self.plan()
    try plan.apply([Rule("b.0: bias=1"), Rule("Linear: bias=1")], order: .apply)
    #expect(try Self.bytes(plan, "a.bias").prefix(4) == [0, 0, 0x80, 0x3f])
  }

  @Test func `a tensor's refusal is named`() throws {
    var plan = try Self.plan()
    let thrown = #expect(throws: CheckpointError.self) {
      try plan.apply([Rule("Linear: bias=xavier_uniform")], order: .modules)
    }
    #expect(thrown?.tensor == "a.bias")
  }

  @Test func `resetting redraws what is selected and nothing else`() throws {
    var plan = try Self.plan(1)
    let before = try plan.entries().map { try $0.digest() }
    plan.generator = Generator(seed: 7)
    let names = try plan.reset(Selector("a"), order: .apply)
    #expect(names.names == ["a.weight", "a.bias"])
    let fresh = try Linear(2, 3).module.initialized(seed: 7)
    #expect(try Self.bytes(plan, "a.weight") == fresh.entries[0].allBytes())
    #expect(try Self.bytes(plan, "a.bias") == fresh.entries[1].allBytes())
    #expect(try plan.entries().dropFirst(2).map { try $0.digest() } == Array(before.dropFirst(2)))
  }

  @Test func `resetting uses rules where they match and the layer's own initialization elsewhere`()
    throws
  {
    var plan = try Initialization(
      of: Self.net, generator: Generator(seed: 7), dtypes: ["a.bias": .bfloat16])
    try plan.reset(Selector("a | BatchNorm1d"), rules: [Rule("Linear: bias=0.5")])
    #expect(plan.values(of: "b.0.weight") == nil)
    #expect(try Self.bytes(plan, "a.bias") == [0, 0x3f, 0, 0x3f, 0, 0x3f])
    #expect(plan.values(of: "a.bias")?.initializer.description == "0.5")
    #expect(try Self.bytes(plan, "b.1.num_batches_tracked") == [UInt8](repeating: 0, count: 8))
    #expect(throws: CheckpointError.self) {
      try plan.reset(Selector("a"), rules: [Rule("BatchNorm1d: weight=1")])
    }
    let thrown = #expect(throws: CheckpointError.self) { try plan.entries() }
    #expect(
      thrown?.message.hasPrefix("1 tensor has no known initial values: 'b.0.weight';") == true)
  }

  @Test func `values are the same whatever the pieces and the order of reading`() throws {
    let net = ModuleClass("Net")(e: Embedding(33, 7, paddingIndex: 3), l: Linear(50, 9))
    let entries = try net.initialized(seed: 3, rules: [Rule("l: bias=trunc_normal")]).entries
    for entry in entries {
      let all = try entry.allBytes()
      for range in [5..<9, 0..<3, 4..<all.count, 0..<all.count, all.count - 1..<all.count] {
        var buffer = ChunkBuffer(capacity: range.count)
        var target = buffer.mutableBytes(range.count)
        try entry.read(range, into: &target)
        var builder = DigestBuilder(.sha256)
        builder.update(buffer.bytes(range.count))
        #expect(builder.finalize() == Digest(of: Array(all[range])))
      }
    }
    let table = try entries[0].allBytes()
    #expect(table[84..<112].allSatisfy { $0 == 0 })
  }
}

extension RuleTests {
  @Test(arguments: ["-", "sqrt("])
  func `hostile rules end`(piece: String) {
    let text = "a: weight=" + String(repeating: piece, count: 100_000) + "1"
    #expect(throws: CheckpointError.self) { try Rule(text) }
  }
}
