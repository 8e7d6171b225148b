import Glibc

/// What a shell command prints and how it ends.
public struct ShellCommand: Sendable {
  /// Its standard output and standard error.
  public let output: String
  /// Its exit status; -1 if a signal ended it.
  public let status: Int32

  /// Runs a command line; file names in it must be quoted (``quoted(_:)``).
  public init(_ line: String) {
    var bytes: [UInt8] = []
    var status: Int32 = -1
    if let pipe = unsafe popen("(\(line)) 2>&1", "r") {
      var part = [UInt8](repeating: 0, count: 65_536)
      while true {
        let count = unsafe fread(&part, 1, part.count, pipe)
        if count == 0 { break }
        bytes.append(contentsOf: part[..<count])
      }
      let answer = unsafe pclose(pipe)
      status = answer & 0x7f == 0 ? answer >> 8 & 0xff : -1
    }
    self.status = status
    output = String(decoding: bytes, as: UTF8.self)
  }

  /// A text as one word of the shell.
  public static func quoted(_ text: String) -> String {
    "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''")
      + "'"
  }
}
