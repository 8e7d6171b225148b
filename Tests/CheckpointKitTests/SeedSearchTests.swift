import CheckpointKit
import Glibc
import ParallelWork
import Synchronization
import TensorCore
import Testing

@Suite struct SeedSearchTests {
  static let recipe = """
    {"dtype":"float32","seed":"5","steps":[{"as":"net","construct":"Linear(in_features=64, out_features=64, bias=True)"}],\
    "torch":"2.15 avx2","version":2}
    """

  /// The threads that have tested seeds.
  private final class Seen: Sendable {
    let threads = Mutex<Set<UInt>>([])

    /// Notes the thread, and lets others come in turn until there is another one.
    func add() {
      let count = threads.withLock { threads in
        threads.insert(UInt(pthread_self()))
        return threads.count
      }
      if count < 2 { usleep(1_000) }
    }
  }

  /// The command runs on one thread of its own, which its child tasks would share.
  @Test func `all threads test seeds, whatever executor the caller prefers`() async throws {
    let recipe = try Recipe(json: Self.recipe)
    let search = try SeedSearch(
      of: recipe.plan().checkpoint, recipe: recipe, selection: Selection())
    let clue = try #require(search.clues.first)
    let seen = Seen()
    let found = try await withTaskExecutorPreference(IOThreads(count: 1)) {
      try await search.find(by: clue, in: 6...2_000_000, threads: 2) { _ in seen.add() }
    }
    #expect(found == nil)
    #expect(seen.threads.withLock { $0.count } == 2)
    #expect(try await search.find(by: clue, in: 0...100_000, threads: 2)?.seed == 5)
  }

  @Test func `a search of all seeds ends when it is cancelled`() async throws {
    let recipe = try Recipe(json: Self.recipe)
    let search = try SeedSearch(
      of: recipe.plan().checkpoint, recipe: recipe, selection: Selection())
    let clue = try #require(search.clues.first)
    let task = Mutex<Task<SeedSearch.Found?, any Error>?>(nil)
    let count = Mutex(0)
    let running = Task {
      try await search.find(by: clue, in: 6...UInt32.max, threads: 2) { progress in
        count.withLock { $0 = progress.done }
        while true {
          if let task = task.withLock({ $0 }) { return task.cancel() }
          usleep(1_000)
        }
      }
    }
    task.withLock { $0 = running }
    await #expect(throws: CancellationError.self) { try await running.value }
    #expect(count.withLock { $0 } < 1 << 20)
  }
}
