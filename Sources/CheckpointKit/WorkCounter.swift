import Synchronization
import TensorCore

/// Told how many bytes were worked on and how many there are in all; the total may grow.
///
/// It is called often, from any task, one at a time.
public typealias ProgressReport = @Sendable (_ done: Int, _ total: Int) -> Void

/// Counts planned and finished work in bytes, for somebody who watches.
struct WorkCounter: Sendable {
  private final class Counts: Sendable {
    let state = Mutex((done: 0, total: 0))
  }

  private let counts = Counts()
  private let report: ProgressReport?

  init(_ report: ProgressReport?) { self.report = report }

  /// Adds work that is to come.
  func plan(_ bytes: Int) {
    if report == nil { return }
    counts.state.withLock { $0.total = [$0.total, bytes].saturatedSum() }
  }

  /// Counts work that is done.
  func add(_ bytes: Int) {
    guard let report else { return }
    counts.state.withLock { state in
      state.done = [state.done, bytes].saturatedSum()
      report(state.done, state.total)
    }
  }
}
