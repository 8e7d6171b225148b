package import Ranks
import TensorCore

/// How several ranks share the items of one pipeline: what an item costs, and how a value, without
/// the bytes that only its own rank needs, becomes a record for the others and comes back.
package struct Sharing<Item, Value> {
  /// Who shares.
  let ranks: Ranks
  /// What errors call the work.
  let name: String
  /// What an item costs, in bytes; by it items are dealt out.
  let cost: (Item) -> Int
  /// The cost of a rank's items in a window; it holds the values of two windows.
  let window: Int
  let write: (Value, inout RecordWriter) -> Void
  let read: (Item, inout RecordReader) -> Value

  /// Shares work of this name; every rank must be given the same items.
  package init(
    _ ranks: Ranks, _ name: String, window: Int = WorkLimits.windowSize,
    cost: @escaping (Item) -> Int,
    write: @escaping (Value, inout RecordWriter) -> Void,
    read: @escaping (Item, inout RecordReader) -> Value
  ) {
    (self.ranks, self.name, self.cost, self.window) = (ranks, name, cost, window)
    (self.write, self.read) = (write, read)
  }
}

extension Sharing where Value == CheckpointError? {
  /// Shares a search for damage among the ranks of the running task.
  package static func errors(_ name: String, cost: @escaping (Item) -> Int) -> Self {
    Sharing(
      Ranks.current, name, cost: cost, write: { $1.add($0) { $1.add($0) } },
      read: { $1.optional { $0.error() } })
  }
}

extension [Piece] {
  /// Bytes of all.
  package var byteCount: Int { reduce(0) { $0 + $1.range.count } }
}

/// A pipeline whose items several ranks share.
///
/// Consecutive items form windows, of which every rank gets a run. It works on those alone, as
/// ``pipeline(_:threads:size:work:stages:)`` does, gives their records to the others when all of its
/// run is done, and then passes all items of the window through the stages, one after another: its
/// own with their values, others with what their records give. So the stages do the same on every
/// rank. What is appended to a sink in a stage is written by the rank whose item passes.
///
/// All ranks throw the same error, that of the first item; an error of one rank ends the others
/// after their window.
package func pipeline<Item: Sendable, Value: Sendable>(
  _ items: some Sequence<Item>, threads: Int, size: Int = WorkLimits.readSize,
  sharing: Sharing<Item, Value>, work: @escaping @Sendable (Item) throws -> Value,
  stages: [PipelineStage<Item, Value>]
) async throws {
  guard sharing.ranks.size > 1 else {
    return try await pipeline(items, threads: threads, size: size, work: work, stages: stages)
  }
  let run = SharedRun(items, sharing, stages)
  // The caller's closures must not outlive the call.
  defer { run.end() }
  try await pipeline(
    run.ownItems, threads: threads, size: size,
    work: { own in run.work(own, work) },
    stages: [PipelineStage { own, result in try run.gather(own, result) }])
  try run.finish()
}

/// Maps `items` on all ranks and returns the results in order on each; of several errors the first
/// item's is thrown.
///
/// The costliest items are dealt out first, each to the rank that has least.
package func concurrentMap<Item: Sendable, Result: Sendable>(
  _ items: [Item], width: Int, sharing: Sharing<Item, Result>,
  _ transform: @escaping @Sendable (Item) throws -> Result
) async throws -> [Result] {
  let ranks = sharing.ranks
  guard ranks.size > 1 else { return try await concurrentMap(items, width: width, transform) }
  var loads = [Int](repeating: 0, count: ranks.size)
  var shares = [[Int]](repeating: [], count: ranks.size)
  // Tensors that share their bytes may claim any number of them.
  let costs = items.map { min(max(sharing.cost($0), 1), 1 << 40) }
  for index in items.indices.sorted(by: { (costs[$1], $0) < (costs[$0], $1) }) {
    let rank = loads.indices.min { (loads[$0], $0) < (loads[$1], $1) } ?? 0
    loads[rank] += costs[index]
    shares[rank].append(index)
  }
  for rank in shares.indices { shares[rank].sort() }
  let own = shares[ranks.rank]
  var writer = RecordWriter()
  var fault: RankFault?
  var results = [Result?](repeating: nil, count: items.count)
  do {
    try await pipeline(own, threads: width, work: { try transform(items[$0]) }) { index, result in
      results[index] = result
      sharing.write(result, &writer)
    }
  } catch {
    // Those before it have passed: the next one is the first that failed.
    let passed = own.prefix { results[$0] != nil }.count
    fault = RankFault(error, item: passed < own.count ? own[passed] : .max)
  }
  let parts = try ranks.exchange(sharing.name, writer.bytes, fault: fault)
  for (rank, part) in parts.enumerated() where rank != ranks.rank {
    var reader = RecordReader(part)
    for index in shares[rank] { results[index] = sharing.read(items[index], &reader) }
  }
  return results.compactMap { $0 }
}
