import ParallelWork
import Synchronization
import TensorCore

/// Counts planned and finished work, for somebody who watches.
struct WorkCounter: Sendable {
  private final class Counts: Sendable {
    let state = Mutex((done: 0, total: 0))
  }

  private let counts = Counts()
  private let handler: ProgressHandler?

  init(_ handler: ProgressHandler?) { self.handler = handler }

  /// Adds work that is to come.
  func plan(_ count: Int) {
    if handler == nil { return }
    counts.state.withLock { $0.total = [$0.total, count].saturatedSum() }
  }

  /// Counts work that is done.
  func add(_ count: Int) {
    guard let handler else { return }
    counts.state.withLock { state in
      state.done = [state.done, count].saturatedSum()
      handler(WorkProgress(done: state.done, total: state.total))
    }
  }
}
