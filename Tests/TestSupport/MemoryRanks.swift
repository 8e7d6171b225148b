import Glibc
import ParallelWork
package import Ranks
import Synchronization

/// Ranks that are tasks of one process, and give each other bytes in its memory.
package enum MemoryRanks {
  /// Runs `body` on `count` ranks at once, each with a thread of its own, and returns what becomes of
  /// each after all have met at the end, as the ranks of a command do.
  package static func run<Value: Sendable>(
    _ count: Int, _ body: @escaping @Sendable (Ranks) async throws -> Value
  ) async -> [Result<Value, any Error>] {
    let hub = Hub(count)
    return await withTaskGroup(of: (Int, Result<Value, any Error>).self) { group in
      for rank in 0..<count {
        group.addTask(executorPreference: IOThreads(count: 1)) {
          let ranks = Ranks(Transport(rank: rank, size: count, hub: hub))
          do {
            let value = try await Ranks.$current.withValue(ranks) { try await body(ranks) }
            let end = ranks.finish(status: 0, fault: nil, isLocated: true)
            return (rank, end.fault.map { .failure($0.error) } ?? .success(value))
          } catch {
            let end = ranks.finish(status: 2, fault: RankFault(error), isLocated: true)
            return (rank, .failure(end.fault?.error ?? error))
          }
        }
      }
      var results: [Int: Result<Value, any Error>] = [:]
      for await (rank, result) in group { results[rank] = result }
      return (0..<count).compactMap { results[$0] }
    }
  }

  private struct Transport: RankTransport {
    let rank: Int
    let size: Int
    let hub: Hub

    func gather(_ bytes: [UInt8]) -> [[UInt8]] { hub.gather(bytes, rank) }

    func gather(_ bytes: [UInt8], counts: [Int]) -> [[UInt8]] {
      let parts = hub.gather(bytes, rank)
      precondition(parts.map(\.count) == counts, "parts of other sizes than announced")
      return parts
    }

    func finish() {}

    func abort(status: Int32, saying text: String) -> Never { fatalError(text) }
  }

  private final class Hub: Sendable {
    private struct State {
      /// By rank how many exchanges it has made.
      var rounds: [Int]
      var given: [Int: [Int: [UInt8]]] = [:]
      var taken: [Int: Int] = [:]
    }

    private let count: Int
    private let state: Mutex<State>

    init(_ count: Int) {
      self.count = count
      state = Mutex(State(rounds: Array(repeating: 0, count: count)))
    }

    func gather(_ bytes: [UInt8], _ rank: Int) -> [[UInt8]] {
      let round = state.withLock { state in
        state.rounds[rank] += 1
        state.given[state.rounds[rank], default: [:]][rank] = bytes
        return state.rounds[rank]
      }
      while true {
        let parts = state.withLock { state -> [[UInt8]]? in
          guard let given = state.given[round], given.count == count else { return nil }
          state.taken[round, default: 0] += 1
          if state.taken[round] == count { state.given[round] = nil }
          return (0..<count).compactMap { given[$0] }
        }
        if let parts { return parts }
        usleep(50)
      }
    }
  }
}
