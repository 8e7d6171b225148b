internal import CHDF5
import Synchronization
package import TensorCore

/// An HDF5 file open for reading: its table, and the bytes that only the library can get at.
package final class HDF5File: Sendable {
  /// What the file holds.
  package let table: HDF5Table
  private let id: hid_t
  private let decoded = Mutex(HDF5BlockStore(capacity: 128 << 20))

  /// Bytes that a block aims at, and the most it may take to hold whole chunks.
  private static let (blockTarget, blockLimit) = (ChunkBuffer.standardSize, 64 << 20)

  /// Opens a file and makes its table.
  ///
  /// - Throws: ``CheckpointError`` with the path: `unreadable` when the system refuses, `malformed`
  ///   when the bytes are not HDF5 or cut short, `unsupported` for virtual datasets and for what
  ///   the library's version cannot read.
  package init(path: String) throws(CheckpointError) {
    do {
      let size = try HDF5Superblock.check(path)
      (id, table) = try HDF5Library.locked { () throws(CheckpointError) in
        let access = try HDF5Handle.properties(H5P_FILE_ACCESS)
        try checked("file access", H5Pset_fclose_degree(access.id, H5F_CLOSE_STRONG))
        // A checkpoint that someone else holds a lock on can still be read.
        try checked("file access", H5Pset_file_locking(access.id, false, true))
        // Blocks hold whole chunks and are kept here, so that the library need not keep them too.
        try checked("file access", H5Pset_cache(access.id, 0, 0, 0, 0))
        let file = try HDF5Handle(
          "open", unsafe H5Fopen(path, H5F_ACC_RDONLY, access.id), closedBy: H5Fclose)
        let table = try HDF5Walk.table(of: file.id, fileSize: size)
        return (file.take(), table)
      }
    } catch {
      throw error.adding(path: path)
    }
  }

  deinit {
    try? HDF5Library.locked { () throws(CheckpointError) in _ = H5Fclose(id) }
  }

  /// Reads bytes `range` of a dataset of the table through the library, whatever its layout.
  ///
  /// A block that was decoded is kept for a while, so that reading on from where the last range
  /// ended decodes no chunk twice.
  package func read(
    _ dataset: HDF5Table.Dataset, _ range: Range<Int>, into target: inout MutableRawSpan
  ) throws(CheckpointError) {
    let blocks: HDF5Blocks
    switch dataset.storage {
    case .refused(let reason): throw CheckpointError(.unsupported, reason)
    case .plain: blocks = HDF5Blocks(dataset.info, target: Self.blockTarget)
    case .library(let chunk):
      blocks = HDF5Blocks(
        dataset.info, chunk: chunk, target: Self.blockTarget, limit: Self.blockLimit)
    }
    try unsafe target.withUnsafeMutableBytes { target throws(CheckpointError) in
      var offset = range.lowerBound
      while offset < range.upperBound {
        let block = blocks.block(holding: offset)
        let end = min(range.upperBound, block.bytes.upperBound)
        let part = unsafe UnsafeMutableRawBufferPointer(
          rebasing: target[(offset - range.lowerBound)..<(end - range.lowerBound)])
        if block.bytes == offset..<end {
          try unsafe read(block, of: dataset, into: part)
        } else {
          let bytes = try decodedBytes(block, of: dataset)
          let start = offset - block.bytes.lowerBound
          unsafe bytes.withUnsafeBytes { bytes in
            unsafe part.copyMemory(from: .init(rebasing: bytes[start..<(start + part.count)]))
          }
        }
        offset = end
      }
    }
  }

  private func decodedBytes(
    _ block: HDF5Blocks.Block, of dataset: HDF5Table.Dataset
  ) throws(CheckpointError) -> [UInt8] {
    let key = HDF5BlockStore.Key(address: dataset.address, offset: block.bytes.lowerBound)
    if let bytes = decoded.withLock({ $0[key] }) { return bytes }
    var bytes = [UInt8](repeating: 0, count: block.bytes.count)
    try unsafe bytes.withUnsafeMutableBufferPointer { target throws(CheckpointError) in
      try unsafe read(block, of: dataset, into: UnsafeMutableRawBufferPointer(target))
    }
    decoded.withLock { $0[key] = bytes }
    return bytes
  }

  private func read(
    _ block: HDF5Blocks.Block, of dataset: HDF5Table.Dataset,
    into target: UnsafeMutableRawBufferPointer
  ) throws(CheckpointError) {
    try HDF5Library.locked { () throws(CheckpointError) in
      try unsafe HDF5Dataset.read(
        block, of: dataset.address, in: id, info: dataset.info,
        named: dataset.attributes.elementName, into: target)
    }
  }
}

/// The blocks decoded last, up to a number of bytes.
struct HDF5BlockStore {
  struct Key: Hashable {
    let address: UInt64
    let offset: Int
  }

  private let capacity: Int
  private var blocks: [(key: Key, bytes: [UInt8])] = []

  init(capacity: Int) { self.capacity = capacity }

  /// A block's bytes; setting them lets go of the oldest blocks beyond the capacity.
  subscript(key: Key) -> [UInt8]? {
    get { blocks.last { $0.key == key }?.bytes }
    set {
      blocks.removeAll { $0.key == key }
      guard let newValue else { return }
      blocks.append((key, newValue))
      var total = blocks.reduce(0) { $0 + $1.bytes.count }
      while total > capacity, blocks.count > 1 { total -= blocks.removeFirst().bytes.count }
    }
  }
}
