public import ByteIO
public import TensorCore

/// A file format: a value with a name and two functions.
///
/// Every format in ``all`` is held to the suite `FormatContract`: every dtype, empty and scalar
/// tensors, names kept in order, a file cut at any byte refused with a place, two writes alike.
public struct CheckpointFormat: Sendable {
  /// What `--to` calls it.
  public let name: String
  /// File name endings, longest first, with their dot.
  public let extensions: [String]
  /// Says whether a file or a folder is of this format, by its content.
  public let recognizes: @Sendable (FileProbe) -> Bool
  /// Opens a file or a folder; tensors are read from it later, by range.
  public let open: @Sendable (FileProbe, OpenOptions) throws -> Checkpoint
  /// Writes a new file at a path where nothing of value stands; `nil` if the format is read-only.
  public let write: (@Sendable (Checkpoint, _ path: String, WriteOptions) async throws -> Void)?
  /// Whether a file can be made from nothing; if not, writing fills a copy of an existing one
  /// (``WriteOptions/template``).
  public var makesFiles = true
  /// Endings of files that are read and cannot be written, each with the remedy.
  public var readOnly: [(ending: String, remedy: String)] = []
  /// Whether a file holds one tensor, without its name.
  public var holdsOneTensor = false
  /// Whether several files with an index (``ShardPlan``) are read as one checkpoint.
  public var isSharded = false
  /// What a written file can carry.
  public let capabilities: Capabilities
  /// Reads every byte of a file with at most `threads` tasks and returns each damaged tensor's first
  /// error, none for a sound file; `nil` if reading all tensors checks all that the format can.
  ///
  /// What keeps the file from being opened at all is thrown.
  public var verify: (@Sendable (FileProbe, _ threads: Int) async throws -> [CheckpointError])? =
    nil

  /// Every format, in the order in which they are asked.
  public static let all: [CheckpointFormat] = [
    .native, .keras, .hdf5, .safetensors, .gguf, .npz, .npy, .pytorch,
  ]
}

extension CheckpointFormat {
  /// HDF5: groups are modules, datasets are parameters.
  public static let hdf5 = CheckpointFormat(
    name: "hdf5", extensions: [".hdf5", ".h5"],
    recognizes: { HDF5Checkpoint.recognizes($0.head) },
    open: { probe, _ in try HDF5Checkpoint.open(probe) }, write: HDF5Checkpoint.write,
    capabilities: HDF5Checkpoint.capabilities)
}
