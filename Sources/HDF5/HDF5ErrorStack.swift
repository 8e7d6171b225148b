internal import CHDF5
import TensorCore

/// What libhdf5 remembers of the call that failed last on this thread.
enum HDF5ErrorStack {
  /// The innermost entry, which names the cause; outer ones only say who called whom.
  static func innermostReason() -> String {
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

  /// An error that says what was being done and why the library could not.
  static func error(_ operation: String, _ code: CheckpointError.Code) -> CheckpointError {
    CheckpointError(code, "\(operation): \(innermostReason())")
  }
}
