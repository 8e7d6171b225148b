import ByteIO
import HDF5
import TensorCore

/// The Keras format as a value.
extension CheckpointFormat {
  /// Keras: `.weights.h5`, `.keras`, sharded `.weights.json`, and the older `.h5` of whole models
  /// or of weights, with Keras's own names and order.
  public static let keras = CheckpointFormat(
    name: "keras", extensions: [".weights.h5"],
    recognizes: { KerasContainer(of: $0) != nil },
    open: { try KerasCheckpoint.open($0, $1) },
    fill: { try KerasFilling.fill($0) }, capabilities: KerasFilling.capabilities)
}

/// The four kinds of file in which Keras keeps weights.
enum KerasContainer: Hashable {
  /// HDF5 in which attributes list layers and their weights: Keras 1 and 2, and `.h5` of Keras 3.
  case legacy
  /// HDF5 in which each layer has a group `vars` with numbered datasets: Keras 3.
  case weights
  /// A zip archive of the model's description and one file of weights.
  case archive
  /// A JSON text that maps layers to files.
  case shards

  /// Recognizes the kind by a file's content; `nil` if it is not a Keras file.
  init?(of candidate: FileProbe) {
    if candidate.members != nil { return nil }
    if HDF5Checkpoint.recognizes(candidate.head) {
      guard let table = try? HDF5Tensors.opened(candidate).table else { return nil }
      self.init(of: table)
    } else if KerasArchive.recognizes(candidate) {
      self = .archive
    } else if KerasShards.recognizes(candidate.head) {
      self = .shards
    } else {
      return nil
    }
  }

  /// Recognizes the kind by the groups of an HDF5 file, up to the first dataset.
  init?(of table: HDF5Table) {
    if HDF5Layout.isOurs(table) { return nil }
    if KerasLegacyFile.root(of: table) != nil {
      self = .legacy
    } else if let first = table.datasets.first, KerasWeightsFile.isVariable(first.path) {
      self = .weights
    } else {
      return nil
    }
  }
}

/// Contents of a Keras file before tensors are named: the model and its optimizer separately.
struct KerasContent {
  /// A tensor's name and its offset in the HDF5 file.
  struct Variable {
    let name: TensorName
    let dataset: HDF5Table.Dataset
  }

  /// The model's own weights.
  var model: [Variable] = []
  /// The optimizer's state; empty if there is none.
  var optimizer: [Variable] = []
  /// Name of the optimizer's part in the file, which is its `--key`.
  var optimizerKey = "optimizer"
  /// Texts that describe the model.
  var metadata: [String: String] = [:]
  /// Names that the user gave to layers, by the layer's path in tensor names.
  var layerNames: [TensorName: String] = [:]
  /// What the file holds that is in neither part, one sentence each.
  var notes: [String] = []
}
