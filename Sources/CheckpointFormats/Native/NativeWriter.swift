import ByteIO
import TensorCore

/// Writes a checkpoint in the native format: header, chunks as they come, index, footer.
///
/// Tensors are read once, in order, a chunk at a time, so that a source that must draw or unpack
/// its values does so once; only the packing runs in several tasks.
final class NativeWriter {
  private let output: OutputFile
  private let plan: Plan
  private var chunks: [[NativeIndex.Chunk]]
  private var digests: [Digest] = []
  private var nextChunk = 0
  private var digest = DigestBuilder()

  /// What each tensor becomes, decided before anything is written.
  private struct Plan {
    /// A tensor with bytes of its own, or an alias.
    enum Part {
      case stored(source: Int)
      case alias(TensorName, of: TensorName)
    }

    var parts: [Part] = []
    var sources: [(entry: Checkpoint.Entry, filter: NativeFilter)] = []
  }

  /// One chunk on its way.
  private struct Chunk: Sendable {
    let source: Int
    let filter: NativeFilter
    let bytes: [UInt8]
  }

  /// The same, ready to be stored.
  private struct Packed: Sendable {
    let source: Int
    let filter: NativeFilter
    let bytes: [UInt8]
    let crc32: UInt32
  }

  /// Writes a new file.
  ///
  /// - Throws: ``CheckpointError`` from the entries or the system, or with code `unsupported` when
  ///   the format cannot hold what is asked for.
  static func write(
    _ checkpoint: Checkpoint, to path: String, options: WriteOptions
  ) async throws {
    let writer = try NativeWriter(checkpoint, path: path, compression: options.compression)
    try await orderedPipeline(
      width: options.threads,
      next: { try writer.next() },
      transform: { Self.packed($0) },
      consume: { try writer.append($0) })
    try writer.finish(checkpoint)
  }

  private init(
    _ checkpoint: Checkpoint, path: String, compression: WriteOptions.Compression
  ) throws {
    plan = try Self.plan(checkpoint, compression: compression)
    chunks = Array(repeating: [], count: plan.sources.count)
    output = try OutputFile(creating: path)
    var header = NativeLayout.magic
    header.appendLittleEndian(NativeLayout.version)
    header.appendLittleEndian(UInt32(0))
    try output.append(header.rawBytes)
  }

  private static func plan(
    _ checkpoint: Checkpoint, compression: WriteOptions.Compression
  ) throws(CheckpointError) -> Plan {
    var plan = Plan()
    var names: Set<TensorName> = []
    var stored: [TensorName: TensorInfo] = [:]
    for entry in checkpoint.entries {
      try checkLimits(entry)
      guard names.insert(entry.name).inserted else {
        throw CheckpointError(.malformed, "two tensors have this name", tensor: entry.name.text)
      }
      // An alias whose original was left out, or is seen in another shape, is stored itself.
      if let original = entry.alias, stored[original] == entry.info {
        plan.parts.append(.alias(entry.name, of: original))
      } else {
        stored[entry.name] = entry.info
        plan.parts.append(.stored(source: plan.sources.count))
        plan.sources.append((entry, try filter(for: entry.info.dtype, compression)))
      }
    }
    return plan
  }

  private static func checkLimits(_ entry: Checkpoint.Entry) throws(CheckpointError) {
    let length = entry.name.text.utf8.count
    guard length <= NativeLayout.longestName else {
      throw CheckpointError(
        .unsupported, "a name of \(length) bytes, at most \(NativeLayout.longestName) are allowed",
        tensor: entry.name.text)
    }
    guard entry.info.shape.count <= NativeLayout.highestRank else {
      throw CheckpointError(
        .unsupported,
        "\(entry.info.shape.count) dimensions, at most \(NativeLayout.highestRank) are allowed",
        tensor: entry.name.text)
    }
  }

  private static func filter(
    for dtype: DType, _ compression: WriteOptions.Compression
  ) throws(CheckpointError) -> NativeFilter {
    switch compression {
    case .standard, .planes: .best(for: dtype)
    case .none: .raw
    case .gzip(let level):
      throw CheckpointError(
        .unsupported, "compression gzip:\(level) is unknown to .ckz, which has planes and none")
    }
  }

  /// Reads the next chunk of the next tensor.
  private func next() throws -> Chunk? {
    while digests.count < plan.sources.count {
      let source = digests.count
      let (entry, filter) = plan.sources[source]
      guard nextChunk < NativeLayout.chunkCount(entry.info.byteCount) else {
        digests.append(digest.finalize())
        digest = DigestBuilder()
        nextChunk = 0
        continue
      }
      let range = NativeLayout.chunkRange(nextChunk, of: entry.info.byteCount)
      let bytes = try entry.bytes(range)
      digest.update(bytes.rawBytes)
      nextChunk += 1
      return Chunk(source: source, filter: filter, bytes: bytes)
    }
    return nil
  }

  private static func packed(_ chunk: Chunk) -> Packed {
    var bytes = chunk.bytes
    if case .planes(let width, let rotated) = chunk.filter {
      bytes = PlaneCodec.encode(chunk.bytes.rawBytes, width: width, rotated: rotated)
    }
    let crc32 = Checksum.crc32(bytes.rawBytes)
    return Packed(source: chunk.source, filter: chunk.filter, bytes: bytes, crc32: crc32)
  }

  private func append(_ chunk: Packed) throws(CheckpointError) {
    if chunk.filter == .raw { try output.pad(toMultipleOf: NativeLayout.alignment) }
    chunks[chunk.source].append(
      .init(offset: output.position, length: chunk.bytes.count, crc32: chunk.crc32))
    try output.append(chunk.bytes.rawBytes)
  }

  /// The index of what was written.
  private func index(_ checkpoint: Checkpoint) -> NativeIndex {
    let tensors = plan.parts.map { part in
      switch part {
      case .alias(let name, let original):
        NativeIndex.Tensor(name: name, content: .alias(original))
      case .stored(let source):
        NativeIndex.Tensor(
          name: plan.sources[source].entry.name,
          content: .stored(
            .init(
              info: plan.sources[source].entry.info, filter: plan.sources[source].filter,
              digest: digests[source], chunks: chunks[source])))
      }
    }
    return NativeIndex(
      metadata: checkpoint.metadata, modules: checkpoint.modules, tensors: tensors)
  }

  private func finish(_ checkpoint: Checkpoint) throws(CheckpointError) {
    let text = index(checkpoint).text
    guard text.count <= NativeLayout.largestIndex else {
      throw CheckpointError(
        .unsupported,
        "an index of \(text.count) bytes, at most \(NativeLayout.largestIndex) are allowed",
        path: output.path)
    }
    var stream = try Zlib.deflate(text.rawBytes, level: 6)
    if text.count > NativeLayout.largestIndex(stored: stream.count) {
      stream = try Zlib.deflate(text.rawBytes, level: 0)
    }
    var digest = DigestBuilder()
    digest.update(stream.rawBytes)
    var footer: [UInt8] = []
    footer.appendLittleEndian(UInt64(output.position))
    footer.appendLittleEndian(UInt64(stream.count))
    footer.appendLittleEndian(UInt64(text.count))
    footer += digest.finalize().bytes
    footer += NativeLayout.endMagic
    try output.append(stream.rawBytes)
    try output.append(footer.rawBytes)
    try output.close()
  }
}
