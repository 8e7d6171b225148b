import ByteIO
import HDF5
import ParallelWork
import Synchronization
import TensorCore

/// The tensors of an HDF5 file, whatever layout of groups they are in.
///
/// Everything is read by position and unpacked here, by any number of tasks at once. Only what is
/// rarer goes through the library, in its lock.
final class HDF5Tensors: Sendable {
  let file: HDF5File
  private let store = BlockCache(capacity: 24 << 20)
  /// Bytes that chunks have outside their datasets, which are unpacked all the same.
  private let padding: Mutex<Budget.Account>

  /// Reads an open file, which may be a part of another.
  ///
  /// - Throws: ``CheckpointError`` with the source's name, as ``HDF5File/init(_:)``.
  init(_ input: ByteSource) throws(CheckpointError) {
    file = try HDF5File(input)
    padding = Mutex(Budget.current.account(of: .values, size: input.size))
  }

  /// The file that is being recognized: its tables are read once, whatever asks for them.
  static func opened(_ probe: FileProbe) throws(CheckpointError) -> HDF5Tensors {
    try probe.finding { probe throws(CheckpointError) in
      let source = try probe.source
      return Result { () throws(CheckpointError) in try HDF5Tensors(source) }
    }.get()
  }

  /// What the file holds.
  var table: HDF5Table { file.table }

  /// A tensor of the file under a name.
  func entry(
    _ name: TensorName, _ dataset: HDF5Table.Dataset, alias: TensorName? = nil
  ) -> Checkpoint.Entry {
    let blocks = HDF5Blocks(dataset)
    var entry = Checkpoint.Entry(
      name: name, info: dataset.info, alias: alias, reader: reader(dataset, blocks))
    entry.remark = dataset.remark
    // Blocks that are larger are decoded once for several readers.
    if case .chunks = dataset.storage, blocks.blockBytes <= Self.maxUnit {
      entry.preferredReadSize = blocks.blockBytes
    }
    return entry
  }

  private static let maxUnit = 8 << 20

  /// The datasets that are not tensors, with their content.
  func others() throws -> [HDF5Table.Other] {
    try file.others { dataset in
      try [UInt8](count: dataset.info.byteCount) { target in
        try reader(dataset)(0..<dataset.info.byteCount, &target)
      }
    }
  }

  /// How a dataset's bytes are read.
  func reader(_ dataset: HDF5Table.Dataset) -> Checkpoint.Entry.Reader {
    reader(dataset, HDF5Blocks(dataset))
  }

  private func reader(
    _ dataset: HDF5Table.Dataset, _ blocks: HDF5Blocks
  ) -> Checkpoint.Entry.Reader {
    let input = file.input
    switch dataset.own ?? dataset.storage {
    case .plain(let start) where dataset.swapWidth == 1 && dataset.bits == nil:
      return { range, target in
        try input.read(at: start + range.lowerBound, into: &target)
      }
    case .plain(let start):
      return { [self] range, target in
        try read(range, blocks, dataset, into: &target) { block, target throws(CheckpointError) in
          try input.read(at: start + block.bytes.lowerBound, into: &target)
          target.swapBytes(width: dataset.swapWidth)
          dataset.bits?.widen(&target)
        }
      }
    case .unwritten:
      return { range, target in target.fill(dataset.fill, from: range.lowerBound) }
    case .virtual:
      return HDF5VirtualReader(dataset) { reader($0) }.read
    case .chunks(let chunks):
      let size = dataset.chunkCount.saturated(times: dataset.chunkSize ?? 0)
      guard padding.withLock({ $0.charge(max(size - dataset.info.byteCount, 0)) }) else {
        let error = CheckpointError(
          .unsupported,
          "has chunks of \(size) bytes for \(dataset.info.byteCount) bytes of values; "
            + "pass --allow-large to read them", path: input.name)
        return { _, _ in throw error }
      }
      let decoder = HDF5ChunkDecoder(file, dataset, chunks)
      return { [self] range, target in
        try read(range, blocks, dataset, into: &target, decoder.decode)
      }
    case .library, .refused:
      return { [self, file] range, target in
        try read(range, blocks, dataset, into: &target) {
          block, target throws(CheckpointError) in
          try file.read(block, of: dataset, into: &target)
        }
      }
    }
  }

  /// Reads a range block by block; a block that is wanted in part is kept for a while, so that
  /// reading on decodes no chunk twice.
  private func read(
    _ range: Range<Int>, _ blocks: HDF5Blocks, _ dataset: HDF5Table.Dataset,
    into target: inout MutableRawSpan,
    _ decode: (HDF5Blocks.Block, inout MutableRawSpan) throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    try CheckpointError.placing(path: file.input.name) { () throws(CheckpointError) in
      var offset = range.lowerBound
      while offset < range.upperBound {
        let block = blocks.block(holding: offset)
        let end = min(range.upperBound, block.bytes.upperBound)
        let targetOffset = offset - range.lowerBound
        var part = target._mutatingExtracting(targetOffset..<targetOffset + end - offset)
        if block.bytes == offset..<end {
          try decode(block, &part)
        } else {
          let start = offset - block.bytes.lowerBound
          // The header's address tells datasets apart; all of a file share its cache.
          let key = BlockCache.Key(
            address: dataset.address, offset: block.bytes.lowerBound)
          try store.copy(
            start..<start + part.byteCount, of: key, size: block.bytes.count, into: &part
          ) { target throws(CheckpointError) in try decode(block, &target) }
        }
        offset = end
      }
    }
  }
}
