package import ByteIO
internal import CHDF5
import Synchronization
package import TensorCore

/// An HDF5 file open for reading: its table, and the bytes of its tensors.
///
/// Our own reader parses the file. libhdf5 reads only datasets whose storage is
/// ``HDF5Table/Storage/library(chunk:)``, and does not open the file before one of them is read.
package final class HDF5File: Sendable {
  /// The file's groups and datasets.
  package let table: HDF5Table
  /// The file's bytes.
  package let input: ByteSource
  let superblock: HDF5Superblock
  /// The library's identifier of the file, once it has been needed.
  private let opened = Mutex<hid_t?>(nil)

  /// Opens a file and makes its table.
  ///
  /// - Throws: ``CheckpointError`` with the path: `system` when the system refuses, `malformed`
  ///   when the bytes are not HDF5 or cut short, `unsupported` for virtual datasets and for what is
  ///   not read here.
  package convenience init(path: String) throws(CheckpointError) {
    try self.init(try Place.open(path: path))
  }

  /// Makes the table of an open file, which may be a part of another: a member of an archive.
  ///
  /// - Throws: as ``init(path:)``.
  package convenience init(_ input: ByteSource) throws(CheckpointError) {
    try self.init(input, datasetLimit: .max)
  }

  private init(_ input: ByteSource, datasetLimit: Int) throws(CheckpointError) {
    self.input = input
    do {
      superblock = try HDF5Superblock(input)
      table = try HDF5Walker.table(of: input, superblock, datasetLimit: datasetLimit)
    } catch {
      throw error.adding(path: input.name)
    }
  }

  /// The beginning of a file's table: every group that is visited before the first dataset.
  ///
  /// - Throws: as ``init(path:)``.
  package static func outline(path: String) throws(CheckpointError) -> HDF5Table {
    try HDF5File(try Place.open(path: path), datasetLimit: 1).table
  }

  /// The attributes of a file's root group, sorted by name.
  ///
  /// - Throws: as ``init(path:)``.
  package static func rootAttributes(path: String) throws(CheckpointError) -> [HDF5Attribute] {
    do {
      let input = try Place.open(path: path)
      return try HDF5Walker.rootAttributes(of: input, try HDF5Superblock(input))
    } catch {
      throw error.adding(path: path)
    }
  }

  /// Opens a file for reading in the library.
  package static func open(_ path: String) throws(CheckpointError) -> HDF5Handle {
    let access = try HDF5Handle.properties(H5P_FILE_ACCESS)
    try checked("file access", H5Pset_fclose_degree(access.id, H5F_CLOSE_STRONG))
    // A checkpoint that another process has locked can still be read.
    try checked("file access", H5Pset_file_locking(access.id, false, true))
    // The caller caches decoded chunks, so the library need not.
    try checked("file access", H5Pset_cache(access.id, 0, 0, 0, 0))
    return try HDF5Handle(
      "open", unsafe H5Fopen(path, H5F_ACC_RDONLY, access.id), closedBy: H5Fclose)
  }

  deinit {
    opened.withLock { id in
      guard let id else { return }
      try? HDF5Library.locked { () throws(CheckpointError) in _ = H5Fclose(id) }
    }
  }

  /// Reads one block of a dataset of the table through the library, whatever its layout.
  ///
  /// - Throws: ``CheckpointError`` `unsupported` for refused datasets and for input that is not a
  ///   local file, `malformed` with the library's reason.
  package func read(
    _ block: HDF5Blocks.Block, of dataset: HDF5Table.Dataset, into target: inout MutableRawSpan
  ) throws(CheckpointError) {
    if case .refused(let reason) = dataset.storage { throw CheckpointError(.unsupported, reason) }
    guard let path = input.descriptorPath else {
      throw CheckpointError(.unsupported, "can be read only from a local file")
    }
    try unsafe target.withUnsafeMutableBytes { target throws(CheckpointError) in
      try HDF5Library.locked { () throws(CheckpointError) in
        let id = try opened.withLock { id throws(CheckpointError) in
          if let id { return id }
          let new = try Self.open(path).take()
          id = new
          return new
        }
        try unsafe HDF5Dataset.read(
          block, of: dataset.address, in: id, info: dataset.info, into: target)
      }
    }
  }
}
