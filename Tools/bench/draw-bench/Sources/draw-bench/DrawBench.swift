import CheckpointKit

/// Draws one tensor again and again into a warm buffer and prints the best time in nanoseconds:
/// `draw-bench uniform|normal DTYPE COUNT TASKS REPEATS`.
@main struct DrawBench {
  static func main() async throws {
    let words = CommandLine.arguments.dropFirst()
    guard words.count == 5, let dtype = DType(named: words[2]), let count = Int(words[3]),
      let tasks = Int(words[4]), let repeats = Int(words[5])
    else {
      print("usage: sampling-bench uniform|normal DTYPE COUNT TASKS REPEATS")
      return
    }
    let distribution: Distribution =
      words[1] == "normal"
      ? .normal(mean: 0, standardDeviation: 0.02) : .uniform(from: -0.1, to: 0.2)
    let sampling = try Sampling(distribution, dtype: dtype, count: count)
    let buffers = (0..<tasks).map { _ in Buffer(byteCount: count / tasks * dtype.byteWidth) }
    var best = Duration.seconds(3600)
    for _ in 0...repeats {
      let values = SharedSampling(sampling, from: Generator(seed: 0))
      let time = try await ContinuousClock().measure {
        // One range of the tensor for each task, in the steps in which checkpoints are written.
        _ = try await concurrentMap(Array(0..<tasks), width: tasks) { task in
          buffers[task].fill(from: values, first: count / tasks * task, width: dtype.byteWidth)
        }
      }
      best = min(best, time)
    }
    print(best.components.attoseconds / 1_000_000_000 + best.components.seconds * 1_000_000_000)
  }
}

/// Memory that one task at a time writes.
final class Buffer: @unchecked Sendable {
  private let bytes: UnsafeMutableRawBufferPointer

  init(byteCount: Int) {
    bytes = .allocate(byteCount: byteCount, alignment: 64)
    bytes.initializeMemory(as: UInt8.self, repeating: 1)
  }

  deinit { bytes.deallocate() }

  func fill(from values: SharedSampling, first: Int, width: Int) {
    let step = 1 << 20
    for offset in stride(from: 0, to: bytes.count, by: step) {
      let end = min(offset + step, bytes.count)
      var part = MutableRawSpan(_unsafeBytes: bytes[offset..<end])
      values.read(elements: first + offset / width..<first + end / width, into: &part)
    }
  }
}
