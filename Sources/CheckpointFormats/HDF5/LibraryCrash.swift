import HDF5
import Synchronization
package import TensorCore

/// What a process can say if libhdf5 crashes.
///
/// Our own reader has accepted a file before the library gets it, but the library looks at more, and
/// trusts what it finds. Only a signal handler sees its crashes.
package enum LibraryCrash {
  /// Whether a crash may be the library's; may be asked in a signal handler.
  package static var isPossible: Bool {
    HDF5Library.mayCrash.load(ordering: .sequentiallyConsistent)
  }

  /// The error for the file that the library worked on.
  package static var error: CheckpointError {
    let file = HDF5Library.subject.withLock { $0 }
    return CheckpointError(
      .malformed, "libhdf5 crashed on this file, which is most likely damaged; nothing was written",
      path: file.isEmpty ? nil : file)
  }
}
