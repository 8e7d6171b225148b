import Glibc
import TensorCore

/// Sinks that only append: pipes and standard output.
extension ByteSink {
  /// Standard output, which can only be appended to: what was written is gone, committed or not.
  ///
  /// When nobody reads a pipe any more, the error's ``TensorCore/CheckpointError/systemNumber`` is `EPIPE`.
  public static func standardOutput() -> ByteSink {
    let name = "standard output"
    return ByteSink(name: name) { bytes, offset throws(CheckpointError) in
      if offset == 0, ByteSource.isBeingRead("-") {
        throw CheckpointError(.system, "is a file that is being read", path: name)
      }
      var done = 0
      while done < bytes.byteCount {
        done += try systemCall(nil, path: name) {
          unsafe bytes.withUnsafeBytes { source in
            unsafe Glibc.write(
              STDOUT_FILENO, source.baseAddress.map { unsafe $0 + done }, source.count - done)
          }
        }
      }
    } commit: {
    }
  }
}
