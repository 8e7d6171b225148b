import ByteIO
import HDF5
import ParallelWork
import TensorCore

/// Writes Keras's HDF5 files into a copy of a template that Keras has written.
///
/// The template is copied and the bytes of its datasets are replaced, so that groups,
/// attributes, the model's description, and the optimizer's state are unchanged.
enum KerasWriter {
  /// What Keras reads back; the rest is that of the file whose structure is used.
  static let capabilities = Capabilities(
    dtypes: DType.computable, ties: false, modules: false, metadata: false)

  /// Writes a copy of `options.template` with the checkpoint's tensors in the places of theirs.
  ///
  /// - Throws: ``CheckpointError`` `unsupported` without a template, or if it is not a single HDF5
  ///   file, `mismatched` when names, types or shapes differ.
  static func write(
    _ checkpoint: Checkpoint, _ path: String, _ options: WriteOptions
  ) async throws {
    guard let template = options.template else {
      throw CheckpointError(
        .unsupported, "Keras files can only be written into a copy of a template; pass --like FILE")
    }
    switch options.compression {
    case .standard, .none: break
    default:
      throw CheckpointError(.unsupported, "Keras stores tensors uncompressed; drop --compression")
    }
    let places = try places(of: checkpoint, in: template)
    let output = try OutputFile(creating: path)
    try copy(try template.source, to: output)
    var buffer = ChunkBuffer()
    for (entry, start) in zip(checkpoint.entries, places) {
      for offset in stride(from: 0, to: entry.info.byteCount, by: buffer.capacity) {
        let count = min(buffer.capacity, entry.info.byteCount - offset)
        try output.overwrite(at: start + offset, with: entry.read(offset, count, using: &buffer))
      }
    }
    try output.close()
  }

  /// Where each tensor's bytes go, none left over on either side.
  private static func places(
    of checkpoint: Checkpoint, in template: FileProbe
  ) throws -> [Int] {
    do {
      let content = try structure(of: template)
      let variables = Dictionary(
        content.model.map { ($0.name, $0.dataset) }, uniquingKeysWith: { first, _ in first })
      var given: Set<TensorName> = []
      let places = try checkpoint.entries.map { entry in
        given.insert(entry.name)
        do throws(CheckpointError) {
          return try place(of: entry, in: variables[entry.name])
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
      return places
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

  private static func place(
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
        "expected contiguous little-endian storage, as Keras writes it; the template has other")
    }
    return start
  }

  private static func copy(_ input: ByteSource, to output: OutputFile) throws {
    var buffer = ChunkBuffer()
    for offset in stride(from: 0, to: input.size, by: buffer.capacity) {
      let count = min(buffer.capacity, input.size - offset)
      var target = buffer.mutableBytes(count)
      try input.read(at: offset, into: &target)
      try output.append(buffer.bytes(count))
    }
  }
}
