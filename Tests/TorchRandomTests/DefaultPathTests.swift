import TensorCore
import TestSupport
import Testing
import TorchRandom

@Suite struct DefaultPathTests {
  @Test(arguments: try Fixtures.cases("goldens-extra/default-path.json", as: OpCase.self))
  func `the default path's draws equal those of torch without AVX2`(golden: OpCase) throws {
    let tensor = try #require(golden.tensor)
    let info = try tensor.info
    let distribution = try #require(Distribution(golden: golden.op, golden.args ?? [:]))
    var generator = Generator(seed: golden.seed, cpuPath: .default)
    let sampling = try Sampling(
      distribution, dtype: info.dtype, count: info.elementCount,
      contiguous: golden.layout == "contiguous")
    #expect(Digest(of: generator.sample(sampling)).description == tensor.sha256)
    #expect(golden.rng_after.follows(generator.cachedNormal) { generator.nextUInt32() })
  }

  @Test(arguments: [DType.float32, .float64])
  func `the paths differ in half of the uniforms`(dtype: DType) throws {
    let width = dtype.byteWidth
    let paths = try CPUPath.allCases.map {
      var generator = Generator(seed: 1, cpuPath: $0)
      return generator.sample(
        try Sampling(.uniform(from: -0.1, to: 0.2), dtype: dtype, count: 10_000))
    }
    let differing = (0..<10_000).count { index in
      paths[0][index * width..<(index + 1) * width] != paths[1][index * width..<(index + 1) * width]
    }
    #expect((4000...6000).contains(differing))
  }
}
