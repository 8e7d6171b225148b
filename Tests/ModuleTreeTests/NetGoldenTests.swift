import ModuleTree
import ParallelWork
import TensorCore
import TestSupport
import Testing
import TorchRandom

@Suite struct NetGoldenTests {
  static let nets = (try? Golden.nets()) ?? []
  static let article = (try? Golden.article()) ?? []

  /// What no printed text shows, found from the goldens: bare parameters, ties, and the order of
  /// construction where it is not the printed one.
  static let extras = [
    "TinyViT": "cls: [1, 1, 16] = zeros\npos: [1, 17, 16] = trunc_normal(std=0.02)",
    "TiedLM": "head.weight = wte.weight",
    "Mixed": "w.0: [2] = ones\nw.1: [2, 2] = zeros",
    "OutOfOrder": "construct: z, a, e, n",
    "UNet": "construct: down, mid, up.0, merge.0, up.1, merge.1, head",
  ]

  /// What a constructor does after it has made its layers.
  static let constructorRules = [
    "TinyResNet": [
      "Conv2d: weight=kaiming_normal(mode=fan_out, nonlinearity=relu)",
      "_BatchNorm: weight=1, bias=0",
    ]
  ]

  /// The pass of `Fixtures/goldens/nets.json`, as rules.
  static let rules = [
    "Linear: weight=xavier_uniform, bias=0",
    "_ConvNd: weight=kaiming_normal(mode=fan_out, nonlinearity=relu), bias=0.01",
    "kind:Embedding: weight=normal(0, 0.02)",
    "_BatchNorm | kind:LayerNorm | kind:GroupNorm: weight=1, bias=0",
    "MultiheadAttention: in_proj_weight=xavier_uniform, in_proj_bias=0",
  ]

  static func plan(_ golden: Golden.NetCase) throws -> Initialization {
    let tree = try Module(printed: golden.print, sideFile: SideFile(extras[golden.id] ?? ""))
    return try Initialization(of: tree, generator: Generator(seed: golden.seed))
  }

  @Test func `the goldens are all here`() {
    #expect(Self.nets.count == 12)
    #expect(Self.article.count == 36)
  }

  @Test(arguments: nets)
  func `construction gives torch's bytes`(golden: Golden.NetCase) throws {
    var plan = try Self.plan(golden)
    try plan.construct()
    try plan.apply(
      (Self.constructorRules[golden.id] ?? []).map { try Rule($0) }, order: .modules)
    try expect(plan, golden.construct.tensors, golden.construct.rng_after)
  }

  @Test(arguments: nets)
  func `names and shapes are those of state_dict`(golden: Golden.NetCase) throws {
    let tensors = try Self.plan(golden).tree.stateDict()
    #expect(tensors.map(\.name.text) == golden.construct.tensors.map(\.name))
    #expect(tensors.map(\.shape.sizes) == golden.construct.tensors.map(\.shape))
    let aliases = tensors.filter { $0.name != $0.original }
    #expect(aliases.map(\.name.text) == (golden.id == "TiedLM" ? ["head.weight"] : []))
  }

  @Test(arguments: nets)
  func `resetting, then rules in both orders, gives torch's bytes`(golden: Golden.NetCase) throws {
    var plan = try Self.plan(golden)
    try plan.construct()
    plan.generator = Generator(seed: golden.seed)
    // Only leaves: an adaptive softmax, which resets those inside it, has a name without a dot.
    try plan.reset(
      Selector("/[.]/ & !kind:MultiheadAttention & !kind:ParameterList & !name:cls & !name:pos"))
    let touched = Set(golden.reset_modules.touched ?? [])
    try expect(plan, golden.reset_modules) { touched.contains($0) }

    for (order, pass) in [
      (Rule.Order.modules, golden.rules_modules), (.apply, golden.rules_apply),
    ] {
      var ruled = plan
      ruled.generator = Generator(seed: try #require(pass.seed))
      let fitting = try Self.rules.map { try Rule($0) }.filter { rule in
        var trial = plan
        return (try? trial.apply([rule], order: order)) != nil
      }
      try ruled.apply(fitting, order: order)
      try expect(ruled, pass) { _ in true }
    }
  }

  private func expect(
    _ plan: Initialization, _ pass: Golden.Pass, where isRecognized: (String) -> Bool
  ) throws {
    var count = 0
    for entry in try plan.entries() where isRecognized(entry.name.text) {
      #expect(try entry.digest() == pass.sha256[entry.name.text], "\(entry.name)")
      count += 1
    }
    #expect(count > 0)
    #expect(plan.generator.position.words == pass.rng_after.next_u32)
    #expect(plan.generator.position.cached == pass.rng_after.cached_normal_f64_le)
  }

  @Test(arguments: article)
  func `the article's three ways give torch's bytes`(golden: Golden.ArticleCase) throws {
    let dtype = try #require(DType(named: golden.dtype))
    let tree = try Module(printed: golden.repr)
    var plan = try Initialization(of: tree, dtype: dtype, generator: Generator(seed: golden.seed))
    try plan.construct()
    if let seed = golden.seed2 { plan.generator = Generator(seed: seed) }
    let way = golden.id.prefix { $0 != "@" }
    switch way {
    case "default": break
    case "apply", "apply_reseeded":
      try plan.apply([Rule("Linear: weight=xavier_uniform, bias=1")], order: .apply)
    case "modules":
      try plan.apply([Rule("Linear: weight=xavier_uniform_, bias=2")], order: .modules)
    default: Issue.record("unknown way \(way)")
    }
    try expect(plan, golden.tensors, golden.rng_after)
  }

  private func expect(
    _ plan: Initialization, _ tensors: [Golden.Tensor], _ position: Golden.Position
  ) throws {
    let entries = try plan.entries()
    #expect(entries.map(\.name.text) == tensors.map(\.name))
    for (entry, tensor) in zip(entries, tensors) {
      #expect(entry.info.dtype.torchName == tensor.dtype, "\(tensor.name)")
      #expect(entry.info.shape == tensor.shape, "\(tensor.name)")
      #expect(try entry.digest() == tensor.sha256, "\(tensor.name)")
    }
    #expect(plan.generator.position.words == position.next_u32)
    #expect(plan.generator.position.cached == position.cached_normal_f64_le)
  }
}
