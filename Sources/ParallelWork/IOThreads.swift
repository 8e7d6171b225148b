import Glibc
import Synchronization

/// A few threads for work that waits, such as requests to a server: how many are in flight does not
/// depend on how many threads compute.
package final class IOThreads: Sendable {
  private struct State {
    var jobs: [@Sendable () -> Void] = []
    var threads = 0
  }

  /// The jobs, and the process whose threads do them: a child that was forked has none of them.
  private let current = Mutex((process: getpid(), monitor: Monitor(State())))
  private let count: Int

  /// At most `count` jobs are at work; threads are started as they are needed.
  package init(count: Int) { self.count = count }

  /// The jobs of this process.
  private var monitor: Monitor<State> {
    current.withLock { current in
      if current.process != getpid() { current = (getpid(), Monitor(State())) }
      return current.monitor
    }
  }

  /// Does a job as soon as a thread is free.
  package func submit(_ job: @escaping @Sendable () -> Void) {
    let monitor = monitor
    let isRefused = monitor.withLock { state in
      state.jobs.append(job)
      // A job never waits for a new thread while an idle one could take it.
      if monitor.wakeOne() || state.threads >= count { return false }
      if startThread({ Self.runThread(monitor) }) {
        state.threads += 1
        return false
      }
      // The system gives no more threads. With at least one, the job will be done; with none, the
      // caller does it.
      if state.threads > 0 { return false }
      state.jobs.removeLast()
      return true
    }
    if isRefused { job() }
  }

  private static func runThread(_ monitor: Monitor<State>) -> Never {
    while true {
      monitor.wait { $0.jobs.isEmpty ? nil : $0.jobs.removeFirst() }()
    }
  }

  /// Fills `target` in parts of at most `size` bytes, several at once, and waits for all of them.
  ///
  /// - Throws: of what `body` throws the error of the first part.
  package func fill<Failure: Error>(
    _ target: inout MutableRawSpan, inPartsOf size: Int,
    by body:
      @escaping @Sendable (
        _ offset: Int, _ part: inout MutableRawSpan
      ) throws(Failure) -> Void
  ) throws(Failure) {
    typealias Failed = (offset: Int, error: Failure)
    let count = target.byteCount
    let parts = Monitor((left: (count + size - 1) / size, failed: Failed?.none))
    let failed: Failed? = unsafe target.withUnsafeMutableBytes { bytes in
      nonisolated(unsafe) let bytes = unsafe bytes  // each job has a part of its own
      for offset in stride(from: 0, to: count, by: size) {
        submit {
          let part = unsafe UnsafeMutableRawBufferPointer(
            rebasing: bytes[offset..<min(offset + size, count)])
          var failed: Failed?
          do throws(Failure) {
            var span = unsafe part.mutableBytes
            try body(offset, &span)
          } catch {
            failed = (offset, error)
          }
          parts.withLock { parts in
            parts.left -= 1
            if let failed, failed.offset < parts.failed?.offset ?? .max { parts.failed = failed }
          }
          parts.wakeAll()
        }
      }
      return parts.wait { parts -> Failed?? in parts.left == 0 ? .some(parts.failed) : nil }
    }
    if let failed { throw failed.error }
  }
}

extension IOThreads: TaskExecutor {
  /// Runs a part of a task.
  package func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    submit { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }
}
