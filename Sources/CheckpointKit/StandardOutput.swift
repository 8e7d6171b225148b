import ByteIO
import Glibc
import TensorCore

/// Nobody reads standard output any more; a command then ends without a word, as on SIGPIPE.
package struct BrokenPipe: Error {}

private let standardOutput = ByteSink.standardOutput()

/// Hands all bytes to standard output.
///
/// - Throws: `BrokenPipe` when nobody reads them, else `CheckpointError` with the system's words.
package func writeToStandardOutput(_ bytes: RawSpan) throws {
  do throws(CheckpointError) {
    try standardOutput.append(bytes)
  } catch {
    throw error.systemNumber == EPIPE ? BrokenPipe() : error
  }
}
