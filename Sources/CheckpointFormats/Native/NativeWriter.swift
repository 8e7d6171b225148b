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
    var header = NativeLayout.magic
    header.appendLittleEndian(NativeLayout.version)
    header.appendLittleEndian(UInt32(0))
    try sink.append(header.rawBytes)
    let body = NativeBody(plan, sink: sink)
    try await body.appendAll(threads: options.threads)
    try finish(sink, try index(checkpoint, plan, body))
  }

  /// The index of what was written.
  private static func index(
    _ checkpoint: Checkpoint, _ plan: NativePlan, _ body: NativeBody
  ) throws(CheckpointError) -> NativeIndex {
    var tensors: [NativeIndex.Tensor] = []
    for part in plan.parts {
      switch part {
      case .alias(let name, let original):
        tensors.append(NativeIndex.Tensor(name: name, content: .alias(original)))
      case .stored(let source):
        let entry = plan.sources[source].entry
        let filter = body.chunks[source].first?.filter ?? plan.sources[source].packing.plainFilter
        guard let digest = body.digests[source] else {
          throw CheckpointError(.missing, "its bytes were not read", tensor: entry.name.text)
        }
        tensors.append(
          NativeIndex.Tensor(
            name: entry.name,
            content: .stored(
              .init(
                info: entry.info, filter: filter, digest: digest, chunks: body.chunks[source],
                chainingValues: body.chainingValues[source]))))
      }
    }
    return NativeIndex(
      metadata: checkpoint.metadata,
      values: checkpoint.values.filter { $0.value.kind != .text }, modules: checkpoint.modules,
      tensors: tensors)
  }

  /// Appends index and footer.
  static func finish(_ sink: ByteSink, _ index: NativeIndex) throws(CheckpointError) {
    let text = index.text
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
    var footer: [UInt8] = []
    footer.appendLittleEndian(UInt64(sink.position))
    footer.appendLittleEndian(UInt64(stream.count))
    footer.appendLittleEndian(UInt64(text.count))
    footer += digest.finalize().bytes
    footer += NativeLayout.endMagic
    try sink.append(stream.rawBytes)
    try sink.append(footer.rawBytes)
  }
}
