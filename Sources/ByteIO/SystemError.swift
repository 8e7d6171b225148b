import CLinux
import Glibc
package import TensorCore

/// Errors of system calls, with the words of the system.
extension CheckpointError {
  /// An error of the system with its own message, such as `write: No space left on device`.
  ///
  /// `number` is the value of `errno`; `operation` names what was being done, and is `nil` if the
  /// message alone is clear.
  package static func system(
    _ number: Int32, _ operation: String?, path: String, offset: Int? = nil
  ) -> CheckpointError {
    let words = unsafe strerrordesc_np(number).map { unsafe String(cString: $0) }
    let text = words ?? "system error \(number)"
    var error = CheckpointError(
      .system, operation.map { "\($0): \(text)" } ?? text, path: path, offset: offset)
    error.systemNumber = number
    return error
  }
}

/// Makes a system call that returns -1 for failure, and repeats it while signals interrupt it.
///
/// - Throws: ``CheckpointError`` `system` with the message for `errno`, the operation, and the path.
func systemCall<Answer: SignedInteger>(
  _ operation: String?, path: String, offset: Int? = nil, _ call: () -> Answer
) throws(CheckpointError) -> Answer {
  while true {
    let answer = call()
    if answer != -1 { return answer }
    let number = errno
    if number != EINTR {
      throw .system(number, operation, path: path, offset: offset)
    }
  }
}

/// Writes all of `bytes` to an open file from byte `offset` on.
func writeAll(
  _ bytes: RawSpan, to descriptor: Int32, at offset: Int, path: String
) throws(CheckpointError) {
  var done = 0
  while done < bytes.byteCount {
    done += try systemCall("write", path: path, offset: offset + done) {
      unsafe bytes.withUnsafeBytes { source in
        unsafe pwrite(
          descriptor, source.baseAddress.map { unsafe $0 + done }, source.count - done,
          offset + done)
      }
    }
  }
}
