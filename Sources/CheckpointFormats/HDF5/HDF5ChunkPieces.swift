import ByteIO
import HDF5
import Strided
import TensorCore

/// Unpacks chunks that are too large to be whole in memory: their bytes go from the file through the
/// filters into a block, piece by piece.
///
/// A chunk is unpacked to its end for each block, so that its checksums count for every block.
struct HDF5ChunkPieces {
  let index: HDF5ChunkIndex
  let grid: HDF5ChunkGrid
  let pipeline: HDF5FilterPipeline
  /// Size in bytes of an unpacked chunk.
  let chunkSize: Int
  /// The fill value in the file's byte order; empty for zeros.
  let fill: [UInt8]

  private static let pieceSize = 1 << 18

  /// Puts the bytes of the chunk whose first element is at `origin` into a block, in the file's byte
  /// order.
  ///
  /// - Throws: ``CheckpointError`` that names the chunk.
  func decode(
    _ origin: [Int], _ block: HDF5Blocks.Block, into target: inout MutableRawSpan
  ) throws(CheckpointError) {
    guard let overlap = grid.overlap(of: origin, with: block) else { return }
    guard let (stored, mask) = try index.source(origin) else {
      var runs = Odometer(overlap.axes, source: overlap.source, target: overlap.target)
      repeat {
        var run = target._mutatingExtracting(runs.target..<runs.target + overlap.run)
        run.fill(fill, from: runs.source)
      } while runs.advance()
      return
    }
    do throws(CheckpointError) {
      try decode(stored, pipeline.applied(mask), overlap, grid.run(of: origin, in: block), &target)
    } catch {
      throw CheckpointError(error.code, "chunk at \(origin): \(error.message)")
    }
  }

  private func decode(
    _ stored: ByteSource, _ applied: [HDF5Table.Filter], _ overlap: HDF5ChunkGrid.Overlap,
    _ whole: Range<Int>?, _ target: inout MutableRawSpan
  ) throws(CheckpointError) {
    // Bytes that were shuffled before all else are put in their places one by one.
    let isShuffled = applied.first?.number == HDF5Table.Filter.shuffle
    let stage = try pipeline.stage(
      stored, isShuffled ? Array(applied.dropFirst()) : applied, chunkSize: chunkSize)
    var count = 0
    if let whole, !isShuffled {
      var part = target._mutatingExtracting(whole)
      count = try stage.fill(&part)
    } else {
      var scatter = ScatteredChunk(
        overlap, planes: isShuffled ? pipeline.width : 1, chunkSize: chunkSize)
      var buffer = [UInt8](repeating: 0, count: Self.pieceSize)
      while true {
        let piece = try buffer.fillBytes { bytes throws(CheckpointError) in
          try stage.fill(&bytes)
        }
        count += piece
        guard piece > 0, count <= chunkSize else { break }
        scatter.put(buffer.rawBytes.extracting(..<piece), into: &target)
      }
    }
    try HDF5FilterPipeline.checkEnd(of: stage, after: count, of: chunkSize)
  }
}

/// Puts the bytes of a chunk, which come in order, where they belong in a block.
private struct ScatteredChunk {
  private let overlap: HDF5ChunkGrid.Overlap
  /// 1, or the number of bytes of a word: all first bytes come first, then all second bytes, etc.
  private let planes: Int
  /// Bytes of a plane.
  private let size: Int
  private var plane = 0
  /// Bytes of the plane that came.
  private var position = 0
  private var runs: Odometer
  private var hasRun = true

  init(_ overlap: HDF5ChunkGrid.Overlap, planes: Int, chunkSize: Int) {
    precondition(chunkSize % planes == 0 && overlap.run % planes == 0, "words are divided")
    self.overlap = overlap
    self.planes = planes
    size = chunkSize / planes
    runs = Odometer(overlap.axes, source: overlap.source, target: overlap.target)
  }

  /// Puts the next bytes, at most as many as are left of the chunk.
  mutating func put(_ bytes: RawSpan, into target: inout MutableRawSpan) {
    var start = 0
    while start < bytes.byteCount {
      let count = min(size - position, bytes.byteCount - start)
      putInPlane(bytes.extracting(start..<start + count), into: &target)
      start += count
      position += count
      if position == size {
        (position, plane, hasRun) = (0, plane + 1, true)
        runs = Odometer(overlap.axes, source: overlap.source, target: overlap.target)
      }
    }
  }

  private mutating func putInPlane(_ bytes: RawSpan, into target: inout MutableRawSpan) {
    let end = position + bytes.byteCount
    while hasRun {
      // The run in the plane, and its part that came.
      let start = runs.source / planes
      let stop = start + overlap.run / planes
      let (from, to) = (max(start, position), min(stop, end))
      guard start < end else { return }
      if from < to {
        let source = bytes.extracting(from - position..<to - position)
        let place = runs.target + (from - start) * planes + plane
        if planes == 1 {
          var run = target._mutatingExtracting(place..<place + source.byteCount)
          run.copyBytes(from: source)
        } else {
          StridedCopy.copy(
            source, to: &target, at: place, run: 1,
            axes: [.init(count: source.byteCount, stride: 1, span: planes)])
        }
      }
      guard stop <= end else { return }
      hasRun = runs.advance()
    }
  }
}
