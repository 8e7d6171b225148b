import CLinux
import Glibc
package import TensorCore

extension CheckpointError {
  /// The system's refusal, in its own words: `write: No space left on device`.
  ///
  /// `number` is the value of `errno`; `operation` says what was being done and is `nil` where the
  /// words alone say it.
  package static func system(
    _ number: Int32, _ operation: String?, path: String, offset: Int? = nil
  ) -> CheckpointError {
    let words = unsafe strerrordesc_np(number).map { unsafe String(cString: $0) }
    let text = words ?? "system error \(number)"
    return CheckpointError(
      .system, operation.map { "\($0): \(text)" } ?? text, path: path, offset: offset)
  }
}

/// Makes a system call that answers -1 for failure, again as long as a signal interrupts it.
///
/// - Throws: ``CheckpointError`` with `errno`'s text, the operation and the path.
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
