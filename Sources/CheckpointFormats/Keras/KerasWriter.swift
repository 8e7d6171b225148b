import ByteIO
import HDF5
import ParallelWork
import TensorCore

/// Writes Keras's HDF5 files into a copy of a template that Keras has written.
///
/// The template is copied from its beginning to its end, with the new bytes in place of those of
/// its datasets, so that groups, attributes, the model's description, and the optimizer's state are
/// unchanged, and the output may be a pipe.
enum KerasWriter {
  /// What Keras reads back; the rest is that of the file whose structure is used.
  static let capabilities: Capabilities = {
    var capabilities = Capabilities(
      dtypes: DType.computable, ties: false, modules: false, values: [])
    capabilities.needsTemplate = true
    capabilities.readOnlyEndings = [".keras", ".weights.json"].map {
      ($0, "write .weights.h5 with --like FILE, which the model's load_weights reads")
    }
    return capabilities
  }()

  /// Writes a copy of `options.template` with the checkpoint's tensors in place of its own.
  ///
  /// - Throws: ``CheckpointError`` `unsupported` if the template is not a single HDF5 file,
  ///   `mismatched` when names, types, or shapes differ.
  static func write(
    _ checkpoint: Checkpoint, to sink: ByteSink, _ options: WriteOptions
  ) throws {
    guard let template = options.template else {
      preconditionFailure("the capabilities ask for a template")
    }
    let offsets = try offsets(of: checkpoint, in: template)
    let input = try template.source
    // Two names of one dataset: the later one counts.
    let pieces = Dictionary(
      zip(offsets, checkpoint.entries).filter { $1.info.byteCount > 0 },
      uniquingKeysWith: { _, later in later })
    var buffer = ChunkBuffer()
    for (start, entry) in pieces.sorted(by: { $0.key < $1.key }) {
      guard start >= sink.position else {
        throw CheckpointError(
          .malformed, "shares bytes with another dataset", path: template.path,
          tensor: entry.name.text,
          offset: start)
      }
      try copy(input, until: start, to: sink, using: &buffer)
      try entry.forEachChunk(using: &buffer) { _, bytes in try sink.append(bytes) }
    }
    try copy(input, until: input.size, to: sink, using: &buffer)
  }

  /// Where each tensor's bytes go, none left over on either side.
  private static func offsets(
    of checkpoint: Checkpoint, in template: FileProbe
  ) throws -> [Int] {
    do {
      let content = try structure(of: template)
      let variables = Dictionary(
        content.model.map { ($0.name, $0.dataset) }, uniquingKeysWith: { first, _ in first })
      var given: Set<TensorName> = []
      let offsets = try checkpoint.entries.map { entry in
        given.insert(entry.name)
        do throws(CheckpointError) {
          return try offset(of: entry, in: variables[entry.name])
        } catch {
          throw error.adding(tensor: entry.name.text)
        }
      }
      if let missing = content.model.first(where: { !given.contains($0.name) }) {
        throw CheckpointError(
          .mismatched,
          "the template has this weight, but the checkpoint has no matching tensor",
          tensor: missing.name.text)
      }
      return offsets
    } catch let error as CheckpointError {
      throw error.adding(path: template.path)
    }
  }

  private static func structure(of template: FileProbe) throws -> KerasContent {
    guard HDF5Checkpoint.recognizes(template.head) else {
      throw CheckpointError(
        .unsupported,
        "expected a single HDF5 file, such as a .weights.h5 written by the model's save_weights")
    }
    let table = try HDF5Tensors.opened(template).table
    switch KerasContainer(of: table) {
    case .legacy?: return try KerasLegacyFile.content(of: table)
    case .weights?: return KerasWeightsFile.content(of: table)
    default: throw CheckpointError(.unsupported, "the template contains no Keras layers")
    }
  }

  private static func offset(
    of entry: Checkpoint.Entry, in dataset: HDF5Table.Dataset?
  ) throws(CheckpointError) -> Int {
    guard let dataset else {
      throw CheckpointError(
        .mismatched,
        "the template has no weight with this name; pass --to-keras-layout for PyTorch tensors, or "
          + "--exclude")
    }
    guard dataset.info == entry.info else {
      let (found, required) = (entry.info, dataset.info)
      let remedy =
        found.shape == required.shape ? "; pass --dtype \(required.dtype.torchName)" : ""
      throw CheckpointError(
        .mismatched,
        "expected \(required.dtype.rawValue) \(required.shape), found \(found.dtype.rawValue) "
          + "\(found.shape)\(remedy)")
    }
    if entry.info.byteCount == 0 { return 0 }
    guard case .plain(let start) = dataset.storage else {
      throw CheckpointError(
        .unsupported,
        "expected contiguous little-endian storage in the template, as Keras writes it")
    }
    return start
  }

  /// Copies the bytes from where the sink is.
  private static func copy(
    _ input: ByteSource, until end: Int, to sink: ByteSink, using buffer: inout ChunkBuffer
  ) throws(CheckpointError) {
    while sink.position < end {
      let (start, count) = (sink.position, min(buffer.capacity, end - sink.position))
      try buffer.fill(count) { target throws(CheckpointError) in
        try input.read(at: start, into: &target)
      }
      try sink.append(buffer.bytes(count))
    }
  }
}
