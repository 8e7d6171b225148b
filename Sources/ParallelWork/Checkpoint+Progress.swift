import Synchronization
public import TensorCore

extension Checkpoint {
  /// Runs work that reads this checkpoint, and tells how far it is.
  ///
  /// ```swift
  /// for try await progress in checkpoint.progress(of: { try await target.write($0) }) {
  ///   print(progress.fraction)
  /// }
  /// ```
  ///
  /// The sequence ends when the work has ended, and throws what it throws; a slow reader gets the latest
  /// state alone. A loop that is left early, or whose task is cancelled, cancels the work. `work` gets the
  /// same checkpoint, whose reads are counted: what is read twice counts twice.
  public func progress(
    of work: @escaping @Sendable (Checkpoint) async throws -> Void
  ) -> AsyncThrowingStream<WorkProgress, any Error> {
    let total = entries.map(\.info.byteCount).saturatedSum()
    let (stream, continuation) = AsyncThrowingStream.makeStream(
      of: WorkProgress.self, throwing: (any Error).self, bufferingPolicy: .bufferingNewest(1))
    let counter = ReadingCounter()
    var tracked = self
    tracked.entries = entries.map { entry in
      entry.wrappingReader { range, target, read in
        try read(range, &target)
        counter.add(range.count) { done in
          _ = continuation.yield(WorkProgress(done: done, total: total))
        }
      }
    }
    let task = Task { [tracked] in
      do {
        try await work(tracked)
        continuation.finish()
      } catch {
        continuation.finish(throwing: error)
      }
    }
    continuation.onTermination = { _ in task.cancel() }
    return stream
  }
}

/// Bytes that were read by any task.
private final class ReadingCounter: Sendable {
  private let done = Mutex(0)

  /// Adds to the count and reports it, in order.
  func add(_ count: Int, report: (Int) -> Void) {
    done.withLock { done in
      done += count
      report(done)
    }
  }
}
