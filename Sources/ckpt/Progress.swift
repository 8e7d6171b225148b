import CheckpointKit
import Glibc
import Synchronization

/// Reading of entries, shown as a bar.
final class Progress: Sendable {
  /// The entries to read instead of those given: their bytes are tracked as they are read.
  let entries: [Checkpoint.Entry]
  private let bar: ProgressBar

  /// Tracks reading of entries, each `times` over; `isRead` says which of them are read at all.
  init(
    reading entries: [Checkpoint.Entry], times: Int = 1,
    counting isRead: (Checkpoint.Entry) -> Bool = { _ in true }, quiet: Bool
  ) {
    let bytes = entries.lazy.filter(isRead).map(\.info.byteCount).saturatedSum()
    let bar = ProgressBar(total: bytes.saturated(times: times), unit: .bytes, quiet: quiet)
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
    // What a file stores a digest of is not read.
    let isRead = { (entry: Checkpoint.Entry) in
      isFull || algorithm != .blake3 || entry.storedDigest == nil
    }
    let progress = Progress(reading: checkpoint.entries, counting: isRead, quiet: quiet)
    defer { progress.finish() }
    return try await Manifest(
      of: progress.tracking(checkpoint), threads: threads, algorithm: algorithm,
      trustingStored: !isFull)
  }
}

/// A bar on standard error for work that takes longer than a second on a terminal.
///
/// There is one at a time; it is removed when the work is done, and when the process is interrupted.
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

    /// How much of how much.
    func text(_ done: Int, of total: Int) -> String {
      switch self {
      case .bytes: "\(text(done)) of \(text(total))"
      case .items: "\(done.grouped) of \(text(total))"
      }
    }
  }

  /// What all bars together have on the screen.
  private struct Screen {
    var isDrawn = false
    var isClosed = false
  }

  private struct State {
    var done = 0
    var total: Int
    var lastDrawn: Double
    /// What was done when, for the last seconds.
    var samples: [(time: Double, done: Int)]
  }

  private static let screen = Mutex(Screen())
  /// Seconds without a bar.
  private static let patience = 0.8
  /// Seconds over which the rate is measured.
  private static let window = 6.0

  /// Whether anybody would see it.
  let isShown: Bool
  private let unit: Unit
  /// Who is told instead, inside another program.
  private let listener = Capture.current?.progress
  private let state: Mutex<State>

  init(total: Int = 0, unit: Unit, quiet: Bool) {
    isShown = listener != nil || !quiet && StandardError.isTerminal
    self.unit = unit
    let start = seconds()
    // A bar comes after a while; whoever is told otherwise may want to end the work at once.
    let begin = listener == nil ? start + Self.patience : start - 1
    state = Mutex(State(total: total, lastDrawn: begin, samples: [(start, 0)]))
  }

  /// What tells the bar of work; `nil` where nobody would see it.
  var handler: ProgressHandler? {
    guard isShown else { return nil }
    return { [self] progress in update { ($0.done, $0.total) = (progress.done, progress.total) } }
  }

  /// Counts work that was done.
  func add(_ count: Int) {
    if isShown { update { $0.done += count } }
  }

  /// Removes the bar.
  func clear() { Self.clearScreen() }

  private func update(_ change: (inout State) -> Void) {
    state.withLock { state in
      change(&state)
      let now = seconds()
      if let listener {
        guard now - state.lastDrawn > 0.05 || state.done >= state.total else { return }
        state.lastDrawn = now
        return listener(state.done, max(state.total, 1))
      }
      guard now - state.lastDrawn > 0.2 else { return }
      state.lastDrawn = now
      // The oldest sample is older than the window, so that the rate is that of all of it.
      while state.samples.count > 1, state.samples[1].time < now - Self.window {
        state.samples.removeFirst()
      }
      let since = state.samples[0]
      state.samples.append((now, state.done))
      let rate = Double(state.done - since.done) / max(now - since.time, 1e-3)
      Self.draw(
        Self.line(
          state.done, of: state.total, rate: rate, unit,
          width: Terminal.size(of: STDERR_FILENO).columns - 1))
    }
  }

  /// `██████░░░░ 61%  1.2 GiB of 2.0 GiB  512.0 MiB/s  2 s left`, in at most `width` columns.
  static func line(
    _ done: Int, of total: Int, rate: Double, _ unit: Unit, width: Int
  ) -> String {
    let share = min(Double(done) / Double(max(total, 1)), 1)
    let left = max(total - done, 0)
    let speed = "\(unit.text(Int(min(rate, 1e18))))/s"
    let rest = rate > 0 ? "\(time(Double(left) / rate)) left" : ""
    let percent = "\(Int(share * 100))%"
    let figures = [
      "\(percent)  \(unit.text(done, of: total))  \(speed)  \(rest)",
      "\(percent)  \(speed)  \(rest)", percent,
    ]
    guard let text = figures.first(where: { $0.shownWidth <= width }) else { return "" }
    let room = min(width - text.shownWidth - 2, 30)
    guard room >= 5 else { return text }
    let filled = Int(share * Double(room))
    return String(repeating: "█", count: filled) + String(repeating: "░", count: room - filled)
      + " \(text)"
  }

  /// `12 s`, `3 min 20 s`, `2 h 5 min`.
  private static func time(_ seconds: Double) -> String {
    let whole = Int(min(seconds.rounded(.up), 1e9))
    if whole < 60 { return "\(whole) s" }
    if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
    return "\((whole / 3600).grouped) h \(whole % 3600 / 60) min"
  }

  private static func draw(_ line: String) {
    screen.withLock { screen in
      if screen.isClosed { return }
      screen.isDrawn = true
      StandardError().write("\r\u{1b}[K\(line)")
    }
  }

  private static func clearScreen() {
    screen.withLock { screen in
      if screen.isDrawn, !screen.isClosed { StandardError().write("\r\u{1b}[K") }
      screen.isDrawn = false
    }
  }

  /// Leaves the cursor at the beginning of an empty line when the process is interrupted: what the
  /// terminal has echoed of the key goes with the bar, or else stays on a line of its own.
  static func close(afterKey isKey: Bool) {
    screen.withLock { screen in
      if screen.isClosed { return }
      if screen.isDrawn {
        StandardError().write("\r\u{1b}[K")
      } else if isKey, StandardError.isTerminal {
        StandardError().write("\n")
      }
      screen.isClosed = true
    }
  }
}

/// Seconds on a clock that never goes back.
private func seconds() -> Double {
  var time = timespec()
  unsafe clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}
