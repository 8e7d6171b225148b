import ParallelWork
import Synchronization
import TensorCore
import TestSupport
import Testing

@Suite struct PipelineTests {
  /// What was finished, in order.
  private final class Log: Sendable {
    let events = Mutex<[String]>([])
    func add(_ event: String) { events.withLock { $0.append(event) } }
  }

  @Test(arguments: [1, 2, 3, 8])
  func `results are taken up in the items' order`(threads: Int) async throws {
    let log = Log()
    try await pipeline(
      0..<100, threads: threads,
      work: { item in
        // Later items are often done first.
        var sum = 0
        for step in 0..<(100 - item) * 200 { sum &+= step }
        return sum == -1 ? -1 : item * 2
      },
      finish: { item, value in log.add("\(item):\(value)") })
    #expect(log.events.withLock { $0 } == (0..<100).map { "\($0):\($0 * 2)" })
  }

  @Test(arguments: [1, 2, 5])
  func `each lane keeps its order`(threads: Int) async throws {
    let log = Log()
    try await pipeline(
      0..<60, threads: threads, work: { $0 },
      stages: [PipelineStage(lane: { $0 % 3 }) { item, _ in log.add("\(item)") }])
    let events = log.events.withLock { $0 }.compactMap { Int($0) }
    #expect(events.sorted() == Array(0..<60))
    for lane in 0..<3 {
      #expect(events.filter { $0 % 3 == lane } == (0..<60).filter { $0 % 3 == lane })
    }
  }

  @Test func `with one thread an item is finished before the next is begun`() async throws {
    let log = Log()
    try await pipeline(
      0..<4, threads: 1, work: { log.add("work \($0)") },
      finish: { item, _ in log.add("finish \(item)") })
    #expect(
      log.events.withLock { $0 } == (0..<4).flatMap { ["work \($0)", "finish \($0)"] })
  }

  @Test(arguments: [1, 2, 5])
  func `an item passes its stages one after another`(threads: Int) async throws {
    let log = Log()
    try await pipeline(
      0..<60, threads: threads, work: { $0 },
      stages: [
        PipelineStage(lane: { $0 % 4 }) { item, _ in log.add("lane \(item)") },
        PipelineStage { item, _ in log.add("end \(item)") },
      ])
    let events = log.events.withLock { $0 }
    #expect(events.filter { $0.hasPrefix("end") } == (0..<60).map { "end \($0)" })
    for lane in 0..<4 {
      let passed = events.compactMap { $0.hasPrefix("lane ") ? Int($0.dropFirst(5)) : nil }
      #expect(passed.filter { $0 % 4 == lane } == (0..<60).filter { $0 % 4 == lane })
    }
    for item in 0..<60 {
      let places = ["lane \(item)", "end \(item)"].map { events.firstIndex(of: $0) ?? -1 }
      #expect(places[0] >= 0 && places[0] < places[1])
    }
  }

  @Test(arguments: [1, 3, 8], [true, false])
  func `the error of the first item is thrown`(threads: Int, inWork: Bool) async throws {
    let log = Log()
    let error = await #expect(throws: CheckpointError.self) {
      try await pipeline(
        0..<1000, threads: threads,
        work: { item in
          // Item 6 goes wrong, too, and often before item 5.
          if item == 5 { for _ in 0..<1000 { log.add("") } }
          if inWork, [5, 6].contains(item) { throw CheckpointError(.malformed, "item \(item)") }
        },
        finish: { item, _ in
          if !inWork, item == 5 { throw CheckpointError(.malformed, "item \(item)") }
          log.add("finish \(item)")
        })
    }
    #expect(error?.message == "item 5")
    let finished = log.events.withLock { $0 }.filter { !$0.isEmpty }
    #expect(finished == (0..<5).map { "finish \($0)" })
  }

  @Test func `items are taken only as they are needed`() async throws {
    let error = await #expect(throws: CheckpointError.self) {
      try await pipeline(
        0..<Int.max, threads: 2, work: { $0 },
        finish: { item, _ in if item == 100 { throw CheckpointError(.malformed, "enough") } })
    }
    #expect(error?.message == "enough")
  }

  @Test func `no items means no work`() async throws {
    try await pipeline([Int](), threads: 2, work: { $0 }, finish: { _, _ in })
  }

  @Test(arguments: [1, .max])
  func `any number of threads will do`(threads: Int) async throws {
    #expect(try await concurrentMap(0..<9, width: threads) { $0 * $0 } == (0..<9).map { $0 * $0 })
  }

  @Test func `a cancelled task begins nothing more`() async throws {
    let task = Task {
      try await pipeline(
        0..<Int.max, threads: 2, work: { $0 },
        finish: { _, _ in })
    }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
  }
}

@Suite struct DigestsTests {
  @Test(arguments: [1, 2, 5])
  func `digests are those of each tensor alone`(threads: Int) async throws {
    let mebibyte = 1 << 20
    let sizes = [
      0, 1, 100, 2 * mebibyte, 2 * mebibyte + 1, 3, 7 * mebibyte + 5, 0, mebibyte, mebibyte, 9,
    ]
    var entries = try sizes.enumerated().map {
      try Checkpoint.Entry(
        memory: TensorName("t\($0)"), .uint8, [$1],
        [UInt8](repeating: UInt8($0), count: max($1 - 1, 0)) + ($1 > 0 ? [99] : []))
    }
    entries[6].preferredReadSize = 1_000_003
    let digests = try await Checkpoint.digests(of: entries, threads: threads)
    #expect(try digests.map { try $0.get() } == entries.map { try $0.digest() })
  }

  @Test func `a tensor that cannot be read says why and harms no other`() async throws {
    let sound = try Checkpoint.Entry(
      memory: "sound", .uint8, [5 << 20], [UInt8](repeating: 7, count: 5 << 20))
    let broken = Checkpoint.Entry(
      name: "broken", info: try TensorInfo(dtype: .uint8, shape: [5 << 20])
    ) { range, _ in
      throw CheckpointError(.malformed, "byte \(range.lowerBound)")
    }
    let small = Checkpoint.Entry(
      name: "small", info: try TensorInfo(dtype: .uint8, shape: [5])
    ) { _, _ in throw CheckpointError(.malformed, "small") }
    let found = try await Checkpoint.digests(of: [broken, sound, small], threads: 2)
    #expect(try found[1].get() == sound.digest())
    for (index, message) in [(0, "tensor 'broken': byte"), (2, "tensor 'small': small")] {
      let error = #expect(throws: CheckpointError.self) { try found[index].get() }
      #expect(error?.description.hasPrefix(message) == true)
    }
  }
}
