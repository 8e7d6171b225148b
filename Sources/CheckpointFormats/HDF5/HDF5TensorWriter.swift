import ByteIO
import HDF5
import ParallelWork
import TensorCore

/// Writes tensors to a new HDF5 file: they are read and packed in parallel, and written in order.
struct HDF5TensorWriter {
  /// A tensor and its path, or a second link to an existing dataset.
  struct Item {
    let entry: Checkpoint.Entry
    let path: [String]
    /// Path of the dataset to link to; if set, no bytes are written.
    var linkTarget: [String]?
    var attributes: [HDF5Attribute] = []
  }

  private let file: HDF5FileWriter
  private let output: ByteSink
  private let packing: HDF5Packing?
  private let threads: Int

  /// A writer to `file`, which is being created in `sink`.
  init(_ file: HDF5FileWriter, _ sink: ByteSink, _ options: WriteOptions) {
    self.file = file
    output = sink
    packing = HDF5Packing.of(options.compression)
    threads = options.threads
  }

  /// Writes the items; their groups must exist.
  ///
  /// All datasets are created first, so that their headers lie close together. Then contiguous bytes
  /// are written by all tasks in parallel, each at its offset, and chunks one after another. The
  /// same items give the same bytes, whatever the number of threads. Call this once.
  ///
  /// - Returns: for each item whose bytes were written their digest.
  func write(_ items: [Item]) async throws -> [Digest?] {
    let locations = try items.map { item in
      try CheckpointError.placing(tensor: item.entry.name.text) { try makeDataset(item) }
    }
    let indices = items.indices.filter { locations[$0] != .nowhere }
    let stored = indices.map { index in
      Target(
        item: items[index], location: locations[index],
        blocks: HDF5FileWriter.blocks(items[index].entry.info))
    }
    let digests = TensorDigests(count: stored.count)
    let pieces = Pieces(
      of: stored.map(\.item.entry), size: WorkLimits.readSize,
      cut: .target { stored[$0].blocks.block(holding: $1).bytes.upperBound }, maxGathered: 1)
    let open = OpenDataset()
    try await pipeline(
      pieces, threads: threads, size: 3 * WorkLimits.readSize,
      work: { [output, packing] pieces in
        let (target, block) = Self.block(of: pieces[0], stored)
        return try CheckpointError.placing(tensor: target.item.entry.name.text) {
          let buffer = HDF5BlockBuffer.pool.acquire()
          try buffer.value.read(target.item.entry, block)
          if pieces[0].isWhole { buffer.value.digest(pieces[0], by: digests) }
          // Written here, in any order, because each block has its own bytes; only chunks must go
          // in order.
          if case .contiguous(let start) = target.location {
            try buffer.value.lend { bytes throws(CheckpointError) in
              try output.write(bytes, at: start + block.bytes.lowerBound)
            }
          } else if let packing {
            try buffer.value.pack(
              chunkSize: target.blocks.blockBytes, width: target.item.entry.info.dtype.byteWidth,
              packing)
          }
          return buffer
        }
      },
      stages: [
        PipelineStage(lane: { $0[0].tensor }) { pieces, buffer in
          if !pieces[0].isWhole { buffer.value.digest(pieces[0], by: digests) }
        },
        PipelineStage { [file] pieces, buffer in
          defer { HDF5BlockBuffer.pool.release(buffer) }
          let (target, block) = Self.block(of: pieces[0], stored)
          guard case .chunks(let address) = target.location else { return }
          try CheckpointError.placing(tensor: target.item.entry.name.text) {
            if open.dataset?.address != address {
              open.dataset = (address, try file.chunks(at: address))
            }
            if let chunks = open.dataset?.chunks {
              try buffer.value.lend { bytes throws(CheckpointError) in
                try chunks.write(block, bytes)
              }
            }
          }
        },
      ])
    var found = [Digest?](repeating: nil, count: items.count)
    for (number, index) in indices.enumerated() { found[index] = digests[number] }
    return found
  }

  private func makeDataset(_ item: Item) throws(CheckpointError) -> HDF5FileWriter.Location {
    if let target = item.linkTarget {
      try file.makeLink(item.path, to: target)
      return .nowhere
    }
    return try file.makeDataset(
      item.path, item.entry.info, deflateLevel: packing?.level, attributes: item.attributes)
  }

  // MARK: - Units of work

  /// A tensor with bytes, their offset, and how they are cut.
  private struct Target: Sendable {
    let item: Item
    let location: HDF5FileWriter.Location
    let blocks: HDF5Blocks
  }

  private static func block(
    of piece: Piece, _ targets: [Target]
  ) -> (target: Target, block: HDF5Blocks.Block) {
    let target = targets[piece.tensor]
    return (target, target.blocks.block(holding: piece.range.lowerBound))
  }

  /// The dataset whose chunks are being written.
  private final class OpenDataset: @unchecked Sendable {  // one task at a time writes
    var dataset: (address: UInt64, chunks: HDF5FileWriter.Chunks)?
  }
}
