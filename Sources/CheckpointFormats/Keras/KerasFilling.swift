import ByteIO
import HDF5
import TensorCore

/// Fills a copy of an HDF5 file that Keras has written, of an archive with one in it, or of several
/// with a map.
///
/// Groups, attributes, the model's description, and the optimizer's state stay as they are.
enum KerasFilling {
  /// What Keras reads back; the rest is that of the file whose structure is used.
  static let capabilities: Capabilities = {
    var capabilities = Capabilities(
      dtypes: DType.computable, keepsTies: false, keepsModules: false, values: [])
    capabilities.needsTemplate = true
    capabilities.copiedEndings = [".keras", ".weights.json"]
    return capabilities
  }()

  /// Decides what changes.
  ///
  /// - Throws: ``CheckpointError`` `unsupported` if a dataset cannot be written.
  static func fill(_ fill: Fill) throws -> FilledFiles {
    switch KerasContainer(of: fill.template) {
    case .archive?: return try KerasArchive.fill(fill)
    case .shards?: return try KerasShards.fill(fill)
    case .legacy?, .weights?, nil: break
    }
    let filling = try filling(HDF5Tensors.opened(fill.template).file, fill)
    return FilledFiles(fill.template.name) { try await filling.write(to: $0) }
  }

  /// Decides what changes in an HDF5 file, which may be a member of an archive.
  static func filling(_ file: HDF5File, _ fill: Fill) throws(CheckpointError) -> HDF5Filling {
    let content =
      switch KerasContainer(of: file.table) {
      case .legacy?: try KerasLegacyFile.content(of: file.table)
      case .weights?: KerasWeightsFile.content(of: file.table)
      default: throw CheckpointError(.unsupported, "the file contains no Keras layers")
      }
    let variables = (content.model + content.optimizer).filter { fill.tensors[$0.name] != nil }
    let names = Dictionary(keepingFirst: variables.map { ($0.dataset.address, $0.name) })
    return try HDF5Filling(file, fill) { names[$0.address] }
  }
}
