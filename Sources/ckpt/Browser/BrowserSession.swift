import CheckpointKit
import Synchronization

/// The browser at work: waits for keys and for what was read, and shows the state that follows.
final class BrowserSession {
  private var state: BrowserState
  private var painter: ScreenPainter
  private var decoder = KeyDecoder()
  private let worker: BrowserWorker
  private let mailbox: Mailbox
  private let threads: Int
  /// What the worker was last asked for.
  private var asked: (measurement: Int?, values: ValueRequest?)

  /// Longest time between two bytes of one key; over a slow line they may come apart.
  private static let keyTimeout = 100

  /// Events that the background has sent and the session has not seen.
  private final class Mailbox: Sendable {
    private let events = Mutex<[BrowserEvent]>([])

    func add(_ event: BrowserEvent) {
      let isFirst = events.withLock { events in
        events.append(event)
        return events.count == 1
      }
      if isFirst { RawTerminal.wake(RawTerminal.Wake.event) }
    }

    func take() -> [BrowserEvent] {
      events.withLock { events in
        defer { events = [] }
        return events
      }
    }
  }

  init(_ content: BrowserContent, threads: Int) {
    let mailbox = Mailbox()
    self.mailbox = mailbox
    self.threads = threads
    worker = BrowserWorker(content.items) { mailbox.add($0) }
    state = BrowserState(content, size: RawTerminal.size)
    painter = ScreenPainter(hasColor: Style.isOn, isUnicode: RawTerminal.isUnicode)
  }

  /// Runs until a key ends it; `false` if that was an interrupt.
  ///
  /// - Throws: `CheckpointError` `system` when the terminal cannot be used.
  func run() throws -> Bool {
    try RawTerminal.enter()
    defer { RawTerminal.restore() }
    guard show() else { return true }
    worker.compare(state.unknownPairs, threads: threads)
    while true {
      request()
      guard let woken = RawTerminal.wait(decoder.isWaiting ? Self.keyTimeout : -1) else {
        return true
      }
      for event in mailbox.take() {
        // What came may be dropped again before it is shown: it is then asked for once more.
        if case .values = event { asked.values = nil }
        state.apply(event)
      }
      try handle(woken.reasons)
      let keys =
        woken.keys.isEmpty && woken.reasons.isEmpty
        ? decoder.finish() : decoder.add(woken.keys)
      for key in keys {
        switch state.handle(key) {
        case .quit: return true
        case .interrupt: return false
        case .suspend: try suspend()
        case .redraw: painter.invalidate()
        case nil: break
        }
      }
      guard show() else { return true }
    }
  }

  /// Shows the state; `false` if the terminal is gone.
  private func show() -> Bool {
    let text = painter.paint(BrowserScreen(state).lines)
    return text.isEmpty || RawTerminal.write(text)
  }

  /// Asks the worker for what the screen lacks.
  private func request() {
    let measurement = state.wantedMeasurement
    if measurement != asked.measurement {
      asked.measurement = measurement
      worker.measure(measurement)
    }
    let values = state.wantedValues
    if values != asked.values {
      asked.values = values
      if let values { worker.read(values) }
    }
  }

  private func handle(_ reasons: [UInt8]) throws {
    if reasons.contains(RawTerminal.Wake.stopped) { try suspend() }
    if reasons.contains(RawTerminal.Wake.continued) {
      // Whoever had the terminal meanwhile may have changed it.
      RawTerminal.restore()
      try RawTerminal.enter()
      painter.invalidate()
    }
    let size = RawTerminal.size
    if size != state.size {
      state.resize(to: size)
      painter.invalidate()
    }
  }

  private func suspend() throws {
    RawTerminal.suspend()
    try RawTerminal.enter()
    painter.invalidate()
    state.resize(to: RawTerminal.size)
  }
}
