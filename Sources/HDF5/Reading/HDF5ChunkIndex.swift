import ByteIO
import Synchronization
package import TensorCore

/// The chunks of one dataset, read as they are stored by any number of tasks at once.
///
/// Where they are is looked up in the file when the first of them is wanted.
package final class HDF5ChunkIndex: Sendable {
  private let file: HDF5File
  private let dataset: HDF5Table.Dataset
  private let chunks: HDF5Table.Chunks
  private let map = Mutex<HDF5ChunkMap?>(nil)

  /// Prepares to read a dataset of the file's table.
  package init(_ file: HDF5File, _ dataset: HDF5Table.Dataset, _ chunks: HDF5Table.Chunks) {
    self.file = file
    self.dataset = dataset
    self.chunks = chunks
  }

  /// A chunk as the file has it.
  package struct StoredChunk: Sendable {
    /// Where its bytes are in the memory that was filled.
    package let range: Range<Int>
    /// Bit i is set if it did not go through filter i.
    package let mask: UInt32
  }

  /// Reads chunks as they are stored, one behind the other, into `memory`, which is replaced where
  /// it is too small.
  ///
  /// `origins` are the first elements of chunks in the dataset; a chunk that was never written is
  /// `nil`.
  /// - Throws: ``CheckpointError`` with code `malformed` when a chunk takes more bytes than one of
  ///   its size can, or lies outside the file.
  package func read(
    _ origins: [[Int]], into memory: inout ChunkBuffer
  ) throws(CheckpointError) -> [StoredChunk?] {
    let map = try lookUp()
    var stored: [StoredChunk?] = []
    // Neighbours in the file are read at once.
    var runs: [(offset: Int, range: Range<Int>)] = []
    var position = 0
    for origin in origins {
      guard let chunk = try map.chunk(at: origin) else {
        stored.append(nil)
        continue
      }
      let size = map.chunkSize
      guard chunk.size <= size + size / 8 + 4096 else {
        throw CheckpointError(
          .malformed, "chunk at \(origin) takes \(chunk.size) bytes in the file, \(size) in memory")
      }
      guard let place = Int(exactly: chunk.address),
        place <= file.input.size - file.superblock.base,
        chunk.size <= file.input.size - file.superblock.base - place
      else {
        throw CheckpointError(
          .malformed,
          "chunk at \(origin): its \(chunk.size) bytes at \(chunk.address) lie outside the file")
      }
      let offset = file.superblock.base + place
      let range = position..<position + chunk.size
      stored.append(StoredChunk(range: range, mask: chunk.mask))
      position = range.upperBound
      if let last = runs.last, last.offset + last.range.count == offset {
        runs[runs.count - 1].range = last.range.lowerBound..<position
      } else {
        runs.append((offset, range))
      }
    }
    if memory.capacity < position { memory = ChunkBuffer(capacity: position) }
    var target = memory.mutableBytes(position)
    for run in runs {
      var part = target._mutatingExtracting(run.range)
      try file.input.read(at: run.offset, into: &part)
    }
    return stored
  }

  private func lookUp() throws(CheckpointError) -> HDF5ChunkMap {
    try map.withLock { map throws(CheckpointError) in
      if let map { return map }
      let new = try HDF5ChunkMap.read(
        dataset, chunks, in: HDF5Metadata(file.input, file.superblock))
      map = new
      return new
    }
  }
}
