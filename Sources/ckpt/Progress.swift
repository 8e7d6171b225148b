import CheckpointKit
import Glibc
import Synchronization

/// Reading of entries, shown as a bar.
final class Progress: Sendable {
  /// The entries to read instead of those given: their bytes are tracked as they are read.
  let entries: [Checkpoint.Entry]
  private let bar: ProgressBar

  init(reading entries: [Checkpoint.Entry], quiet: Bool) {
    let bar = ProgressBar(
      total: entries.map(\.info.byteCount).saturatedSum(), unit: .bytes, quiet: quiet)
    self.bar = bar
    guard bar.isShown else {
      self.entries = entries
      return
    }
    self.entries = entries.map { entry in
      entry.wrappingReader { range, target, read in
        try read(range, &target)
        bar.add(range.count)
      }
    }
  }

  /// The checkpoint with these entries.
  func tracking(_ checkpoint: Checkpoint) -> Checkpoint {
    var tracked = checkpoint
    tracked.entries = entries
    return tracked
  }

  /// Removes the bar.
  func finish() { bar.clear() }
}

extension CommonOptions {
  /// The digests of a checkpoint's tensors, with a progress bar; if it `isFull`, stored ones are not
  /// relied on.
  func manifest(
    of checkpoint: Checkpoint, _ algorithm: DigestAlgorithm = .blake3, isFull: Bool = false
  ) async throws -> Manifest {
    let progress = Progress(reading: checkpoint.entries, quiet: quiet)
    defer { progress.finish() }
    return try await Manifest(
      of: progress.tracking(checkpoint), threads: threads, algorithm: algorithm,
      trustingStored: !isFull)
  }
}

/// A bar on standard error for work that takes longer than a second on a terminal.
final class ProgressBar: Sendable {
  /// What is tracked.
  enum Unit: Sendable {
    case bytes
    case items(String)

    func text(_ count: Int) -> String {
      switch self {
      case .bytes: count.byteText
      case .items(let name): "\(count.grouped) \(name)"
      }
    }
  }

  /// Whether anybody would see it.
  let isShown: Bool
  private struct State {
    var done = 0
    var lastDrawn: Double
    var isDrawn = false
  }
  private let total: Int
  private let unit: Unit
  /// Who is told instead, inside another program.
  private let report: (@Sendable (Int, Int) -> Void)?
  private let start = seconds()
  private let state: Mutex<State>

  init(total: Int, unit: Unit, quiet: Bool) {
    report = Capture.current?.progress
    isShown = report != nil || !quiet && StandardError.isTerminal
    self.total = max(total, 1)
    self.unit = unit
    // A bar comes after a second; whoever is told otherwise may want to end the work at once.
    state = Mutex(State(lastDrawn: report == nil ? start + 0.8 : start - 1))
  }

  /// Counts work that was done.
  func add(_ count: Int) {
    guard isShown else { return }
    state.withLock { state in
      state.done += count
      let now = seconds()
      if let report {
        guard now - state.lastDrawn > 0.05 || state.done >= total else { return }
        state.lastDrawn = now
        return report(state.done, total)
      }
      guard now - state.lastDrawn > 0.2 else { return }
      state.lastDrawn = now
      state.isDrawn = true
      let share = min(Double(state.done) / Double(total), 1)
      let rate = Double(state.done) / (now - start)
      let left = Int((Double(max(total - state.done, 0)) / max(rate, 1)).rounded(.up))
      let filled = Int(share * 30)
      let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 30 - filled)
      let figures = "\(unit.text(state.done))  \(unit.text(Int(rate)))/s  \(left) s left"
      StandardError().write("\r\u{1b}[K\(bar) \(Int(share * 100))%  \(figures)")
    }
  }

  /// Removes the bar.
  func clear() {
    state.withLock { state in
      if state.isDrawn { StandardError().write("\r\u{1b}[K") }
      state.isDrawn = false
    }
  }
}

/// Seconds on a clock that never goes back.
private func seconds() -> Double {
  var time = timespec()
  unsafe clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}
