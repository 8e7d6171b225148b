import ByteIO
import JSONText
import ParallelWork
import TensorCore

/// Writing a safetensors file: the header, then the tensors.
extension Safetensors {
  /// Writes a file as the reference writer orders it, with the header in the tensors' order.
  ///
  /// The fingerprint, which is in the header, is known after the tensors: the header is then written
  /// once more. A sink that can only append gets a file without one.
  /// - Throws: ``CheckpointError`` `unsupported` for what the format cannot hold, and what reading
  ///   the tensors or the system throws.
  static func write(
    _ checkpoint: Checkpoint, to sink: ByteSink, options: WriteOptions
  ) async throws {
    let isSealed = sink.abilities.writesAnywhere
    let layout = try SafetensorsLayout(
      checkpoint, fingerprint: isSealed ? Fingerprint.placeholder : nil)
    try sink.append(layout.header.rawBytes)
    let stream = TensorStream(
      layout.order.map { checkpoint.entries[$0] }, threads: options.threads, ranks: sink.ranks)
    let digests = isSealed ? TensorDigests(count: layout.order.count) : nil
    try await stream.forEachChunk(digesting: digests) { chunk, bytes in
      try sink.append(bytes, count: chunk.count)
    }
    guard let digests else { return }
    var ranks = layout.order
    for (rank, index) in layout.order.enumerated() { ranks[index] = rank }
    let fingerprint = try checkpoint.fingerprint { digests[ranks[$0]] }
    let sealed = try SafetensorsLayout(checkpoint, fingerprint: fingerprint.description)
    try sink.overwrite(sealed.header.rawBytes, at: 0)
  }
}

/// Where everything of a checkpoint goes in a file, decided before anything is written.
struct SafetensorsLayout {
  /// The file's beginning up to the data, a multiple of 8 bytes.
  private(set) var header: [UInt8] = []
  /// The tensors by number, as their bytes follow each other: by type, those with the most bytes an
  /// element first, then by name.
  let order: [Int]

  /// Lays out a checkpoint.
  ///
  /// - Throws: ``CheckpointError`` for what the format cannot hold.
  init(_ checkpoint: Checkpoint, fingerprint: String?) throws(CheckpointError) {
    let entries = checkpoint.entries
    if let entry = checkpoint[TensorName(Safetensors.metadataKey)] {
      throw CheckpointError(
        .unsupported, "safetensors reserves this name for its metadata", tensor: entry.name.text)
    }
    var ranks: [DType: Int] = [:]
    for (rank, dtype) in Safetensors.dtypes.enumerated() { ranks[dtype] = rank }
    order = entries.indices.sorted {
      let (left, right) = (entries[$0], entries[$1])
      let (high, low) = (ranks[left.info.dtype] ?? 0, ranks[right.info.dtype] ?? 0)
      return high == low ? left.name < right.name : high > low
    }
    var starts = [Int](repeating: 0, count: entries.count)
    var total = CheckpointTotal()
    for index in order {
      starts[index] = total.byteCount
      do { try total.add(entries[index].info) } catch {
        throw error.adding(tensor: entries[index].name.text)
      }
    }
    var metadata = checkpoint.texts
    metadata[Checkpoint.tiesKey] = Checkpoint.tiesText(checkpoint.ties)
    metadata[Fingerprint.key] = fingerprint
    // Loaders of Hugging Face's libraries expect the metadata to name the framework.
    if metadata[Safetensors.formatMark.key] == nil {
      metadata[Safetensors.formatMark.key] = Safetensors.formatMark.value
    }
    var text = Self.text(metadata, entries, starts)
    // Spaces to a multiple of 8, so that the data begin aligned; tensors are ordered by falling
    // element size to stay aligned. Readers must not count on either.
    text += [UInt8](repeating: UInt8(ascii: " "), count: (8 - text.count % 8) % 8)
    guard text.count <= Safetensors.maxHeaderSize else {
      throw CheckpointError(
        .unsupported,
        "expected a header of at most \(Safetensors.maxHeaderSize) bytes, found \(text.count)")
    }
    header.appendLittleEndian(UInt64(text.count))
    header += text
  }

  private static func text(
    _ metadata: [String: String], _ entries: [Checkpoint.Entry], _ starts: [Int]
  ) -> [UInt8] {
    var json = JSONWriter()
    json.object { json in
      json.key(Safetensors.metadataKey)
      json.object { $0.members(metadata) }
      for (entry, start) in zip(entries, starts) {
        json.key(entry.name.text)
        json.object { json in
          json.key("dtype")
          json.string(entry.info.dtype.rawValue)
          json.key("shape")
          json.numbers(entry.info.shape)
          json.key("data_offsets")
          json.numbers([start, start + entry.info.byteCount])
        }
      }
    }
    return json.bytes
  }
}
