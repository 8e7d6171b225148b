internal import CHDF5
import Synchronization
package import TensorCore

/// The door to the C library: one lock for the whole process, as h5py holds one.
///
/// libhdf5 keeps global tables of identifiers. Debian builds it with a lock of its own, others do
/// not, and that lock lets only one thread in anyway.
package enum HDF5Library {
  private static let isStarted = Mutex(false)

  /// Runs `body` with the library to itself; `body` must not call ``locked(_:)`` again.
  package static func locked<Result: Sendable>(
    _ body: () throws(CheckpointError) -> Result
  ) throws(CheckpointError) -> Result {
    try isStarted.withLock { started throws(CheckpointError) in
      if !started {
        // A file that could not be flushed (disk full) must not be flushed again at exit.
        H5dont_atexit()
        H5open()
        // No filter code from HDF5_PLUGIN_PATH: a file must not choose what runs here.
        H5PLset_loading_state(0)
        started = true
      }
      // Each thread has an error stack of its own, which prints unless told not to.
      H5Eset_auto2(hid_t(H5E_DEFAULT), nil, nil)
      return try body()
    }
  }

  /// Whether chunks that went through a filter can be read, by us or by the library.
  package static func knows(filter number: Int) -> Bool {
    switch number {
    case 1...3: true
    case 4...6:
      // A library may be built without some of its own.
      (try? locked { () throws(CheckpointError) in H5Zfilter_avail(Int32(number)) > 0 }) == true
    default: false
    }
  }

  /// Version of the library in use, `1.10.8`.
  package static var version: String {
    var parts: (UInt32, UInt32, UInt32) = (0, 0, 0)
    unsafe H5get_libversion(&parts.0, &parts.1, &parts.2)
    return "\(parts.0).\(parts.1).\(parts.2)"
  }
}

/// Throws the library's reason when `status` is negative, and otherwise gives `status` back.
@discardableResult
package func checked<Status: SignedInteger>(
  _ operation: @autoclosure () -> String, _ status: Status,
  _ code: CheckpointError.Code = .malformed
) throws(CheckpointError) -> Status {
  if status < 0 { throw HDF5ErrorStack.error(operation(), code) }
  return status
}
