internal import CHDF5
import TensorCore

/// The error that libhdf5 recorded for the last failed call on this thread.
enum HDF5ErrorStack {
  /// The innermost entry, which names the cause; the outer ones only trace the calls.
  private static func innermostReason() -> String {
    var reason = "unknown HDF5 error"
    unsafe withUnsafeMutablePointer(to: &reason) { target in
      _ = unsafe H5Ewalk2(
        hid_t(H5E_DEFAULT), H5E_WALK_DOWNWARD,
        { _, entry, target in
          guard let text = unsafe entry?.pointee.desc, let target = unsafe target else { return 0 }
          unsafe target.assumingMemoryBound(to: String.self).pointee = String(cString: text)
          return 0
        }, target)
    }
    return reason
  }

  /// The reason without times, pointers, and descriptors, which differ from run to run: of a failed
  /// system call only the system's own message is kept.
  private static func clearReason() -> String {
    let reason = innermostReason()
    let quoted = reason.split(separator: "'", omittingEmptySubsequences: false)
    guard let label = quoted.firstIndex(where: { $0.hasSuffix("error message = ") }),
      label + 1 < quoted.count
    else { return reason }
    return String(quoted[label + 1])
  }

  /// What kept the library from reading or writing, else an error that names the failed operation and
  /// the library's reason.
  static func error(_ operation: String, _ code: CheckpointError.Code) -> CheckpointError {
    HDF5Driver.takeFailure() ?? CheckpointError(code, "\(operation): \(clearReason())")
  }
}
