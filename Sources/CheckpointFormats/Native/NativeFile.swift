import ByteIO
import ParallelWork
import TensorCore

/// An open file of the native format: its index, checked, and its chunks, checked as they are read.
final class NativeFile: Sendable {
  let file: ByteSource
  let index: NativeIndex
  /// Where the bytes are to which the index refers.
  private let base: NativeBase
  /// The chunks that were decoded last for a range smaller than they are, so that reading in small
  /// steps decodes each chunk once; few, so that memory does not grow with the number of tensors.
  private let recent = BlockCache(capacity: 4 * NativeLayout.chunkSize)

  /// Opens a file and checks header, footer and index.
  ///
  /// - Throws: ``CheckpointError`` with code `malformed`, or `unsupported` when another version
  ///   wrote it.
  convenience init(_ file: ByteSource) throws(CheckpointError) {
    try self.init(file, CheckpointError.placing(Self.index(of: file), path: file.name))
  }

  /// A file whose index was read; without `base`, what it refers to cannot be read.
  init(_ file: ByteSource, _ index: NativeIndex, base: NativeBase? = nil) {
    self.file = file
    self.index = index
    self.base = base ?? .missing(fingerprint: index.base)
  }

  /// The tensors of the file; each entry keeps the file open.
  func checkpoint() throws(CheckpointError) -> Checkpoint {
    // Most files have no aliases, and then no names need be found.
    let hasAliases = index.tensors.contains { if case .alias = $0.content { true } else { false } }
    var places: [TensorName: Int] = [:]
    var entries: [Checkpoint.Entry] = []
    entries.reserveCapacity(index.tensors.count)
    for tensor in index.tensors {
      switch tensor.content {
      case .stored, .unchanged:
        if hasAliases { places[tensor.name] = entries.count }
        if let entry = try entry(tensor) { entries.append(entry) }
      case .alias(let original):
        guard let place = places[original] else { continue }
        var entry = entries[place]
        (entry.name, entry.alias) = (tensor.name, original)
        entries.append(entry)
      }
    }
    var metadata = index.metadata
    let isNested = metadata.removeValue(forKey: NativeIndex.nestedKey) != nil
    var checkpoint = Checkpoint(
      entries: entries, modules: index.modules, values: index.values, metadata: metadata)
    checkpoint.isNested = isNested
    return checkpoint
  }

  /// A tensor that is not an alias.
  func entry(_ tensor: NativeIndex.Tensor) throws(CheckpointError) -> Checkpoint.Entry? {
    do throws(CheckpointError) {
      return try uncheckedEntry(tensor)
    } catch {
      throw tensor.name.text.isEmpty ? error : error.adding(tensor: tensor.name.text)
    }
  }

  /// The bytes to which a tensor refers, under its own name.
  private func original(
    _ reference: NativeIndex.Reference, _ byteCount: Int, of name: TensorName
  ) throws(CheckpointError) -> Checkpoint.Entry {
    var entry = try base.find(reference, byteCount)
    entry.name = name
    return entry
  }

  private func uncheckedEntry(
    _ tensor: NativeIndex.Tensor
  ) throws(CheckpointError) -> Checkpoint.Entry? {
    var entry: Checkpoint.Entry
    switch tensor.content {
    case .alias: return nil
    case .unchanged(let info, let reference):
      let original = try self.original(reference, info.byteCount, of: tensor.name)
      entry = Checkpoint.Entry(name: tensor.name, info: info, storedDigest: reference.digest) {
        range, target in try original.read(range, into: &target)
      }
      entry.chainingValues = original.chainingValues
    case .stored(let stored):
      let original = try stored.base.map { reference throws(CheckpointError) in
        try self.original(reference, stored.info.byteCount, of: tensor.name)
      }
      entry = Checkpoint.Entry(name: tensor.name, info: stored.info, storedDigest: stored.digest) {
        range, target in
        try self.read(stored, range, from: original, into: &target)
      }
      entry.chainingValues = stored.chainingValues
    }
    entry.preferredReadSize = 2 * NativeLayout.chunkSize
    return entry
  }

  private func read(
    _ stored: NativeIndex.Stored, _ range: Range<Int>, from base: Checkpoint.Entry?,
    into target: inout MutableRawSpan
  ) throws(CheckpointError) {
    var position = range.lowerBound
    while position < range.upperBound {
      let index = position / NativeLayout.chunkSize
      let chunk = NativeLayout.chunkRange(index, of: stored.info.byteCount)
      // A whole chunk is decoded straight into the target; a part of one goes through the cache,
      // where the next small read finds the rest.
      var wanted = position..<min(range.upperBound, chunk.upperBound)
      let offset = wanted.lowerBound - range.lowerBound
      if wanted != chunk {
        let start = wanted.lowerBound - chunk.lowerBound
        var part = target._mutatingExtracting(offset..<offset + wanted.count)
        try recent.copy(
          start..<start + wanted.count, of: Self.key(index, of: stored), size: chunk.count,
          into: &part
        ) { target throws(CheckpointError) in
          try decode(index..<index + 1, of: stored, from: base, into: &target)
        }
      } else {
        // Two whole chunks are decoded at once.
        let end = min(chunk.upperBound + NativeLayout.chunkSize, stored.info.byteCount)
        let isPair = chunk.upperBound < end && end <= range.upperBound
        if isPair { wanted = position..<end }
        var part = target._mutatingExtracting(offset..<offset + wanted.count)
        try decode(index..<index + (isPair ? 2 : 1), of: stored, from: base, into: &part)
      }
      position = wanted.upperBound
    }
  }

  /// Identifies a chunk; those of the base have no bytes and so no offsets of their own.
  private static func key(_ index: Int, of stored: NativeIndex.Stored) -> BlockCache.Key {
    BlockCache.Key(address: UInt64(index), offset: stored.chunks[0].offset)
  }
}
