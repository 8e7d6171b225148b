/// A thread that waits for asynchronous work and does those of its parts that no other thread does.
///
/// Swift's own pool of threads is not used, so that a program that is not written in Swift gets no threads
/// that stay, and so that a process can work after it was forked, where that pool is lost.
package final class CallingThread: TaskExecutor {
  private struct State {
    var jobs: [UnownedJob] = []
    var isDone = false
  }

  private let monitor = Monitor(State())

  /// Adds a part of the work.
  package func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    monitor.withLock { state in
      state.jobs.append(job)
      _ = monitor.wakeOne()
    }
  }

  /// Does the work and returns its result; `started` is given a function that cancels it.
  ///
  /// - Throws: what `body` throws.
  package static func run<Value: Sendable>(
    _ body: @escaping @Sendable () async throws -> Value,
    started: (@escaping @Sendable () -> Void) -> Void = { _ in }
  ) throws -> Value {
    let thread = CallingThread()
    let outcome = Monitor<Result<Value, any Error>?>(nil)
    let task = Task(executorPreference: thread) {
      let result: Result<Value, any Error>
      do {
        result = .success(try await body())
      } catch {
        result = .failure(error)
      }
      outcome.withLock { $0 = result }
      thread.monitor.withLock { $0.isDone = true }
    }
    started { task.cancel() }
    thread.runJobs()
    return try outcome.wait { $0 }.get()
  }

  /// Does what comes until the work is done.
  private func runJobs() {
    while true {
      let job = monitor.wait { state -> UnownedJob?? in
        if !state.jobs.isEmpty { return .some(state.jobs.removeFirst()) }
        // The outer optional means that waiting is over.
        return state.isDone ? .some(nil) : nil
      }
      guard let job else { return }
      unsafe job.runSynchronously(on: asUnownedTaskExecutor())
    }
  }
}
