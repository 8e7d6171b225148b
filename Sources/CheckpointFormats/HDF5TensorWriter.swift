import ByteIO
import HDF5
import TensorCore

/// Puts tensors into a new HDF5 file: read and packed side by side, written in their order.
struct HDF5TensorWriter {
  /// A tensor and where it goes, or a second link to one that is there.
  struct Item {
    let entry: Checkpoint.Entry
    let path: [String]
    /// Path of the dataset to link to; no bytes are written then.
    var linkTarget: [String]?
    var attributes: [HDF5Attribute] = []
  }

  private let file: HDF5FileWriter
  private let packing: HDF5Packing?
  private let threads: Int

  /// - Throws: ``CheckpointError`` `unsupported` for a compression that HDF5 has no word for.
  init(_ file: HDF5FileWriter, _ options: WriteOptions) throws(CheckpointError) {
    self.file = file
    packing = try HDF5Packing.of(options.compression)
    threads = options.threads
  }

  /// Writes the items; groups must be there.
  ///
  /// The same items give the same bytes, whatever the
  /// number of threads.
  func write(_ items: [Item]) async throws {
    let open = OpenDataset()
    try await pipeline(
      pieces(items), threads: threads,
      work: { [packing] piece in
        try naming(piece.item) {
          guard let block = piece.block else { return nil }
          let job = Job.stock.take()
          try job.value.read(piece.item.entry, block, packing: piece.isPacked ? packing : nil)
          return job
        }
      },
      finish: { [file, packing] (piece, job: Stock<Job>.Item?) in
        try naming(piece.item) {
          if let target = piece.item.linkTarget {
            return try file.makeLink(piece.item.path, to: target)
          }
          if piece.isFirst {
            open.dataset = try file.makeDataset(
              piece.item.path, piece.item.entry.info, deflateLevel: packing?.level,
              attributes: piece.item.attributes)
          }
          if let job, let block = piece.block, let dataset = open.dataset {
            try job.value.write(block, to: dataset)
            Job.stock.putBack(job)
          }
          if piece.isLast { open.dataset = nil }
        }
      })
  }

  // MARK: - What is done at once

  /// One block of a tensor; a tensor without bytes has a piece without a block.
  private struct Piece {
    let item: Item
    var block: HDF5Blocks.Block?
    var isPacked = false
    var isFirst = true
    var isLast = true
  }

  private func pieces(_ items: [Item]) -> some Sequence<Piece> {
    items.lazy.flatMap { [packing] item -> UnfoldSequence<Piece, Int?> in
      let info = item.entry.info
      let blocks = HDF5Blocks(info, target: ChunkBuffer.standardSize)
      let isPacked = packing != nil && HDF5FileWriter.isDeflated(info)
      return sequence(state: 0) { (offset: inout Int?) in
        guard let start = offset else { return nil }
        guard item.linkTarget == nil, info.byteCount > 0 else {
          offset = nil
          return Piece(item: item)
        }
        let block = blocks.block(holding: start)
        let isLast = block.bytes.upperBound == info.byteCount
        offset = isLast ? nil : block.bytes.upperBound
        return Piece(
          item: item, block: block, isPacked: isPacked, isFirst: start == 0, isLast: isLast)
      }
    }
  }

  /// The dataset that is being written.
  private final class OpenDataset: @unchecked Sendable {  // one task at a time writes
    var dataset: HDF5FileWriter.Dataset?
  }

  /// One block on its way into a file, and the memory for it.
  private struct Job: ~Copyable {
    private var input = ChunkBuffer()
    private var planes = ChunkBuffer()
    private var output = ChunkBuffer(
      capacity: PlaneCodec.longestStream(ChunkBuffer.standardSize))
    /// Bytes of the stream; `nil` when the block is written as it was read.
    private var packedCount: Int?

    /// Jobs that no writer has.
    static let stock = Stock(capacity: 32) { Job() }

    /// Reads a block, and packs it if there is a packing.
    mutating func read(
      _ entry: Checkpoint.Entry, _ block: HDF5Blocks.Block, packing: HDF5Packing?
    ) throws {
      var target = input.mutableBytes(block.bytes.count)
      try entry.read(block.bytes, into: &target)
      packedCount = nil
      guard let packing else { return }
      let chunkSize = HDF5Blocks(entry.info, target: ChunkBuffer.standardSize).blockBytes
      Self.clear(&input, block.bytes.count..<chunkSize)
      packedCount = try Self.pack(
        input, chunkSize, width: entry.info.dtype.byteWidth, packing, &output, &planes)
    }

    // Functions of their own, since the compiler counts all buffers of `self` as the whole.

    private static func clear(_ buffer: inout ChunkBuffer, _ range: Range<Int>) {
      var bytes = buffer.mutableBytes(range.upperBound)
      for offset in range { bytes.storeBytes(of: 0, toByteOffset: offset, as: UInt8.self) }
    }

    private static func pack(
      _ input: borrowing ChunkBuffer, _ count: Int, width: Int, _ packing: HDF5Packing,
      _ output: inout ChunkBuffer, _ planes: inout ChunkBuffer
    ) throws(CheckpointError) -> Int {
      var target = output.mutableBytes(output.capacity)
      return try packing.pack(input.bytes(count), width: width, into: &target, planes: &planes)
    }

    func write(
      _ block: HDF5Blocks.Block, to dataset: HDF5FileWriter.Dataset
    ) throws(CheckpointError) {
      if let packedCount {
        try dataset.writeStored(block, output.bytes(packedCount))
      } else {
        try dataset.write(block, input.bytes(block.bytes.count))
      }
    }
  }
}

/// Adds the tensor's name to errors.
private func naming<Result>(
  _ item: HDF5TensorWriter.Item, _ body: () throws -> Result
) throws -> Result {
  do {
    return try body()
  } catch let error as CheckpointError {
    throw error.adding(tensor: item.entry.name.text)
  }
}
