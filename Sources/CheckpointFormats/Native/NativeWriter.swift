import ByteIO
import TensorCore

/// Writes a checkpoint in the native format: header, chunks as they come, index, footer.
enum NativeWriter {
  /// Writes a file from its beginning to its end, so that a pipe gets the same bytes.
  ///
  /// - Throws: ``CheckpointError`` from the entries or the system, or with code `unsupported` when
  ///   the format cannot hold what is asked for.
  static func write(
    _ checkpoint: Checkpoint, to sink: ByteSink, options: WriteOptions
  ) async throws {
    _ = try await write(
      checkpoint, NativePlan(checkpoint, compression: options.compression), base: nil, to: sink,
      threads: options.threads)
  }

  /// Writes a file as planned, a patch if `base` is the fingerprint of what it changes; returns its
  /// index.
  static func write(
    _ checkpoint: Checkpoint, _ plan: NativePlan, base: Digest?, to sink: ByteSink, threads: Int
  ) async throws -> NativeIndex {
    try sink.append(NativeLayout.header(flags: 0).rawBytes)
    var index = try await append(checkpoint, plan, to: sink, threads: threads)
    index.base = base
    try finish(sink, index.text)
    return index
  }

  /// Appends the chunks, and returns the index.
  static func append(
    _ checkpoint: Checkpoint, _ plan: NativePlan, to sink: ByteSink, threads: Int
  ) async throws -> NativeIndex {
    let body = NativeBody(plan, sink: sink)
    try await body.appendAll(threads: threads)
    var tensors: [NativeIndex.Tensor] = []
    for part in plan.parts {
      switch part {
      case .alias(let name, let original):
        tensors.append(NativeIndex.Tensor(name: name, content: .alias(original)))
      case .unchanged(let entry, let reference):
        tensors.append(
          NativeIndex.Tensor(name: entry.name, content: .unchanged(entry.info, reference)))
      case .stored(let entry, let source):
        var stored = try body.stored(source, of: entry.name)
        stored.info = entry.info
        tensors.append(NativeIndex.Tensor(name: entry.name, content: .stored(stored)))
      }
    }
    var metadata = checkpoint.metadata
    if checkpoint.isNested { metadata[NativeIndex.nestedKey] = "true" }
    return NativeIndex(
      metadata: metadata,
      values: checkpoint.values.filter { $0.value.kind != .text }, modules: checkpoint.modules,
      tensors: tensors)
  }

  /// Appends an index and the footer.
  static func finish(_ sink: ByteSink, _ text: [UInt8]) throws(CheckpointError) {
    let offset = sink.position
    let (stream, digest) = try append(text, to: sink)
    try sink.append(
      footer(offset: offset, size: stream, content: text.count, digest).rawBytes)
  }

  static func footer(offset: Int, size: Int, content: Int, _ digest: Digest) -> [UInt8] {
    var footer: [UInt8] = []
    footer.appendLittleEndian(UInt64(offset))
    footer.appendLittleEndian(UInt64(size))
    footer.appendLittleEndian(UInt64(content))
    return footer + digest.bytes + NativeLayout.endMagic
  }

  /// Appends the text of an index as a stream; returns its size and its digest.
  static func append(
    _ text: [UInt8], to sink: ByteSink
  ) throws(CheckpointError) -> (size: Int, digest: Digest) {
    guard text.count <= NativeLayout.maxIndexSize else {
      throw CheckpointError(
        .unsupported,
        "expected an index of at most \(NativeLayout.maxIndexSize) bytes, found \(text.count)",
        path: sink.name)
    }
    var stream = try Zlib.deflate(text.rawBytes, level: 6)
    // Readers bound the index by its packed size; one that packs better than that is stored, as
    // deflate allows, so that any index can be read.
    if text.count > NativeLayout.maxIndexSize(stored: stream.count) {
      stream = try Zlib.deflate(text.rawBytes, level: 0)
    }
    var digest = DigestBuilder()
    digest.update(stream.rawBytes)
    try sink.append(stream.rawBytes)
    return (stream.count, digest.finalize())
  }
}

extension NativeBody {
  /// What was written of a source.
  fileprivate func stored(
    _ source: Int, of name: TensorName
  ) throws(CheckpointError) -> NativeIndex.Stored {
    guard let digest = digests[source] else {
      throw CheckpointError(.missing, "its bytes were not read", tensor: name.text)
    }
    let (part, chunks) = (plan.sources[source], chunks[source])
    if let known = part.known, known.digest != digest {
      throw CheckpointError(
        .mismatched, "its bytes changed while they were read; write it again", tensor: name.text)
    }
    var stored = NativeIndex.Stored(
      info: part.entry.info, filter: chunks.first?.filter ?? part.packing.plainFilter,
      digest: digest, chunks: chunks, chainingValues: chainingValues[source])
    if chunks.contains(where: \.filter.needsBase) { stored.base = part.known?.base?.reference }
    return stored
  }
}
