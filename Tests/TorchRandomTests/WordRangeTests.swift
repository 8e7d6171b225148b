import TensorCore
import Testing

@testable import TorchRandom

@Suite struct WordRangeTests {
  @Test(arguments: [
    Distribution.uniform(from: -0.3, to: 0.3), .uniform(from: 0, to: 1),
    .normal(mean: 0, standardDeviation: 0.02), .normal(mean: 1, standardDeviation: 2),
  ])
  func `the word that made an element is always in the range`(distribution: Distribution) throws {
    for dtype in [DType.float32, .float64, .bfloat16, .float16] {
      for count in [2, 15, 16, 48, 100] {
        let sampling = try Sampling(distribution, dtype: dtype, count: count)
        for seed in 0..<50 {
          var generator = Generator(seed: UInt64(seed))
          let values = generator.sample(sampling)
          let range = try #require(sampling.wordRange(of: values, from: 0))
          var words = Generator(seed: UInt64(seed))
          words.skip(words: range.offset)
          let word = words.nextUInt32()
          var test = SeedTest([range], start: 0)
          #expect(
            test.seeds(from: UInt32(seed), groups: 1).first == UInt32(seed),
            "\(dtype) \(count) seed \(seed) word \(word)")
        }
      }
    }
  }

  @Test func `a value off the grid is not a draw`() throws {
    let sampling = try Sampling(.uniform(from: -1, to: 1), dtype: .float32, count: 1)
    #expect(sampling.wordRange(of: [1, 0, 0, 0], from: 0) == nil)
    #expect(sampling.wordRange(of: [0, 0, 0, 0x40], from: 0) == nil)
  }

  @Test(arguments: [
    0 as Int, 1, 225, 226, 227, 396, 622, 623, 624, 1247, 19_312, 19_313, 19_314, 20_000,
    3_000_000_019,
  ])
  func `seeds are tested by the word at any place`(place: Int) {
    let seeds: [UInt32] = [0, 77, UInt32.max - 70]
    for seed in seeds {
      var generator = Generator(seed: UInt64(seed))
      generator.skip(words: place)
      let word = generator.nextUInt32() & 0xff_ffff
      let range = WordRange(offset: 0, mask: 0xff_ffff, bounds: word...word)
      var test = SeedTest([range], start: place)
      let next = generator.nextUInt32() & 0x1f_ffff
      #expect(test.seeds(from: seed & ~63, groups: 1) == [seed])
      let wide = WordRange(offset: 0, mask: 0xff_ffff, bounds: 0...0xff_ffff)
      test = SeedTest(
        [wide, WordRange(offset: 1, mask: 0x1f_ffff, bounds: next...next)], start: place)
      #expect(test.seeds(from: seed & ~63, groups: 1) == [seed])
    }
  }
}
