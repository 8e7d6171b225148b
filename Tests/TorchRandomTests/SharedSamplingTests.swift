import ParallelWork
import TensorCore
import Testing
import TorchRandom

@Suite struct SharedSamplingTests {
  @Test(arguments: SamplingCursorTests.Trial.all)
  func `many readers at once get the bytes of the whole`(
    trial: SamplingCursorTests.Trial
  ) async throws {
    let count = 50_003
    let width = trial.dtype.byteWidth
    for start in trial.starts {
      let sampling = try trial.sampling(count)
      var generator = start
      let whole = generator.sample(sampling)
      for step in [1000, 4096, 7777] {
        let shared = SharedSampling(sampling, from: start)
        // Backwards, in turn and in disorder.
        for order in [1, -1, 17] {
          let starts = Array(stride(from: 0, to: count, by: step))
          let indices = starts.indices.map { index in
            order < 0 ? starts.count - 1 - index : index * order % starts.count
          }
          let parts = try await concurrentMap(indices, width: 4) { index in
            let range = starts[index]..<min(starts[index] + step, count)
            var bytes = [UInt8](repeating: 0, count: range.count * width)
            bytes.withMutableRawSpan { shared.read(elements: range, into: &$0) }
            return bytes == Array(whole[range.lowerBound * width..<range.upperBound * width])
          }
          #expect(parts.allSatisfy { $0 }, "steps of \(step), order \(order)")
        }
      }
    }
  }

  @Test func `ranges far apart in a tensor too large for memory`() throws {
    let sampling = try Sampling(
      .normal(mean: 0, standardDeviation: 1), dtype: .float32, count: 1 << 50)
    let shared = SharedSampling(sampling, from: Generator(seed: 1))
    for position in [1 << 49, 16, 1 << 40] {
      var generator = Generator(seed: 1)
      generator.skip(words: position)
      let here = try Sampling(.normal(mean: 0, standardDeviation: 1), dtype: .float32, count: 16)
      var bytes = [UInt8](repeating: 0, count: 64)
      bytes.withMutableRawSpan {
        shared.read(elements: position..<position + 16, into: &$0)
      }
      #expect(bytes == generator.sample(here))
    }
  }
}
