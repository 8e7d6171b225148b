import ByteIO
import Glibc
import ParallelWork
import Synchronization
import TensorCore

/// The path as errors show it: `standard input` for `-`.
package func displayPath(_ path: String) -> String { path == "-" ? "standard input" : path }

/// Whether standard input was given away: what was read once is gone.
private let isInputTaken = Atomic(false)

/// Gives `body` a file that can be read by range: the one at `path`, or for `-` a copy of standard
/// input, since a pipe cannot do that.
///
/// The copy has lost its name when this returns; who has opened it can go on reading.
/// - Throws: what `body` does, an error of no other file naming this one; `CheckpointError` when
///   standard input is asked for a second time.
func withFile<Result>(_ path: String, _ body: (String) throws -> Result) throws -> Result {
  guard path == "-" else {
    do {
      return try body(path)
    } catch let error as CheckpointError {
      throw error.adding(path: path)
    }
  }
  guard !isInputTaken.exchange(true, ordering: .relaxed) else {
    throw CheckpointError(
      .system, "may be given only once",
      path: displayPath(path))
  }
  return try AtomicFile.withTemporary("ckpt-input") { file in
    let copy = try OutputFile(creating: file)
    var chunk = [UInt8](repeating: 0, count: ChunkBuffer.standardSize)
    while true {
      let count = unsafe chunk.withUnsafeMutableBytes { bytes in
        unsafe read(STDIN_FILENO, bytes.baseAddress, bytes.count)
      }
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else {
        throw CheckpointError(
          .system, unsafe String(cString: strerror(errno)), path: "standard input")
      }
      if count == 0 { break }
      try copy.append(chunk.rawBytes.extracting(0..<count))
    }
    try copy.close()
    do {
      return try body(file)
    } catch let error as CheckpointError {
      let shown = displayPath(path)
      throw error.path == file ? error.replacing(path: shown) : error.adding(path: shown)
    }
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
