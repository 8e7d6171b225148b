import FoundationEssentials
import Glibc
import TensorCore

/// One run of the built `ckpt`, as a shell would make it.
public struct CommandRun: Sendable {
  /// Exit status; 128 and more for a signal, as shells count.
  public let status: Int
  /// All of standard output.
  public let output: String
  /// All of standard error.
  public let errors: String

  /// Lines of standard output.
  public var lines: [String] { output.split(separator: "\n").map(String.init) }

  /// The command that was built beside the tests.
  public static var executable: String {
    var parts = (CommandLine.arguments.first ?? "").split(
      separator: "/", omittingEmptySubsequences: false)
    // The tests run as BUILD/ckptPackageTests.xctest; the command stands beside it.
    parts.removeLast()
    return (parts + ["ckpt"]).joined(separator: "/")
  }

  /// Runs `ckpt` with these arguments, in `folder`, with `input` as standard input.
  public init(_ arguments: String..., in folder: String = "/tmp", input: [UInt8] = []) throws {
    try self.init([Self.executable] + arguments, in: folder, input: input)
  }

  /// Runs any program; the first argument is its path or its name.
  public init(_ arguments: [String], in folder: String, input: [UInt8] = []) throws {
    let base = "/tmp/ckpt-command-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
    let files = ["\(base).in", "\(base).out", "\(base).err"]
    defer { for file in files { unsafe unlink(file) } }
    try Data(input).write(to: URL(filePath: files[0]))

    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_addopen(&actions, 0, files[0], O_RDONLY, 0)
    for descriptor in [1, 2] {
      unsafe posix_spawn_file_actions_addopen(
        &actions, Int32(descriptor), files[descriptor], O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    }

    // The shell only changes the folder; glibc's own way to do that is not imported.
    let words = ["/bin/sh", "-c", #"cd "$0" && exec "$@""#, folder] + arguments
    var pointers = unsafe [UnsafeMutablePointer<CChar>?]()
    for word in words { unsafe pointers.append(strdup(word.systemPath)) }
    unsafe pointers.append(nil)
    defer { for index in words.indices { unsafe free(pointers[index]) } }
    var process = pid_t()
    let failure = unsafe posix_spawn(&process, words[0], &actions, nil, &pointers, environ)
    guard failure == 0 else { throw SpawnError(number: failure) }
    var state: Int32 = 0
    while unsafe waitpid(process, &state, 0) == -1 && errno == EINTR {}
    status = state & 0x7f == 0 ? Int(state >> 8 & 0xff) : 128 + Int(state & 0x7f)
    output = String(decoding: try Data(contentsOf: URL(filePath: files[1])), as: UTF8.self)
    errors = String(decoding: try Data(contentsOf: URL(filePath: files[2])), as: UTF8.self)
  }

  /// Runs a line of the shell; file names in it must be quoted (``quoted(_:)``).
  public init(shell line: String) throws {
    try self.init(["/bin/sh", "-c", line], in: "/tmp")
  }

  /// A text as one word of the shell.
  public static func quoted(_ text: String) -> String {
    "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''")
      + "'"
  }

  struct SpawnError: Error {
    let number: Int32
  }
}
