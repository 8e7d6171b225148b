import ByteIO
import ParallelWork
import TensorCore

/// Writing a GGUF file.
extension GGUF {
  /// Writes a file: header, then the tensors in their order, each padded to the alignment.
  ///
  /// The fingerprint, which is in the header, is known after the tensors: the header is then written
  /// once more. A sink that can only append gets a file without one.
  /// - Throws: ``CheckpointError`` `unsupported` for what the format cannot hold, and what reading
  ///   the tensors or the system throws.
  static func write(_ checkpoint: Checkpoint, to sink: ByteSink, options: WriteOptions) async throws
  {
    let isSealed = sink.abilities.writesAnywhere
    let (beginning, alignment) = try header(
      checkpoint, fingerprint: isSealed ? Fingerprint.placeholder : nil)
    try sink.append(beginning.rawBytes)
    try sink.pad(toMultipleOf: alignment)
    let stored = checkpoint.entries.indices.filter { isStored(checkpoint.entries[$0]) }
    let entries = stored.map { checkpoint.entries[$0] }
    let digests = isSealed ? TensorDigests(count: stored.count) : nil
    let stream = TensorStream(entries, threads: options.threads, ranks: sink.ranks)
    try await stream.forEachChunk(digesting: digests) { chunk, bytes in
      try sink.append(bytes, count: chunk.count)
      if chunk.offset + chunk.count == entries[chunk.tensor].info.byteCount {
        try sink.pad(toMultipleOf: alignment)
      }
    }
    guard let digests else { return }
    var numbers = [Int?](repeating: nil, count: checkpoint.entries.count)
    for (number, index) in stored.enumerated() { numbers[index] = number }
    let fingerprint = try checkpoint.fingerprint { numbers[$0].flatMap { digests[$0] } }
    let sealed = try self.header(checkpoint, fingerprint: fingerprint.description)
    try sink.overwrite(sealed.bytes.rawBytes, at: 0)
  }

  /// Whether the file has bytes for a tensor.
  private static func isStored(_ entry: Checkpoint.Entry) -> Bool { entry.info.elementCount > 0 }

  /// Everything before the tensors, and their alignment.
  private static func header(
    _ checkpoint: Checkpoint, fingerprint: String?
  ) throws(CheckpointError) -> (bytes: [UInt8], alignment: Int) {
    var texts: [String: String] = [:]
    texts[Checkpoint.tiesKey] = Checkpoint.tiesText(checkpoint.ties)
    texts[GGUFShapes.key] = GGUFShapes.text(checkpoint.entries)
    texts[Fingerprint.key] = fingerprint
    let items = try GGUFMetadata.items(of: checkpoint, adding: texts)
    var alignment = standardAlignment
    if let item = items.first(where: { $0.named.name == alignmentKey }) {
      alignment = try GGUFHeader.alignment(item.kind, item.named.value)
    }
    let stored = checkpoint.entries.filter(isStored)
    var header = magic
    header.appendLittleEndian(version)
    header.appendLittleEndian(UInt64(stored.count))
    header.appendLittleEndian(UInt64(items.count))
    header += try GGUFMetadata.bytes(items)
    try append(stored, alignment: alignment, to: &header)
    guard header.count <= maxHeaderSize else {
      throw CheckpointError(
        .unsupported, "expected a header of at most \(maxHeaderSize) bytes, found \(header.count)")
    }
    return (header, alignment)
  }

  private static func append(
    _ entries: [Checkpoint.Entry], alignment: Int, to header: inout [UInt8]
  ) throws(CheckpointError) {
    var offset = 0
    for entry in entries {
      let length = entry.name.text.utf8.count
      guard length <= maxNameBytes, let number = number(of: entry.info.dtype),
        let dimensions = GGUFShapes.dimensions(entry.info.shape)
      else {
        throw CheckpointError(
          .unsupported, "expected a name of at most \(maxNameBytes) bytes, found \(length)",
          tensor: entry.name.text)
      }
      let block = entry.info.dtype.block.elements
      guard dimensions[0] % block == 0 else {
        throw CheckpointError(
          .unsupported,
          "rows have \(dimensions[0]) elements, but gguf stores \(entry.info.dtype.rawValue) in blocks of "
            + "\(block)", tensor: entry.name.text)
      }
      header.appendLittleEndian(UInt64(length))
      header += entry.name.text.utf8
      header.appendLittleEndian(UInt32(dimensions.count))
      for size in dimensions { header.appendLittleEndian(UInt64(size)) }
      header.appendLittleEndian(number)
      header.appendLittleEndian(UInt64(offset))
      let (sum, overflow) = offset.addingReportingOverflow(entry.info.byteCount)
      guard !overflow, let next = aligned(sum, to: alignment) else {
        throw CheckpointError(
          .unsupported, "total size reaches 2^63 bytes at this tensor", tensor: entry.name.text)
      }
      offset = next
    }
  }
}
