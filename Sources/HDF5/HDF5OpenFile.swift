internal import CHDF5
import Synchronization
import TensorCore

/// A file that is open in libhdf5, which reads and writes it through ``HDF5Driver`` and never by a
/// path; to be made and used inside ``HDF5Library/locked(on:_:)``.
final class HDF5OpenFile: Sendable {
  let id: hid_t
  /// What errors call a file of another program; empty for one of ours.
  private let name: String
  private let isOpen = Atomic(true)

  /// Opens a storage: `call` has the library open or create a file with these access properties.
  ///
  /// - Throws: the storage's own error, or ``CheckpointError`` with the library's reason.
  init(
    _ operation: String, _ storage: HDF5Driver.Storage, name: String = "",
    _ code: CheckpointError.Code = .malformed, _ call: (hid_t) -> hid_t
  ) throws(CheckpointError) {
    self.name = name
    let access = try HDF5Driver.access(to: storage)
    defer { withExtendedLifetime(storage) {} }
    id = try checked(operation, call(access.id), code)
  }

  deinit {
    guard isOpen.load(ordering: .relaxed) else { return }
    try? HDF5Library.locked(on: name) { () throws(CheckpointError) in _ = H5Fclose(id) }
  }

  /// Writes what is not written yet, and closes the file.
  ///
  /// - Throws: ``CheckpointError`` `system` when a write fails, for example on a full disk.
  func close() throws(CheckpointError) {
    try checked("write", H5Fflush(id, H5F_SCOPE_GLOBAL), .system)
    isOpen.store(false, ordering: .relaxed)
    try checked("close", H5Fclose(id), .system)
  }
}
