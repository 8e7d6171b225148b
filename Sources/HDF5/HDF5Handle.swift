package import CHDF5
package import TensorCore

/// An HDF5 identifier that closes itself; create, use, and end it inside
/// ``HDF5Library/locked(on:_:)``.
package struct HDF5Handle: ~Copyable {
  package let id: hid_t
  private let close: @convention(c) (hid_t) -> herr_t

  /// Takes ownership of the identifier that a call returned.
  ///
  /// - Throws: ``CheckpointError`` with the library's innermost reason when `id` is negative.
  package init(
    _ operation: @autoclosure () -> String, _ id: hid_t,
    closedBy close: @escaping @convention(c) (hid_t) -> herr_t,
    _ code: CheckpointError.Code = .malformed
  ) throws(CheckpointError) {
    self.id = try checked(operation(), id, code)
    self.close = close
  }

  deinit { _ = close(id) }

  /// Gives up ownership: the caller must close the identifier.
  consuming func take() -> hid_t {
    let id = id
    discard self
    return id
  }

  /// A new property list of a class.
  package static func properties(_ kind: hid_t) throws(CheckpointError) -> HDF5Handle {
    try HDF5Handle("property list", H5Pcreate(kind), closedBy: H5Pclose)
  }
}
