import CheckpointKit
import Glibc
import Synchronization

/// The program that shows results longer than the terminal, as in git: `PAGER`, else `less`.
///
/// It takes the place of standard output. Who leaves it early has seen enough: what is written
/// afterward is dropped, and the exit status is that of the answer.
enum Pager {
  private struct State {
    var isAllowed = false
    var process: pid_t?
    /// Whether a write has found that nobody reads any more.
    var isLeft = false
  }

  private static let state = Mutex(State())

  /// Lets long results of this command go through a pager.
  static func allow() {
    // What both need to know of the terminal is asked while it is there.
    guard Terminal.size != nil, unsafe getenv("TERM").map({ unsafe String(cString: $0) }) != "dumb"
    else { return }
    _ = Style.isOn
    state.withLock { $0.isAllowed = true }
  }

  /// Whether a pager shows the results.
  static var isRunning: Bool { state.withLock { $0.process != nil } }

  /// Whether somebody still looks at it, and interrupts are its own.
  static var isShowing: Bool { state.withLock { $0.process != nil && !$0.isLeft } }

  /// Notes that whoever looked at it has left.
  static func leave() { state.withLock { $0.isLeft = true } }

  /// Lines that are shown without one: all but the one where the prompt is.
  static var lines: Int { max((Terminal.size?.lines ?? 24) - 1, 1) }

  /// Starts the pager; without one, results are printed as they are.
  static func start() {
    state.withLock { state in
      guard state.isAllowed, state.process == nil else { return }
      state.isAllowed = false
      let set = unsafe getenv("PAGER").map { unsafe String(cString: $0) }
      let command = set ?? "less"
      if command.isEmpty || command == "cat" { return }
      if unsafe getenv("LESS") == nil { unsafe setenv("LESS", "FRX", 1) }
      if unsafe getenv("LV") == nil { unsafe setenv("LV", "-c", 1) }
      state.process = spawn(command)
    }
  }

  /// Waits until the pager is left; results must have been written.
  static func finish() {
    guard let process = state.withLock({ $0.process }) else { return }
    close(STDOUT_FILENO)
    var status: Int32 = 0
    while unsafe waitpid(process, &status, 0) == -1 && errno == EINTR {}
    state.withLock { $0.process = nil }
  }

  /// Runs a command of the shell with a pipe to it in the place of standard output; `nil` if that fails.
  private static func spawn(_ command: String) -> pid_t? {
    var ends: [Int32] = [-1, -1]
    guard unsafe pipe(&ends) == 0 else { return nil }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    defer { for end in ends { close(end) } }
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO)
    var words = unsafe [UnsafeMutablePointer<CChar>?]()
    for word in ["/bin/sh", "-c", command] { unsafe words.append(strdup(word)) }
    unsafe words.append(nil)
    defer { for index in unsafe words.indices { unsafe free(words[index]) } }
    var process = pid_t()
    guard exists(command),
      unsafe posix_spawn(&process, "/bin/sh", &actions, nil, &words, environ) == 0
    else { return nil }
    dup2(ends[1], STDOUT_FILENO)
    return process
  }

  /// Whether the first word of a command is a program on the path.
  private static func exists(_ command: String) -> Bool {
    let word = command.split(separator: " ").first.map(String.init) ?? ""
    if word.contains("/") || word.contains("=") { return true }
    let path = unsafe getenv("PATH").map { unsafe String(cString: $0) } ?? "/usr/bin:/bin"
    return path.split(separator: ":").contains { unsafe access("\($0)/\(word)", X_OK) == 0 }
  }
}
