import TensorCore

/// What follows the work on an item: done in the items' order, one item at a time in each lane.
package struct PipelineStage<Item, Value> {
  let lane: (Item) -> Int
  let body: (Item, Value) throws -> Void

  /// A stage whose lanes advance in parallel; without lanes all items pass one after another.
  package init(
    lane: @escaping (Item) -> Int = { _ in 0 }, _ body: @escaping (Item, Value) throws -> Void
  ) {
    self.lane = lane
    self.body = body
  }
}

/// Runs `work` on items in parallel and in any order, then passes each through `stages` in the
/// items' order, with a bounded number of items in between.
///
/// Runs on at most `threads` threads of its own, so that blocking reads hold none of Swift's; the
/// caller is suspended meanwhile, so that stages may use what only the caller has. Items are taken
/// from the sequence when there is room, so that it may be endless. Stages go before new work, and
/// with one thread an item is finished before the next is begun. `size` is how many bytes an item
/// holds.
///
/// After an error no item is begun and those before it are finished, so that the error which is
/// thrown, the one of the first item, does not depend on the number of threads.
package func pipeline<Item: Sendable, Value: Sendable>(
  _ items: some Sequence<Item>, threads: Int, size: Int = WorkLimits.readSize,
  work: @escaping @Sendable (Item) throws -> Value, stages: [PipelineStage<Item, Value>]
) async throws {
  let workers = WorkLimits.workers(threads)
  var iterator = items.makeIterator()
  let run = PipelineRun(
    PipelineState(
      workers: workers, window: WorkLimits.window(workers: workers, size: size),
      lanes: stages.map(\.lane), nextItem: { iterator.next() }),
    work, stages)
  try await withTaskCancellationHandler {
    try await withCheckedThrowingContinuation { run.start(resuming: $0) }
  } onCancel: {
    run.cancel()
  }
}

/// A pipeline of one stage without lanes.
package func pipeline<Item: Sendable, Value: Sendable>(
  _ items: some Sequence<Item>, threads: Int, size: Int = WorkLimits.readSize,
  work: @escaping @Sendable (Item) throws -> Value,
  finish: @escaping (Item, Value) throws -> Void
) async throws {
  try await pipeline(
    items, threads: threads, size: size, work: work, stages: [PipelineStage(finish)])
}

/// Maps `items` on at most `width` threads and returns the results in order; of several errors the
/// first item's is thrown.
package func concurrentMap<Item: Sendable, Result: Sendable>(
  _ items: some Sequence<Item>, width: Int, _ transform: @escaping @Sendable (Item) throws -> Result
) async throws -> [Result] {
  var results: [Result] = []
  try await pipeline(items, threads: width, work: transform) { results.append($1) }
  return results
}

/// The threads of one pipeline, started as there is work for them.
private final class PipelineRun<Item: Sendable, Value: Sendable>: @unchecked Sendable {
  // Stages are not sendable: they run while the caller is suspended.
  private var stages: [PipelineStage<Item, Value>]
  private let work: @Sendable (Item) throws -> Value
  private let monitor: Monitor<Shared>

  private struct Shared {
    var pipeline: PipelineState<Item, Value>
    var threads = 0
    var continuation: CheckedContinuation<Void, any Error>?
  }

  init(
    _ state: PipelineState<Item, Value>, _ work: @escaping @Sendable (Item) throws -> Value,
    _ stages: [PipelineStage<Item, Value>]
  ) {
    monitor = Monitor(Shared(pipeline: state))
    self.work = work
    self.stages = stages
  }

  func start(resuming continuation: CheckedContinuation<Void, any Error>) {
    let isStarted = monitor.withLock { shared in
      shared.continuation = continuation
      return addThread(&shared)
    }
    if !isStarted {
      continuation.resume(throwing: CheckpointError(.system, "cannot create another thread"))
    }
  }

  func cancel() { monitor.withLock { $0.pipeline.cancel() } }

  private func addThread(_ shared: inout Shared) -> Bool {
    shared.threads += 1
    if startThread({ self.runThread() }) { return true }
    shared.threads -= 1
    return false
  }

  private func runThread() {
    while let action = next() {
      do {
        switch action {
        case .work(let number, let item):
          let value = try work(item)
          // Nobody is woken here: this thread asks next, takes what became ready, and wakes another
          // if there is more.
          monitor.withLock { $0.pipeline.worked(number, value) }
        case .pass(let number, let stage, let item, let value):
          try stages[stage].body(item, value)
          monitor.withLock { $0.pipeline.passed(number) }
        }
      } catch {
        monitor.withLock { $0.pipeline.failed(action.number, error) }
      }
    }
    let (continuation, failure) = monitor.withLock { shared in
      shared.threads -= 1
      // The caller's closures must not outlive the call.
      if shared.threads == 0 { stages = [] }
      return (shared.threads == 0 ? shared.continuation : nil, shared.pipeline.failure?.error)
    }
    if let continuation {
      if let failure { continuation.resume(throwing: failure) } else { continuation.resume() }
    }
  }

  /// What this thread does next, as soon as there is something; `nil` at the end.
  private func next() -> PipelineState<Item, Value>.Action? {
    monitor.wait { shared in
      if let action = shared.pipeline.next() {
        // Each thread that finds work starts at most one more, so that no more threads run than
        // there is work for. If the system refuses a thread, those that run do the work.
        if shared.pipeline.hasMore, !monitor.wakeOne(), shared.threads < shared.pipeline.workers {
          _ = addThread(&shared)
        }
        return .some(action)
      }
      guard shared.pipeline.isDone else { return nil }
      // The others wait for work that will not come.
      monitor.wakeAll()
      // The outer optional means that waiting is over, the inner one that there is nothing left to
      // do.
      return .some(nil)
    }
  }
}
