import TensorCore
import TestSupport
import Testing
import TorchRandom

@Suite struct SamplingGoldenTests {
  @Test(arguments: try OpCase.all(of: "uniform_", "normal_"))
  func `uniform and normal draws equal torch's bytes and leave its generator`(
    golden: OpCase
  ) throws {
    let tensor = try #require(golden.tensor)
    let layout = try #require(golden.layout)
    let info = try tensor.info
    var generator = Generator(seed: golden.seed)
    let sampling = try Sampling(
      try #require(Distribution(golden: golden.op, golden.args ?? [:])), dtype: info.dtype,
      count: info.elementCount, contiguous: layout == "contiguous")
    let stored = generator.sample(sampling)
    let order = OpCase.storageOrder(shape: info.shape.sizes, layout: layout)
    let width = info.dtype.byteWidth
    let bytes = order.flatMap { stored[$0 * width..<($0 + 1) * width] }
    #expect(Digest(of: bytes).description == tensor.sha256)
    #expect(golden.rng_after.follows(generator.cachedNormal) { generator.nextUInt32() })
  }

  @Test(arguments: try OpCase.all(of: "sequence"))
  func `draws one after another share the cached normal as in torch`(golden: OpCase) throws {
    var generator = Generator(seed: golden.seed)
    for (step, tensor) in zip(try #require(golden.steps), try #require(golden.tensors)) {
      let sampling = try Sampling(
        try #require(Distribution(golden: step.op, step.args)), dtype: try tensor.info.dtype,
        count: tensor.info.elementCount)
      #expect(Digest(of: generator.sample(sampling)).description == tensor.sha256, "\(tensor.name)")
    }
    #expect(golden.rng_after.follows(generator.cachedNormal) { generator.nextUInt32() })
  }

  @Test(arguments: try OpCase.all(of: "randperm"))
  func `permutations equal torch's`(golden: OpCase) throws {
    let tensor = try #require(golden.tensor)
    var generator = Generator(seed: golden.seed)
    let order = generator.randperm(try tensor.info.elementCount)
    let bytes = order.flatMap { value in
      (0..<8).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }
    #expect(Digest(of: bytes).description == tensor.sha256)
    #expect(golden.rng_after.follows(generator.cachedNormal) { generator.nextUInt32() })
  }

  @Test(arguments: try OpCase.all(of: "bernoulli_"))
  func `bernoulli compares float64 uniforms`(golden: OpCase) throws {
    let tensor = try #require(golden.tensor)
    let p = try #require(golden.number("p"))
    var generator = Generator(seed: golden.seed)
    let bytes = try (0..<tensor.info.elementCount).flatMap { _ in
      let unit = Double(generator.nextUInt64() & (1 << 53 - 1)) * 0x1p-53
      return try DType.float32.element(nearest: unit < p ? 1 : 0)
    }
    #expect(Digest(of: bytes).description == tensor.sha256)
    #expect(golden.rng_after.follows(generator.cachedNormal) { generator.nextUInt32() })
  }
}

extension Distribution {
  /// The distribution of a golden's operation and arguments.
  init?(golden op: String, _ arguments: [String: OpCase.Argument]) {
    func number(_ name: String) -> Double? {
      guard case .number(let value)? = arguments[name] else { return nil }
      return value
    }
    switch op {
    case "uniform_":
      guard let from = number("a"), let to = number("b") else { return nil }
      self = .uniform(from: from, to: to)
    case "normal_":
      guard let mean = number("mean"), let deviation = number("std") else { return nil }
      self = .normal(mean: mean, standardDeviation: deviation)
    default: return nil
    }
  }
}
