import CheckpointKit
import Glibc
import Synchronization

/// The terminal as a screen: raw keys and the alternate screen, and all of it undone on every way out.
///
/// There is one per process, because a signal handler must find it.
enum RawTerminal {
  /// Mode of the terminal before, for a handler that may use nothing but memory that is there already.
  nonisolated(unsafe) private static var saved = termios()
  private static let keyboard = Atomic<Int32>(-1)
  private static let isEntered = Atomic<Bool>(false)

  /// Clears the screen's modes: colors off, lines wrapped, cursor shown, the first screen again.
  private static let leaving: StaticString = "\u{1b}[0m\u{1b}[?7h\u{1b}[?25h\u{1b}[?1049l"
  private static let entering = "\u{1b}[?1049h\u{1b}[?25l\u{1b}[?7l\u{1b}[2J"

  /// Signals that end a process and that nobody else handles; a trap of Swift is SIGILL or SIGTRAP.
  private static let endings = [SIGILL, SIGTRAP, SIGQUIT, SIGSYS, SIGUSR1, SIGUSR2, SIGALRM]

  /// What a byte in the pipe of ``wakeUp`` means.
  enum Wake {
    static let resized = UInt8(ascii: "W")
    static let continued = UInt8(ascii: "C")
    static let stopped = UInt8(ascii: "Z")
    static let event = UInt8(ascii: "E")
  }

  /// The pipe by which signals and background work wake the session; -1 if it could not be created.
  private static let wakeUp: (read: Int32, write: Int32) = {
    var ends: [Int32] = [-1, -1]
    guard unsafe pipe(&ends) == 0 else { return (-1, -1) }
    for end in ends { _ = fcntl(end, F_SETFL, fcntl(end, F_GETFL) | O_NONBLOCK) }
    return (ends[0], ends[1])
  }()

  /// Whether a screen can be shown.
  static var isUsable: Bool {
    guard StandardOutput.isTerminal, let kind = unsafe getenv("TERM") else { return false }
    return unsafe String(cString: kind) != "dumb"
  }

  /// Whether the locale's characters are UTF-8.
  static var isUnicode: Bool {
    for name in ["LC_ALL", "LC_CTYPE", "LANG"] {
      guard let value = unsafe getenv(name), unsafe value.pointee != 0 else { continue }
      let text = unsafe String(cString: value).lowercased()
      return text.contains("utf-8") || text.contains("utf8")
    }
    return false
  }

  /// Takes the terminal over.
  ///
  /// Keys come from standard input, or from the terminal itself where that is a file or a pipe.
  /// - Throws: `CheckpointError` `system` when keys cannot be read from a terminal.
  static func enter() throws(CheckpointError) {
    if keyboard.load(ordering: .relaxed) < 0 {
      let input = isatty(STDIN_FILENO) == 1 ? STDIN_FILENO : unsafe open("/dev/tty", O_RDWR)
      guard input >= 0, wakeUp.read >= 0 else {
        throw CheckpointError(.system, "no terminal to read keys from")
      }
      keyboard.store(input, ordering: .relaxed)
      watchSignals()
    }
    guard !isEntered.load(ordering: .relaxed) else { return }
    let input = keyboard.load(ordering: .relaxed)
    guard unsafe tcgetattr(input, &saved) == 0 else {
      throw CheckpointError(.system, "the terminal's mode cannot be read")
    }
    var raw = unsafe saved
    unsafe cfmakeraw(&raw)
    raw.c_oflag |= tcflag_t(OPOST)
    _ = unsafe tcsetattr(input, TCSAFLUSH, &raw)
    isEntered.store(true, ordering: .releasing)
    write(entering)
  }

  /// Gives the terminal back as it was, if it was taken over; safe in a signal handler.
  static func restore() {
    guard isEntered.exchange(false, ordering: .acquiringAndReleasing) else { return }
    unsafe _ = Glibc.write(STDOUT_FILENO, leaving.utf8Start, leaving.utf8CodeUnitCount)
    unsafe _ = tcsetattr(keyboard.load(ordering: .relaxed), TCSANOW, &saved)
  }

  /// Stops the process, as Ctrl-Z does, with the terminal given back; returns when it goes on.
  static func suspend() {
    restore()
    signal(SIGTSTP, SIG_DFL)
    raise(SIGTSTP)
    signal(SIGTSTP) { _ in RawTerminal.wake(Wake.stopped) }
  }

  /// The terminal's size; 24 rows of 80 columns where it does not tell.
  static var size: ScreenSize {
    let (columns, lines) = Terminal.size(of: STDOUT_FILENO)
    return ScreenSize(rows: lines, columns: columns)
  }

  /// Writes all of a text; `false` if the terminal is gone.
  @discardableResult
  static func write(_ text: String) -> Bool {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = unsafe bytes.withUnsafeBytes { part in
        unsafe Glibc.write(STDOUT_FILENO, part.baseAddress, part.count)
      }
      if count > 0 {
        bytes = bytes.dropFirst(count)
      } else if errno == EAGAIN {
        var wanted = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
        _ = unsafe poll(&wanted, 1, 1000)
      } else if errno != EINTR {
        return false
      }
    }
    return true
  }

  /// Wakes the session; safe in a signal handler.
  static func wake(_ reason: UInt8) {
    var byte = reason
    unsafe _ = Glibc.write(wakeUp.write, &byte, 1)
  }

  /// Waits for keys or for a reason to wake, at most `milliseconds`, or for ever if that is negative.
  ///
  /// `nil` means that the terminal is gone.
  static func wait(_ milliseconds: Int) -> (keys: [UInt8], reasons: [UInt8])? {
    var wanted = [keyboard.load(ordering: .relaxed), wakeUp.read].map {
      pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
    }
    guard unsafe poll(&wanted, 2, Int32(milliseconds)) > 0 else { return ([], []) }
    let reasons = wanted[1].revents != 0 ? bytes(wanted[1].fd) ?? [] : []
    guard wanted[0].revents != 0 else { return ([], reasons) }
    guard let keys = bytes(wanted[0].fd), !keys.isEmpty else { return nil }
    return (keys, reasons)
  }

  /// The bytes that are there; `nil` if there can be none any more.
  private static func bytes(_ descriptor: Int32) -> [UInt8]? {
    var buffer = [UInt8](repeating: 0, count: 1024)
    let count = unsafe read(descriptor, &buffer, buffer.count)
    if count < 0 { return errno == EAGAIN || errno == EINTR ? [] : nil }
    return Array(buffer.prefix(count))
  }

  private static func watchSignals() {
    // Threads of the dispatch library block these, and those that they start do as well: a read in the background would
    // fail then instead of stopping the process.
    var stops = sigset_t()
    unsafe sigemptyset(&stops)
    for number in [SIGTSTP, SIGTTIN, SIGTTOU] { unsafe sigaddset(&stops, number) }
    unsafe pthread_sigmask(SIG_UNBLOCK, &stops, nil)
    signal(SIGWINCH) { _ in RawTerminal.wake(Wake.resized) }
    signal(SIGCONT) { _ in RawTerminal.wake(Wake.continued) }
    signal(SIGTSTP) { _ in RawTerminal.wake(Wake.stopped) }
    for number in endings {
      signal(number) { number in
        RawTerminal.restore()
        signal(number, SIG_DFL)
        raise(number)
      }
    }
  }
}
