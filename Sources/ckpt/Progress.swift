import CheckpointKit
import Glibc
import Synchronization

/// A bar on standard error for work that takes longer than a second on a terminal.
final class Progress: Sendable {
  /// The entries to read instead of those given: their bytes are counted as they are read.
  let entries: [Checkpoint.Entry]
  private let counter: Counter

  init(reading entries: [Checkpoint.Entry], quiet: Bool) {
    let isShown = !quiet && StandardError.isTerminal
    let counter = Counter(total: entries.map(\.info.byteCount).reduce(0, +))
    self.counter = counter
    guard isShown else {
      self.entries = entries
      return
    }
    self.entries = entries.map { entry in
      entry.wrappingReader { range, target, read in
        try read(range, &target)
        counter.add(range.count)
      }
    }
  }

  /// Removes the bar.
  func finish() { counter.clear() }

  private final class Counter: Sendable {
    private struct State {
      var done = 0
      var lastShown: Double
      var isShown = false
    }
    private let total: Int
    private let start = seconds()
    private let state: Mutex<State>

    init(total: Int) {
      self.total = max(total, 1)
      state = Mutex(State(lastShown: start + 0.8))
    }

    func add(_ count: Int) {
      state.withLock { state in
        state.done += count
        let now = seconds()
        guard now - state.lastShown > 0.2 else { return }
        state.lastShown = now
        state.isShown = true
        let share = min(Double(state.done) / Double(total), 1)
        let rate = Double(state.done) / (now - start)
        let left = Int((Double(max(total - state.done, 0)) / max(rate, 1)).rounded(.up))
        let filled = Int(share * 30)
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 30 - filled)
        StandardError().write(
          "\r\u{1b}[K\(bar) \(Int(share * 100))%  \(state.done.byteText)  \(Int(rate).byteText)/s  \(left) s left"
        )
      }
    }

    func clear() {
      state.withLock { state in
        if state.isShown { StandardError().write("\r\u{1b}[K") }
        state.isShown = false
      }
    }
  }
}

/// Seconds on a clock that never goes back.
private func seconds() -> Double {
  var time = timespec()
  unsafe clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}
