import ByteIO
import HDF5
import ParallelWork
import TensorCore

/// Unpacks the chunks of one dataset.
package struct HDF5ChunkDecoder: Sendable {
  private let index: HDF5ChunkIndex
  private let dataset: HDF5Table.Dataset
  private let grid: HDF5ChunkGrid
  /// Size in bytes of an unpacked chunk.
  private let chunkSize: Int
  private let pipeline: HDF5FilterPipeline
  /// Whether filters are only shuffle, gzip, and fletcher32, which have a faster way.
  private let isPlain: Bool
  private let isLarge: Bool

  /// Idle memory for stored chunks and for one unpacked chunk.
  private struct Memory: ~Copyable {
    var stored = ChunkBuffer(capacity: 2 << 20)
    var chunk = ChunkBuffer()
  }

  private static let memory = Pool(capacity: 16) { Memory() }
  /// Size in bytes of the largest chunk that is unpacked as a whole; larger ones pass through memory
  /// piece by piece.
  @TaskLocal package static var maxWholeChunk = 8 << 20
  /// Bytes of unpacked chunks that are fetched at once.
  private static let batchSize = 2 << 20
  /// Chunks that are fetched at once, at most.
  private static let maxBatch = 4096

  init(_ file: HDF5File, _ dataset: HDF5Table.Dataset, _ chunks: HDF5Table.Chunks) {
    index = HDF5ChunkIndex(file, dataset, chunks)
    self.dataset = dataset
    grid = HDF5ChunkGrid(dataset.info, chunk: chunks.shape)
    chunkSize = chunks.shape.elementCount.saturated(times: dataset.info.dtype.byteWidth)
    pipeline = HDF5FilterPipeline(
      filters: dataset.filters, width: dataset.elementSize ?? dataset.info.dtype.byteWidth)
    isPlain = HDF5Filters.arePlain(dataset.filters)
    isLarge = chunkSize > Self.maxWholeChunk
  }

  /// Fills `target`, which has exactly the block's size.
  ///
  /// - Throws: ``CheckpointError`` that names the damaged chunk.
  func decode(
    _ block: HDF5Blocks.Block, into target: inout MutableRawSpan
  ) throws(CheckpointError) {
    let counts = grid.counts(in: block)
    let count = try Shape(counts).elementCount
    if isLarge {
      let pieces = HDF5ChunkPieces(
        index: index, grid: grid, pipeline: pipeline, chunkSize: chunkSize, fill: storedFill)
      for number in 0..<count {
        try pieces.decode(grid.origin(number, of: counts, in: block), block, into: &target)
      }
    } else {
      let memory = Self.memory.acquire()
      defer { Self.memory.release(memory) }
      let batch = min(max(1, Self.batchSize / chunkSize), Self.maxBatch)
      for start in stride(from: 0, to: count, by: batch) {
        let part = (start..<min(start + batch, count)).map {
          grid.origin($0, of: counts, in: block)
        }
        try decode(part, block, into: &target, through: &memory.value)
      }
    }
    if dataset.swapWidth > 1 { target.swapBytes(width: dataset.swapWidth) }
    dataset.bits?.widen(&target)
  }

  private func decode(
    _ origins: [[Int]], _ block: HDF5Blocks.Block, into target: inout MutableRawSpan,
    through memory: inout Memory
  ) throws(CheckpointError) {
    try decode(origins, block, into: &target, &memory.stored, &memory.chunk)
  }

  private func decode(
    _ origins: [[Int]], _ block: HDF5Blocks.Block, into target: inout MutableRawSpan,
    _ memory: inout ChunkBuffer, _ scratch: inout ChunkBuffer
  ) throws(CheckpointError) {
    let chunks = try self.index.read(origins, into: &memory)
    var index = 0
    while index < origins.count {
      guard let chunk = chunks[index] else {
        fill(origins[index], block, &target, &scratch)
        index += 1
        continue
      }
      let bytes = memory.bytes(chunk.range.upperBound).extracting(chunk.range)
      // Two whole chunks that follow each other in the block are unpacked at once, which is faster; if
      // either is not valid, each is unpacked on its own, so that the error names it.
      let run = grid.run(of: origins[index], in: block)
      if let run, index + 1 < origins.count, let next = chunks[index + 1],
        let other = grid.run(of: origins[index + 1], in: block), other.lowerBound == run.upperBound
      {
        let second = memory.bytes(next.range.upperBound).extracting(next.range)
        var part = target._mutatingExtracting(run.lowerBound..<other.upperBound)
        if unpackTwo((bytes, chunk.mask), (second, next.mask), into: &part) {
          index += 2
          continue
        }
      }
      do throws(CheckpointError) {
        if let run {
          var part = target._mutatingExtracting(run)
          try unpack(bytes, mask: chunk.mask, into: &part)
        } else {
          if scratch.capacity < chunkSize { scratch = ChunkBuffer(capacity: chunkSize) }
          try unpack(bytes, mask: chunk.mask, through: &scratch)
          grid.copy(scratch.bytes(chunkSize), from: origins[index], to: block, &target)
        }
      } catch {
        throw CheckpointError(error.code, "chunk at \(origins[index]): \(error.message)")
      }
      index += 1
    }
  }

  /// Fills the part of a block that a chunk never written would cover.
  private func fill(
    _ origin: [Int], _ block: HDF5Blocks.Block, _ target: inout MutableRawSpan,
    _ scratch: inout ChunkBuffer
  ) {
    // In the file's byte order, because the whole block is swapped later.
    if let run = grid.run(of: origin, in: block) {
      var part = target._mutatingExtracting(run)
      part.fill(storedFill, from: 0)
      return
    }
    if scratch.capacity < chunkSize { scratch = ChunkBuffer(capacity: chunkSize) }
    var chunk = scratch.mutableBytes(chunkSize)
    chunk.fill(storedFill, from: 0)
    grid.copy(scratch.bytes(chunkSize), from: origin, to: block, &target)
  }

  /// The fill value as elements in the file are.
  private var storedFill: [UInt8] {
    if let bits = dataset.bits {
      var bytes = dataset.fill
      bytes.fillBytes { bits.narrow(&$0) }
      return bytes
    }
    guard dataset.swapWidth > 1 else { return dataset.fill }
    return stride(from: 0, to: dataset.fill.count, by: dataset.swapWidth).flatMap {
      dataset.fill[$0..<$0 + dataset.swapWidth].reversed()
    }
  }

  private func unpack(
    _ stored: RawSpan, mask: UInt32, through scratch: inout ChunkBuffer
  ) throws(CheckpointError) {
    var target = scratch.mutableBytes(chunkSize)
    try unpack(stored, mask: mask, into: &target)
  }

  // MARK: - Filters

  /// Whether a filter of the dataset was applied to a chunk.
  private func isFiltered(_ number: Int, _ mask: UInt32) -> Bool {
    guard let index = dataset.filters.firstIndex(where: { $0.number == number }) else {
      return false
    }
    // The mask has 32 bits; a filter beyond them cannot be skipped.
    return index >= 32 || mask >> UInt32(index) & 1 == 0
  }

  /// The width in bytes of the words that the shuffle filter divided into planes; 1 without it.
  private func width(_ mask: UInt32) -> Int {
    isFiltered(HDF5Table.Filter.shuffle, mask)
      ? dataset.elementSize ?? dataset.info.dtype.byteWidth : 1
  }

  /// Undoes the filters of a chunk, the last one first.
  private func unpack(
    _ stored: RawSpan, mask: UInt32, into target: inout MutableRawSpan
  ) throws(CheckpointError) {
    guard isPlain else {
      let bytes = [UInt8](count: stored.byteCount) { $0.copyBytes(from: stored) }
      return try pipeline.undo(ByteSource(bytes, name: ""), mask: mask, into: &target)
    }
    var bytes = stored
    if isFiltered(HDF5Table.Filter.fletcher32, mask) { bytes = try Self.summed(stored) }
    if isFiltered(HDF5Table.Filter.gzip, mask) {
      // Deflate's largest expansion: 258 bytes from 2 bits. Checked before the target's pages are
      // touched.
      guard target.byteCount <= bytes.byteCount.saturated(times: Budget.deflateRatio) else {
        throw CheckpointError(
          .malformed,
          "\(bytes.byteCount) deflated bytes cannot expand to a chunk of \(target.byteCount)")
      }
      try PlaneCodec.decode(bytes, width: width(mask), rotated: false, into: &target)
    } else {
      guard bytes.byteCount == target.byteCount else {
        throw CheckpointError(
          .malformed, "expected \(target.byteCount) stored bytes, found \(bytes.byteCount)")
      }
      Planes.merge(bytes, width: width(mask), rotated: false, into: &target)
    }
  }

  /// Undoes the filters of two chunks of equal size, if they are deflated and valid.
  private func unpackTwo(
    _ first: (bytes: RawSpan, mask: UInt32), _ second: (bytes: RawSpan, mask: UInt32),
    into target: inout MutableRawSpan
  ) -> Bool {
    guard isPlain, first.mask == second.mask, target.byteCount == 2 * chunkSize,
      isFiltered(HDF5Table.Filter.gzip, first.mask),
      !isFiltered(HDF5Table.Filter.fletcher32, first.mask)
    else { return false }
    return PlaneCodec.decodeTwo(
      first.bytes, second.bytes, width: width(first.mask), rotated: false, into: &target,
      dividedAt: chunkSize)
  }

  /// The bytes before the checksum, which must match it.
  @_lifetime(copy stored)
  private static func summed(_ stored: RawSpan) throws(CheckpointError) -> RawSpan {
    guard stored.byteCount >= 4 else {
      throw CheckpointError(
        .malformed, "expected at least 4 bytes for a checksum, found \(stored.byteCount)")
    }
    let bytes = stored.extracting(..<(stored.byteCount - 4))
    try Checksum.check(
      fletcher32: Checksum.fletcher32(bytes),
      stored: stored.littleEndian(UInt32.self, at: stored.byteCount - 4))
    return bytes
  }
}
