internal import CHDF5
package import TensorCore

extension HDF5File {
  /// A chunk as the file has it.
  package struct StoredChunk: Sendable {
    /// Where its bytes are in the memory that was filled.
    package let range: Range<Int>
    /// Bit i is set if it did not go through filter i.
    package let mask: UInt32
  }

  /// Reads chunks of a dataset as they are stored, one behind the other, into `memory`, which is
  /// replaced where it is too small.
  ///
  /// `origins` are the first elements of chunks in the dataset; a chunk that is not there, or that
  /// the library cannot give, is `nil`. A chunk's bytes are looked up and copied in one step: to ask for its place takes the
  /// library (1.10) a walk over all chunks before it.
  /// - Throws: ``CheckpointError`` with code `malformed` when a chunk takes more bytes than a chunk
  ///   of `size` bytes can, or lies outside the file.
  package func readStored(
    _ origins: [[Int]], of dataset: HDF5Table.Dataset, chunkSize size: Int,
    into memory: inout ChunkBuffer
  ) throws(CheckpointError) -> [StoredChunk?] {
    try HDF5Library.locked { () throws(CheckpointError) in
      let object = try HDF5Handle(
        "dataset", H5Oopen_by_addr(id, haddr_t(dataset.address)), closedBy: H5Oclose)
      var sizes: [Int] = []
      for origin in origins {
        var stored = hsize_t(0)
        let place = origin.map { hsize_t($0) }
        // An error is that of a chunk which was never written.
        if unsafe H5Dget_chunk_storage_size(object.id, place, &stored) < 0 { stored = 0 }
        guard let stored = Int(exactly: stored), stored <= size + size / 8 + 4096 else {
          throw CheckpointError(
            .malformed, "chunk at \(origin) takes \(stored) bytes in the file, \(size) in memory")
        }
        sizes.append(stored)
      }
      let total = sizes.reduce(0, +)
      if memory.capacity < total { memory = ChunkBuffer(capacity: total) }
      var target = memory.mutableBytes(total)
      var chunks: [StoredChunk?] = []
      var position = 0
      for (origin, size) in zip(origins, sizes) {
        guard size > 0 else {
          chunks.append(nil)
          continue
        }
        var mask: UInt32 = 0
        let place = origin.map { hsize_t($0) }
        let status = unsafe target.withUnsafeMutableBytes { bytes in
          unsafe H5Dread_chunk(
            object.id, hid_t(H5P_DEFAULT), place, &mask,
            bytes.baseAddress.map { unsafe $0 + position })
        }
        // Only this call knows of a chunk without filters whether it is there.
        chunks.append(
          status < 0 ? nil : StoredChunk(range: position..<position + size, mask: mask))
        position += size
      }
      return chunks
    }
  }
}
