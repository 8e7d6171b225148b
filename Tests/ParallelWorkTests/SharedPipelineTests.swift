import ParallelWork
import Ranks
import Synchronization
import TensorCore
import TestSupport
import Testing

/// One pipeline on several ranks.
@Suite struct SharedPipelineTests {
  private static let counts = [1, 2, 3, 4, 7]

  private struct Failure: Error, CustomStringConvertible {
    let item: Int
    var description: String { "item \(item)" }
  }

  /// What a rank has done.
  private struct Record: Sendable {
    var worked: [Int] = []
    var passed: [Int] = []
    var values: [Int] = []
  }

  private static func sharing(_ ranks: Ranks, window: Int = 100) -> Sharing<Int, Int> {
    Sharing(
      ranks, "test", window: window, cost: { $0 % 40 }, write: { $1.add($0) },
      read: { $1.integer() })
  }

  private static func run(
    _ items: Range<Int>, on ranks: Ranks, threads: Int = 2,
    failingWork: Set<Int> = [], failingStage: (rank: Int, item: Int)? = nil
  ) async throws -> Record {
    let record = Mutex(Record())
    try await pipeline(
      items, threads: threads, sharing: sharing(ranks),
      work: { item in
        record.withLock { $0.worked.append(item) }
        if failingWork.contains(item) { throw Failure(item: item) }
        return item * item
      },
      stages: [
        PipelineStage { item, value in
          if let failingStage, failingStage.rank == ranks.rank, failingStage.item == item {
            throw CheckpointError(.system, "no space", path: "out")
          }
          record.withLock {
            $0.passed.append(item)
            $0.values.append(value)
          }
        }
      ])
    return record.withLock { $0 }
  }

  @Test(arguments: counts, [0, 1, 5, 400])
  func `every item is worked on once and passes everywhere`(count: Int, items: Int) async throws {
    let results = await MemoryRanks.run(count) { try await Self.run(0..<items, on: $0) }
    let records = try results.map { try $0.get() }
    #expect(records.count == count)
    for record in records {
      #expect(record.passed == Array(0..<items))
      #expect(record.values == (0..<items).map { $0 * $0 })
    }
    #expect(records.flatMap(\.worked).sorted() == Array(0..<items))
    if items == 400 {
      // Each has about as much to do.
      let loads = records.map { $0.worked.reduce(0) { $0 + $1 % 40 } }
      let share = loads.reduce(0, +) / count
      #expect(loads.allSatisfy { $0 > share * 7 / 10 && $0 < share * 13 / 10 }, "\(loads)")
    }
  }

  @Test(arguments: counts, [[3], [399], [250, 251, 90], [0, 1, 2]])
  func `the error is that of the first item, on every rank`(
    count: Int, failing: [Int]
  ) async throws {
    let first = failing.min() ?? 0
    let results = await MemoryRanks.run(count) { ranks in
      _ = try await Self.run(0..<400, on: ranks, failingWork: Set(failing))
    }
    #expect(results.count == count)
    for result in results {
      let error = #expect(throws: (any Error).self) { try result.get() }
      #expect("\(try #require(error))".hasPrefix("item \(first)"))
    }
  }

  @Test(arguments: counts, [0, 3, 120, 399])
  func `the error of a stage on one rank ends all of them`(count: Int, item: Int) async throws {
    let results = await MemoryRanks.run(count) { ranks in
      _ = try await Self.run(0..<400, on: ranks, failingStage: (count - 1, item))
    }
    for result in results {
      let error = #expect(throws: CheckpointError.self) { try result.get() }
      let text = try #require(error).description
      #expect(text.hasPrefix("out: no space"))
      #expect(count == 1 || text.contains("(rank \(count - 1) of \(count) on "))
    }
  }

  @Test(arguments: counts) func `an earlier item's error in a stage comes first`(
    count: Int
  ) async throws {
    let results = await MemoryRanks.run(count) { ranks in
      _ = try await Self.run(
        0..<400, on: ranks, failingWork: [30], failingStage: (0, 28))
    }
    for result in results {
      let error = #expect(throws: CheckpointError.self) { try result.get() }
      #expect(try #require(error).message.hasPrefix("no space"))
    }
  }

  @Test(arguments: [2, 3, 4, 7]) func `a rank that fails elsewhere ends the others`(
    count: Int
  ) async throws {
    for failing in [0, count - 1] {
      let results = await MemoryRanks.run(count) { ranks in
        if ranks.rank == failing { throw CheckpointError(.system, "gone", path: "in") }
        _ = try await Self.run(0..<400, on: ranks)
      }
      for result in results {
        let error = #expect(throws: CheckpointError.self) { try result.get() }
        let text = "in: gone (rank \(failing) of \(count) on "
        #expect(try #require(error).description.hasPrefix(text))
      }
    }
  }

  @Test(arguments: counts) func `work goes on after an error that all have heard of`(
    count: Int
  ) async throws {
    let results = await MemoryRanks.run(count) { ranks -> (String, Record) in
      var text = ""
      do {
        try await ranks.together("first") {
          if ranks.rank == count / 2 { throw CheckpointError(.malformed, "bad") }
          _ = try await Self.run(0..<100, on: ranks)
          _ = try await Self.run(0..<100, on: ranks)
        }
      } catch {
        text = "\(error)"
      }
      return (text, try await Self.run(0..<50, on: ranks))
    }
    for result in results {
      let (text, record) = try result.get()
      #expect(text == "bad")
      #expect(record.passed == Array(0..<50))
    }
  }

  @Test(arguments: counts) func `ranks end together when one fails between two meetings`(
    count: Int
  ) async throws {
    let results = await MemoryRanks.run(count) { ranks in
      try await ranks.together("first") {}
      if ranks.rank == count / 2 { throw CheckpointError(.malformed, "bad") }
      try await ranks.together("second") {}
      try await ranks.together("third") {}
    }
    #expect(results.count == count)
    for result in results {
      let error = #expect(throws: CheckpointError.self) { try result.get() }
      #expect(error?.message == "bad")
    }
  }

  @Test(arguments: counts) func `a map gives every rank all results`(count: Int) async throws {
    let results = await MemoryRanks.run(count) { ranks in
      try await concurrentMap(
        Array(0..<100), width: 2, sharing: Self.sharing(ranks)
      ) { $0 + 1 }
    }
    for result in results { #expect(try result.get() == Array(1...100)) }
    let failed = await MemoryRanks.run(count) { ranks in
      try await concurrentMap(
        Array(0..<100), width: 2, sharing: Self.sharing(ranks)
      ) { if $0 == 17 || $0 == 60 { throw Failure(item: $0) } else { $0 } }
    }
    for result in failed {
      let error = #expect(throws: (any Error).self) { try result.get() }
      #expect("\(try #require(error))".hasPrefix("item 17"))
    }
  }

  @Test(arguments: counts, [1, 2]) func `one rank appends what passes`(
    count: Int, threads: Int
  ) async throws {
    let results = await MemoryRanks.run(count) { ranks in
      let turns = Mutex<[Int]>([])
      #expect(ranks.hasTurn == (ranks.rank == 0))
      try await pipeline(
        0..<200, threads: threads, sharing: Self.sharing(ranks), work: { $0 },
        stages: [
          PipelineStage { item, _ in
            if ranks.hasTurn { turns.withLock { $0.append(item) } }
          }
        ])
      #expect(ranks.hasTurn == (ranks.rank == 0))
      return turns.withLock { $0 }
    }
    #expect(try results.flatMap { try $0.get() }.sorted() == Array(0..<200))
  }
}
