import ByteIO
import HDF5
import TensorCore

/// Fills a copy of an HDF5 file that Keras has written.
///
/// Groups, attributes, the model's description, and the optimizer's state stay as they are.
enum KerasFilling {
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

  /// Decides what changes.
  ///
  /// - Throws: ``CheckpointError`` `unsupported` if the file is not a single HDF5 file, or stores a
  ///   tensor in another way than Keras does.
  static func fill(_ fill: Fill) throws(CheckpointError) -> FilledFiles {
    let content = try structure(of: fill.template)
    var copy = PatchedCopy(of: try fill.template.source)
    var filled: Set<Int> = []
    for variable in content.model + content.optimizer {
      guard let entry = fill.tensors[variable.name] else { continue }
      do throws(CheckpointError) {
        guard let start = try start(of: variable.dataset), filled.insert(start).inserted else {
          continue
        }
        copy.replace(at: start, with: entry)
      } catch {
        throw error.adding(tensor: variable.name.text)
      }
    }
    let patched = copy
    return FilledFiles(fill.template.name) {
      try await patched.write(to: $0, threads: fill.threads)
    }
  }

  private static func structure(of template: FileProbe) throws(CheckpointError) -> KerasContent {
    guard HDF5Checkpoint.recognizes(template.head) else {
      throw CheckpointError(
        .unsupported,
        "expected a single HDF5 file, such as a .weights.h5 written by the model's save_weights")
    }
    let table = try HDF5Tensors.opened(template).table
    switch KerasContainer(of: table) {
    case .legacy?: return try KerasLegacyFile.content(of: table)
    case .weights?: return KerasWeightsFile.content(of: table)
    default: throw CheckpointError(.unsupported, "the file contains no Keras layers")
    }
  }

  /// Where a dataset's bytes are; `nil` if it has none.
  private static func start(of dataset: HDF5Table.Dataset) throws(CheckpointError) -> Int? {
    if dataset.info.byteCount == 0 { return nil }
    guard case .plain(let start) = dataset.storage else {
      throw CheckpointError(
        .unsupported,
        "expected contiguous little-endian storage, as Keras writes it")
    }
    return start
  }
}
