import ByteIO
import HDF5
import TensorCore

/// The Keras format as a value.
extension CheckpointFormat {
  /// Keras: `.weights.h5`, `.keras`, sharded `.weights.json`, and the older `.h5` of whole models
  /// or of weights, with names in Keras's own spelling and order.
  public static let keras = CheckpointFormat(
    name: "keras", extensions: [".weights.h5"],
    recognizes: { KerasContainer(of: $0) != nil },
    open: { try KerasCheckpoint.open($0, $1) },
    write: { checkpoint, sink, options in
      try KerasWriter.write(checkpoint, to: sink, options)
    },
    capabilities: KerasWriter.capabilities)
}

/// The four kinds of file in which Keras keeps weights.
enum KerasContainer: Hashable {
  /// HDF5 in which attributes list layers and their weights: Keras 1 and 2, and `.h5` of Keras 3.
  case legacy
  /// HDF5 in which each layer has a group `vars` with numbered datasets: Keras 3.
  case weights
  /// A zip archive of the model's description and one file of weights.
  case archive
  /// A JSON text that says which file holds which layer.
  case shards

  /// Tells by a file's content; `nil` for what is not Keras's.
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

  /// Tells by the groups of an HDF5 file, as far as the first dataset.
  init?(of table: HDF5Table) {
    let root = table.groups.first?.attributes
    if root?.value("format") == .text(HDF5Layout.formatName) { return nil }
    if KerasLegacyFile.root(of: table) != nil {
      self = .legacy
    } else if let first = table.datasets.first, KerasWeightsFile.isVariable(first.path) {
      self = .weights
    } else {
      return nil
    }
  }
}

/// What a Keras file holds, before names are given to tensors: the model and its optimizer apart.
struct KerasContent {
  /// A tensor's name and its place in the HDF5 file.
  struct Variable {
    let name: TensorName
    let dataset: HDF5Table.Dataset
  }

  /// The model's own weights.
  var model: [Variable] = []
  /// The optimizer's state; empty if there is none.
  var optimizer: [Variable] = []
  /// What the optimizer's part is called in the file, which is its `--key`.
  var optimizerKey = "optimizer"
  /// Texts that describe the model.
  var metadata: [String: String] = [:]
  /// What a layer is called by its user, by the layer's path in tensors' names.
  var layerNames: [TensorName: String] = [:]
  /// What the file holds that is in neither part, one sentence each.
  var notes: [String] = []
}
