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
    let plan = try NativePlan(checkpoint, compression: options.compression)
    guard options.parity != nil else {
      _ = try await write(checkpoint, plan, base: nil, to: sink, threads: options.threads)
      return
    }
    // Parity is made of what was written.
    try await sink.staging { sink in
      _ = try await write(
        checkpoint, plan, base: nil, to: sink, threads: options.threads, parity: options.parity)
    }
  }

  /// Writes a file as planned, a patch if `base` is the fingerprint of what it changes; returns its
  /// index.
  static func write(
    _ checkpoint: Checkpoint, _ plan: NativePlan, base: Digest?, to sink: ByteSink, threads: Int,
    parity: Int? = nil
  ) async throws -> NativeIndex {
    try sink.append(NativeLayout.header(flags: 0).rawBytes)
    var index = try await append(checkpoint, plan, to: sink, threads: threads)
    index.base = base
    try await finish(sink, index, parity: parity, threads: threads)
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

  /// Appends an index and the footer, and before them parity of this percentage, if any.
  static func finish(
    _ sink: ByteSink, _ index: NativeIndex, parity: Int?, threads: Int
  ) async throws {
    func ending(_ index: NativeIndex, at offset: Int) throws(CheckpointError) -> ParityWriter.Tail {
      let text = index.text
      let (stream, digest) = try packed(text, for: sink.name)
      return ParityWriter.Tail(
        bytes: stream
          + footer(offset: offset, size: stream.count, content: text.count, digest),
        digest: digest)
    }
    guard let parity else {
      let bytes = try ending(index, at: sink.position).bytes
      return try sink.append(bytes.rawBytes)
    }
    try await ParityWriter.append(to: sink, from: 0, percent: parity, threads: threads) {
      record, offset in
      var index = index
      index.records.append(record)
      return try ending(index, at: offset)
    }
  }

  static func footer(offset: Int, size: Int, content: Int, _ digest: Digest) -> [UInt8] {
    var footer: [UInt8] = []
    footer.appendLittleEndian(UInt64(offset))
    footer.appendLittleEndian(UInt64(size))
    footer.appendLittleEndian(UInt64(content))
    return footer + digest.bytes + NativeLayout.endMagic
  }

  /// The text of an index as a stream, and its digest.
  static func packed(
    _ text: [UInt8], for name: String
  ) throws(CheckpointError) -> (stream: [UInt8], digest: Digest) {
    guard text.count <= NativeLayout.maxIndexSize else {
      throw CheckpointError(
        .unsupported,
        "expected an index of at most \(NativeLayout.maxIndexSize) bytes, found \(text.count)",
        path: name)
    }
    var stream = try Zlib.deflate(text.rawBytes, level: 6)
    // Readers bound the index by its packed size; one that packs better than that is stored, as
    // deflate allows, so that any index can be read.
    if text.count > NativeLayout.maxIndexSize(stored: stream.count) {
      stream = try Zlib.deflate(text.rawBytes, level: 0)
    }
    var digest = DigestBuilder()
    digest.update(stream.rawBytes)
    return (stream, digest.finalize())
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
