import ByteIO
import HDF5
import TensorCore

extension HDF5Checkpoint {
  /// Writes a new file, a block of about 1 MiB after another; the same content gives the same bytes.
  ///
  /// - Throws: ``CheckpointError``: `unsupported` for what HDF5 or this layout cannot hold,
  ///   `unreadable` when the system cannot take the bytes, and what reading the entries throws.
  static func write(_ checkpoint: Checkpoint, _ path: String, _ options: WriteOptions) async throws
  {
    let deflateLevel = try deflateLevel(options.compression)
    let layout = try HDF5Layout(checkpoint)
    let file = try HDF5FileWriter(path: path)
    for group in layout.groups {
      try file.makeGroup(group.path, attributes: group.attributes)
    }
    var buffer = ChunkBuffer()
    for (entry, place) in zip(checkpoint.entries, layout.datasets) {
      do {
        if let target = place.linkTarget {
          try file.makeLink(place.path, to: layout.datasets[target].path)
          continue
        }
        let dataset = try file.makeDataset(
          place.path, entry.info, deflateLevel: deflateLevel,
          attributes: attributes(of: entry.info.dtype))
        if options.threads > 1, entry.info.byteCount > dataset.blocks.blockBytes {
          try await copy(entry, to: dataset, threads: options.threads)
        } else {
          try copy(entry, to: dataset, using: &buffer)
        }
      } catch let error as CheckpointError {
        throw error.adding(tensor: entry.name.text)
      }
    }
    try file.close()
  }

  private static func deflateLevel(
    _ compression: WriteOptions.Compression
  ) throws(CheckpointError) -> Int? {
    switch compression {
    case .standard, .none: return nil
    case .gzip(let level) where (1...9).contains(level): return level
    case .gzip(let level):
      throw CheckpointError(.unsupported, "gzip level \(level), required 1 to 9")
    case .planes:
      throw CheckpointError(
        .unsupported, "planes is the native format's compression; HDF5 takes none or gzip:N")
    }
  }

  /// Opaque elements are named, as Keras 3 names them.
  private static func attributes(of dtype: DType) -> [HDF5Attribute] {
    switch dtype {
    case .float8e4m3, .float8e5m2, .float8e8m0, .float8e4m3fnuz, .float8e5m2fnuz:
      [HDF5Attribute("dtype", .text(dtype.torchName))]
    default: []
    }
  }

  private static func copy(
    _ entry: Checkpoint.Entry, to dataset: HDF5FileWriter.Dataset, using buffer: inout ChunkBuffer
  ) throws {
    var offset = 0
    while offset < entry.info.byteCount {
      let block = dataset.blocks.block(holding: offset)
      var target = buffer.mutableBytes(block.bytes.count)
      try entry.read(block.bytes, into: &target)
      try dataset.write(block, buffer.bytes(block.bytes.count))
      offset = block.bytes.upperBound
    }
  }

  /// Reads a window of blocks at once, and writes them in their order.
  private static func copy(
    _ entry: Checkpoint.Entry, to dataset: HDF5FileWriter.Dataset, threads: Int
  ) async throws {
    var offset = 0
    while offset < entry.info.byteCount {
      var window: [HDF5Blocks.Block] = []
      while window.count < 2 * threads, offset < entry.info.byteCount {
        let block = dataset.blocks.block(holding: offset)
        window.append(block)
        offset = block.bytes.upperBound
      }
      let contents = try await concurrentMap(window, width: threads) { block in
        try [UInt8](count: block.bytes.count) { target in
          try entry.read(block.bytes, into: &target)
        }
      }
      for (block, bytes) in zip(window, contents) {
        try dataset.write(block, bytes.rawBytes)
      }
    }
  }
}
