import Synchronization

/// What a command prints while another program runs it, instead of the process's own streams.
final class Capture: Sendable {
  /// That of the task that runs; `nil` in the program `ckpt`.
  @TaskLocal static var current: Capture?

  private let texts = Mutex((output: [UInt8](), notes: ""))
  /// Is told how much is done, and of how much.
  let progress: Embedded.Progress?

  init(progress: Embedded.Progress?) { self.progress = progress }

  func add(output: [UInt8]) { texts.withLock { $0.output += output } }

  func add(note: String) { texts.withLock { $0.notes += note } }

  /// What was printed on standard output.
  var output: String { texts.withLock { String(decoding: $0.output, as: UTF8.self) } }

  /// What was printed on standard error.
  var notes: String { texts.withLock { $0.notes } }
}
