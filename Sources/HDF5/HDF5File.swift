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
  /// The file in the library, once it has been needed.
  private let opened = Mutex<HDF5OpenFile?>(nil)

  /// Makes the table of an open file, which may be a part of another: a member of an archive.
  ///
  /// - Throws: ``CheckpointError`` with the source's name: `system` when the system refuses,
  ///   `malformed` when the bytes are not HDF5 or cut short, `unsupported` for what is not read
  ///   here.
  package init(_ input: ByteSource) throws(CheckpointError) {
    self.input = input
    (superblock, table) = try CheckpointError.placing(path: input.name) {
      () throws(CheckpointError) in
      let superblock = try HDF5Superblock(input)
      return (superblock, try HDF5Walker.table(of: input, superblock))
    }
  }

  /// The table's other datasets, with the strings that are stored in chunks; `read` gives all bytes
  /// of a dataset.
  ///
  /// Strings of more text than the file justifies are not read.
  package func others(
    reading read: (HDF5Table.Dataset) throws -> [UInt8]
  ) throws -> [HDF5Table.Other] {
    let metadata = HDF5Metadata(input, superblock)
    var others = table.others
    for index in others.indices {
      guard let packed = others[index].packed else { continue }
      do {
        let content: HDF5Attribute
        if metadata.allows(texts: packed.bytes.info.byteCount) {
          let bytes = try read(packed.bytes)
          var body = HDF5Cursor(bytes, 0, count: bytes.count, start: 0, superblock.widths)
          content = try HDF5ValueReader.attribute(
            "", packed.type, packed.shape, &body, in: metadata)
        } else {
          content = HDF5Attribute(
            "", .other("far more text than the file has bytes; pass --allow-large to read it"))
        }
        others[index] = HDF5Table.Other(
          path: others[index].path, content: content, attributes: others[index].attributes)
      } catch let error as CheckpointError {
        let path = "/" + others[index].path.joined(separator: "/")
        throw error.adding(tensor: path).adding(path: input.name)
      }
    }
    return others
  }

  /// Reads one block of a dataset of the table through the library, whatever its layout.
  ///
  /// - Throws: ``CheckpointError`` `unsupported` for refused datasets, the source's own error, or
  ///   `malformed` with the library's reason.
  package func read(
    _ block: HDF5Blocks.Block, of dataset: HDF5Table.Dataset, into target: inout MutableRawSpan
  ) throws(CheckpointError) {
    if case .refused(let reason) = dataset.storage { throw CheckpointError(.unsupported, reason) }
    try unsafe target.withUnsafeMutableBytes { target throws(CheckpointError) in
      try HDF5Library.locked(on: input.name) { () throws(CheckpointError) in
        let file = try opened.withLock { opened throws(CheckpointError) in
          if let opened { return opened }
          let new = try HDF5OpenFile("open", HDF5Driver.Storage(input), name: input.name) {
            unsafe H5Fopen(input.name, H5F_ACC_RDONLY, $0)
          }
          opened = new
          return new
        }
        let open = try HDF5Dataset(at: dataset.address, in: file.id, dataset.info)
        try unsafe open.read(block, into: target)
      }
    }
  }
}
