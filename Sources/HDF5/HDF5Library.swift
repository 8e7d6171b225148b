import ByteIO
internal import CHDF5
package import Synchronization
package import TensorCore

/// Access to the C library: one lock for the whole process, as in h5py.
///
/// libhdf5 keeps global tables of identifiers. Debian builds it with a lock of its own, other
/// distributions do not, and that lock admits only one thread in any case.
package enum HDF5Library {
  private static let isStarted = Mutex(false)
  /// Whether a crash may be the library's, which trusts what it finds in a file; may be read in a signal
  /// handler.
  ///
  /// It is while a thread is inside, and from the first file of another program on: where that has
  /// damaged the heap, it shows at any later time.
  package static let mayCrash = Atomic(false)
  /// The last such file, for the error if it crashes.
  package static let subject = Mutex("")

  /// Runs `body` with exclusive access to the library; `body` must not call this again.
  ///
  /// `file` is what errors call the file that it works on.
  package static func locked<Result: Sendable>(
    on file: String = "", _ body: () throws(CheckpointError) -> Result
  ) throws(CheckpointError) -> Result {
    try isStarted.withLock { started throws(CheckpointError) in
      if !started { try load() }
      let isForeign = subject.withLock { subject in
        if !file.isEmpty { subject = file }
        return !subject.isEmpty
      }
      mayCrash.store(true, ordering: .sequentiallyConsistent)
      defer { mayCrash.store(isForeign, ordering: .sequentiallyConsistent) }
      if !started {
        // Load no filter plugins from HDF5_PLUGIN_PATH: a file must not choose what code runs here.
        H5PLset_loading_state(0)
        started = true
      }
      HDF5Driver.clearFailure()
      // Each thread has its own error stack, which prints to standard error by default.
      H5Eset_auto2(hid_t(H5E_DEFAULT), nil, nil)
      return try body()
    }
  }

  /// Loads the library, whose file's number stands for the interface that its headers declare.
  private static func load() throws(CheckpointError) {
    let number = [10: 103, 12: 200, 14: 310][H5_VERS_MINOR] ?? 0
    try unsafe SystemLibrary.load(
      ["libhdf5_serial.so.\(number)", "libhdf5.so.\(number)"], package: "libhdf5-\(number)-1"
    ) { unsafe ckpt_hdf5_start($0) }
    // Started already, unless that failed.
    guard H5open() >= 0 else {
      throw CheckpointError(.system, "libhdf5 cannot be started")
    }
  }

  /// Whether chunks packed by the filter with this registry number can be read, by our own code or
  /// by the library.
  package static func knows(filter number: Int) -> Bool {
    switch number {
    case 1...3, HDF5Table.Filter.nbit, HDF5Table.Filter.scaleOffset: true
    case 4:
      // The library may have been built without szip. Where it is missing, that is what reading the
      // chunks reports.
      (try? locked { () throws(CheckpointError) in H5Zfilter_avail(Int32(number)) > 0 }) ?? true
    default: false
    }
  }

  /// Version of the library in use, for example `1.10.8`.
  package static var version: String {
    var parts: (UInt32, UInt32, UInt32) = (0, 0, 0)
    // Any call starts the library, which must first be told not to flush again at exit.
    try? locked { () throws(CheckpointError) in
      _ = unsafe H5get_libversion(&parts.0, &parts.1, &parts.2)
    }
    return "\(parts.0).\(parts.1).\(parts.2)"
  }
}

/// Returns `status`, or throws with the library's reason when it is negative.
@discardableResult
package func checked<Status: SignedInteger>(
  _ operation: @autoclosure () -> String, _ status: Status,
  _ code: CheckpointError.Code = .malformed
) throws(CheckpointError) -> Status {
  if status < 0 { throw HDF5ErrorStack.error(operation(), code) }
  return status
}
