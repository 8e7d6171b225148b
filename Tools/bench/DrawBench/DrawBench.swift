import ParallelWork
import Synchronization
import TensorCore
import TorchRandom

/// Draws one tensor again and again into a warm buffer and prints the best time in nanoseconds:
/// `DrawBench uniform|normal DTYPE COUNT TASKS REPEATS`.
@main struct DrawBench {
  static func main() async throws {
    let words = CommandLine.arguments.dropFirst()
    guard words.count == 5, let dtype = DType(named: words[2]), let count = Int(words[3]),
      let tasks = Int(words[4]), let repeats = Int(words[5])
    else {
      print("usage: DrawBench uniform|normal DTYPE COUNT TASKS REPEATS")
      return
    }
    let distribution: Distribution =
      words[1] == "normal"
      ? .normal(mean: 0, standardDeviation: 0.02) : .uniform(from: -0.1, to: 0.2)
    let sampling = try Sampling(distribution, dtype: dtype, count: count)
    let share = count / tasks
    let memory = (0..<tasks).map { _ in Memory(share * dtype.byteWidth) }
    var best = Duration.seconds(3600)
    for _ in 0...repeats {
      let values = SharedSampling(sampling, from: Generator(seed: 0))
      let time = await ContinuousClock().measure {
        // One range of the tensor for each task, in the steps in which checkpoints are written.
        await withTaskGroup(of: Void.self) { group in
          for task in 0..<tasks {
            group.addTask {
              memory[task].fill(from: values, first: share * task, width: dtype.byteWidth)
            }
          }
        }
      }
      best = min(best, time)
    }
    print(best.components.attoseconds / 1_000_000_000 + best.components.seconds * 1_000_000_000)
  }
}

/// Memory that one task at a time writes.
final class Memory: Sendable {
  private let buffer: Mutex<ChunkBuffer>
  private let byteCount: Int

  init(_ byteCount: Int) {
    var buffer = ChunkBuffer(capacity: byteCount)
    _ = buffer.mutableBytes(byteCount)
    self.buffer = Mutex(buffer)
    self.byteCount = byteCount
  }

  func fill(from values: SharedSampling, first: Int, width: Int) {
    buffer.withLock { buffer in
      var bytes = buffer.mutableBytes(byteCount)
      for offset in stride(from: 0, to: byteCount, by: 1 << 20) {
        let end = min(offset + (1 << 20), byteCount)
        var part = bytes._mutatingExtracting(offset..<end)
        values.read(elements: first + offset / width..<first + end / width, into: &part)
      }
    }
  }
}
