internal import CHDF5
package import TensorCore

/// An HDF5 file open for reading: its table, and the bytes that only the library can get at.
package final class HDF5File: Sendable {
  /// What the file holds.
  package let table: HDF5Table
  let id: hid_t

  /// Opens a file and makes its table.
  ///
  /// - Throws: ``CheckpointError`` with the path: `unreadable` when the system refuses, `malformed`
  ///   when the bytes are not HDF5 or cut short, `unsupported` for virtual datasets and for what
  ///   the library's version cannot read.
  package init(path: String) throws(CheckpointError) {
    do {
      let size = try HDF5Superblock.check(path)
      (id, table) = try HDF5Library.locked { () throws(CheckpointError) in
        let file = try Self.open(path)
        let table = try HDF5Walk.table(of: file.id, fileSize: size)
        return (file.take(), table)
      }
    } catch {
      throw error.adding(path: path)
    }
  }

  /// The beginning of a file's table: every group that is met on the way to the first dataset.
  ///
  /// - Throws: as ``init(path:)``.
  package static func outline(path: String) throws(CheckpointError) -> HDF5Table {
    do {
      let size = try HDF5Superblock.check(path)
      return try HDF5Library.locked { () throws(CheckpointError) in
        let file = try Self.open(path)
        return try HDF5Walk.table(of: file.id, fileSize: size, datasetLimit: 1)
      }
    } catch {
      throw error.adding(path: path)
    }
  }

  private static func open(_ path: String) throws(CheckpointError) -> HDF5Handle {
    let access = try HDF5Handle.properties(H5P_FILE_ACCESS)
    try checked("file access", H5Pset_fclose_degree(access.id, H5F_CLOSE_STRONG))
    // A checkpoint that someone else holds a lock on can still be read.
    try checked("file access", H5Pset_file_locking(access.id, false, true))
    // Chunks are decoded and kept by the caller, so that the library need not keep them too.
    try checked("file access", H5Pset_cache(access.id, 0, 0, 0, 0))
    return try HDF5Handle(
      "open", unsafe H5Fopen(path, H5F_ACC_RDONLY, access.id), closedBy: H5Fclose)
  }

  deinit {
    try? HDF5Library.locked { () throws(CheckpointError) in _ = H5Fclose(id) }
  }

  /// Reads one block of a dataset of the table through the library, whatever its layout.
  package func read(
    _ block: HDF5Blocks.Block, of dataset: HDF5Table.Dataset, into target: inout MutableRawSpan
  ) throws(CheckpointError) {
    if case .refused(let reason) = dataset.storage { throw CheckpointError(.unsupported, reason) }
    try unsafe target.withUnsafeMutableBytes { target throws(CheckpointError) in
      try HDF5Library.locked { () throws(CheckpointError) in
        try unsafe HDF5Dataset.read(
          block, of: dataset.address, in: id, info: dataset.info,
          named: dataset.attributes.elementName, into: target)
      }
    }
  }
}
