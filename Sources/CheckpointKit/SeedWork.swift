import Synchronization

/// The seeds left to test, and the smallest one found.
final class SeedWork: Sendable {
  private let state: Mutex<(next: UInt64, best: UInt32?)>
  private let last: UInt64

  init(from first: UInt64, through last: UInt64) {
    self.last = last
    state = Mutex((first, nil))
  }

  /// The next seeds, in groups of 64; none once a smaller seed was found.
  func next() -> (first: UInt64, groups: Int)? {
    state.withLock { state in
      let first = state.next
      guard first <= last, first <= state.best.map(UInt64.init) ?? last else { return nil }
      let groups = min(SeedSearch.groups, Int((last - first) / 64) + 1)
      state.next = first + UInt64(groups * 64)
      return (first, groups)
    }
  }

  func found(_ seed: UInt32) {
    state.withLock { $0.best = min($0.best ?? seed, seed) }
  }

  /// Leaves no seeds to test.
  func cancel() { state.withLock { $0.next = .max } }

  var best: UInt32? { state.withLock { $0.best } }
}
