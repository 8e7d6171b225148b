import CheckpointKit
import Glibc
import Ranks

/// Standard error: notes, warnings, errors, progress; never results.
struct StandardError: TextOutputStream {
  func write(_ text: String) {
    if let capture = Capture.current { return capture.add(note: text) }
    var text = text
    text.withUTF8 { unsafe _ = Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }

  /// One line that begins `ckpt: `, control characters escaped; of a text that quotes pages of input,
  /// only the two ends.
  func note(_ text: String) {
    let name = Capture.current == nil ? "ckpt: " : ""
    write("\(name)\(text.escapingControls.ends(1000))\n")
  }

  /// Whether it is a terminal.
  static var isTerminal: Bool { Capture.current == nil && isatty(STDERR_FILENO) == 1 }
}

/// Standard output: results, buffered, and with an error when they cannot be written.
struct StandardOutput: ~Copyable {
  private static let sink = ByteSink.standardOutput()
  private var pending: [UInt8] = []
  /// Lines of a terminal that the results take, counted while they might need a pager.
  private var rows = 0

  /// Whether it is a terminal; what mpirun gives to a process seems to be one and is not.
  static var isTerminal: Bool {
    Capture.current == nil && isatty(STDOUT_FILENO) == 1
      && Launcher.current?.feignsTerminal != true
  }

  /// Adds a line.
  mutating func line(_ text: String) throws {
    pending.append(contentsOf: text.utf8)
    try endLine(text.utf8.count)
  }

  /// Adds a line of UTF-8.
  mutating func line(_ text: [UInt8]) throws {
    pending.append(contentsOf: text)
    try endLine(text.count)
  }

  private mutating func endLine(_ count: Int) throws {
    pending.append(UInt8(ascii: "\n"))
    if let columns = Terminal.columns { rows += max((count + columns - 1) / columns, 1) }
    if pending.count > 1 << 16 { try flush() }
  }

  /// Adds text as it is.
  mutating func text(_ text: String) throws {
    pending.append(contentsOf: text.utf8)
    if Terminal.columns != nil { rows += text.utf8.count { $0 == UInt8(ascii: "\n") } }
    if pending.count > 1 << 16 { try flush() }
  }

  /// Writes everything that is pending; every command ends with it.
  ///
  /// - Throws: `CheckpointError` with the system's words.
  mutating func flush() throws {
    if let capture = Capture.current {
      capture.add(output: pending)
      return pending.removeAll(keepingCapacity: true)
    }
    if rows > Pager.lines { Pager.start() }
    do throws(CheckpointError) {
      try unsafe Self.sink.append(pending.span.bytes)
    } catch {
      // Whoever leaves the pager has seen enough.
      if error.systemNumber != EPIPE || !Pager.isRunning {
        throw error
      }
      Pager.leave()
    }
    pending.removeAll(keepingCapacity: true)
  }
}

/// Colors for a terminal, and nothing elsewhere or where `NO_COLOR` is set to anything.
enum Style {
  static let isOn: Bool = {
    let forbidden = unsafe getenv("NO_COLOR").map { unsafe String(cString: $0) } ?? ""
    guard StandardOutput.isTerminal, forbidden.isEmpty else { return false }
    guard let terminal = unsafe getenv("TERM") else { return false }
    return unsafe String(cString: terminal) != "dumb"
  }()

  static func red(_ text: String) -> String { colored(text, 31) }
  static func green(_ text: String) -> String { colored(text, 32) }
  static func bold(_ text: String) -> String { colored(text, 1) }
  static func dim(_ text: String) -> String { colored(text, 2) }

  private static func colored(_ text: String, _ code: Int) -> String {
    isOn ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
  }
}

extension String {
  /// The text, or as many characters of its beginning and of its end, and an ellipsis between them.
  fileprivate func ends(_ count: Int) -> String {
    guard utf8.count > 2 * count, unicodeScalars.count > 2 * count else { return self }
    return String(unicodeScalars.prefix(count)) + " … " + String(unicodeScalars.suffix(count))
  }
}
