package import ByteIO
package import ParallelWork
import Synchronization
package import TensorCore

/// Reads the chunks of one dataset as stored; any number of tasks may use it at once.
///
/// The chunk index is read from the file when the first chunk is requested.
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

  /// Reads the index, so that damage in it is found before anything else uses it.
  package func check() throws(CheckpointError) { _ = try lookUp() }

  /// A chunk as stored in the file, still packed by the filters.
  package struct StoredChunk: Sendable {
    /// Position of its bytes in the memory that was filled.
    package let range: Range<Int>
    /// Filter mask: bit i is set if filter i was skipped for this chunk.
    package let mask: UInt32
  }

  /// Reads chunks as stored, one after the other, into `memory`, which is replaced if it is too
  /// small.
  ///
  /// `origins` are the indices of the chunks' first elements in the dataset; the result is `nil`
  /// for a chunk that was never written.
  /// - Throws: ``CheckpointError`` `malformed` when a chunk has more bytes in the file than filters
  ///   can make of one of its size, or lies outside the file.
  package func read(
    _ origins: [[Int]], into memory: inout ChunkBuffer
  ) throws(CheckpointError) -> [StoredChunk?] {
    let map = try lookUp()
    var stored: [StoredChunk?] = []
    // Chunks that are adjacent in the file are read in one call.
    var runs: [(offset: Int, range: Range<Int>)] = []
    var position = 0
    for origin in origins {
      guard let chunk = try map.chunk(at: origin) else {
        stored.append(nil)
        continue
      }
      let offset = try offset(of: chunk, at: origin, in: map)
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

  /// The bytes of one chunk as stored, and its filter mask; `nil` if it was never written.
  ///
  /// - Throws: as ``read(_:into:)``.
  package func source(
    _ origin: [Int]
  ) throws(CheckpointError) -> (stored: ByteSource, mask: UInt32)? {
    let map = try lookUp()
    guard let chunk = try map.chunk(at: origin) else { return nil }
    let offset = try offset(of: chunk, at: origin, in: map)
    return (try file.input.part(offset..<offset + chunk.size), chunk.mask)
  }

  /// Where a chunk begins in the file, all of which is inside.
  private func offset(
    of chunk: HDF5ChunkMap.Chunk, at origin: [Int], in map: HDF5ChunkMap
  ) throws(CheckpointError) -> Int {
    // Deflate expands incompressible data by well under 1/8, and checksums add a few bytes.
    let size = map.chunkSize
    guard chunk.size <= size + size / 8 + 4096 else {
      throw CheckpointError(
        .malformed,
        "chunk at \(origin): expected about \(size) bytes at most, found \(chunk.size)")
    }
    guard let address = Int(exactly: chunk.address),
      address <= file.input.size - file.superblock.base,
      chunk.size <= file.input.size - file.superblock.base - address
    else {
      throw CheckpointError(
        .malformed,
        "chunk at \(origin): its \(chunk.size) bytes at \(chunk.address) are outside the file")
    }
    return file.superblock.base + address
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
