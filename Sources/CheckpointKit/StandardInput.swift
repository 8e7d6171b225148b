package import ByteIO
import Glibc
import ParallelWork
import TensorCore

/// The path as errors show it: `standard input` for `-`.
package func displayPath(_ path: String) -> String { path == "-" ? "standard input" : path }

extension FileProbe {
  /// The file that an argument of the command names; `-` is standard input.
  ///
  /// - Throws: ``CheckpointError`` when it cannot be opened, or standard input is asked for twice.
  package static func argument(_ path: String) throws -> FileProbe {
    guard path == "-" else { return try FileProbe(path: path) }
    return try FileProbe(try ByteSource.standardInput(), in: Place.locate("").place)
  }
}

/// Nobody reads standard output any more; a command then ends without a word, as on SIGPIPE.
package struct BrokenPipe: Error {}

/// Hands all bytes to standard output, however many calls it takes.
///
/// - Throws: `BrokenPipe` when nobody reads them, else `CheckpointError` with the system's words.
package func writeToStandardOutput(_ bytes: RawSpan) throws {
  try unsafe bytes.withUnsafeBytes { bytes in
    var rest = unsafe bytes[...]
    while unsafe !rest.isEmpty {
      let part = unsafe UnsafeRawBufferPointer(rebasing: rest)
      let count = unsafe write(STDOUT_FILENO, part.baseAddress, part.count)
      if count < 0 && errno == EINTR { continue }
      if count < 0 && errno == EPIPE { throw BrokenPipe() }
      guard count >= 0 else {
        throw CheckpointError(
          .system, unsafe String(cString: strerror(errno)), path: "standard output")
      }
      unsafe rest = rest.dropFirst(count)
    }
  }
}
