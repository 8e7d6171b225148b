public import TensorCore

/// What a written file of a format can hold besides names, shapes, and bytes, and how it is written.
public struct Capabilities: Sendable {
  /// Element types that it has.
  public var dtypes: Set<DType>
  /// Whether tied tensors stay tied; if not, each is written out.
  public var keepsTies: Bool
  /// Whether tied tensors that stay tied share their bytes; if not, each is written out, so that
  /// every reader finds every name, and the file says which are tied.
  public var sharesBytes = true
  /// Whether the module tree is kept.
  public var keepsModules: Bool
  /// Whether text metadata, the recipe among it, is kept.
  public var keepsMetadata: Bool
  /// The ways to store tensors that the format has besides ``WriteOptions/Compression/standard`` and
  /// ``WriteOptions/Compression/none``, which every format has.
  public var compressions: Set<WriteOptions.Compression>
  /// Whether a file holds one tensor, without its name.
  public var holdsOneTensor: Bool
  /// Whether several files with an index are read as one checkpoint.
  public var isSharded: Bool
  /// Whether writing fills a copy of an existing file (``WriteOptions/template``), since none can be
  /// made from nothing.
  public var needsTemplate = false
  /// Endings of files that are read and cannot be written, each with the remedy.
  public var readOnlyEndings: [(ending: String, remedy: String)] = []

  /// Lists what a format can carry.
  public init(
    dtypes: some Sequence<DType>, ties: Bool = true, modules: Bool = true, metadata: Bool = true,
    compressions: Set<WriteOptions.Compression> = [], holdsOneTensor: Bool = false,
    isSharded: Bool = false
  ) {
    self.dtypes = Set(dtypes)
    keepsTies = ties
    keepsModules = modules
    keepsMetadata = metadata
    self.compressions = compressions
    self.holdsOneTensor = holdsOneTensor
    self.isSharded = isSharded
  }

  /// Refuses what the format cannot write.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` `unsupported` for a compression that it does not have, a missing
  ///   template, several tensors where there is room for one, or an element type that it does not
  ///   have; `malformed` for two tensors of one name.
  package func check(
    _ checkpoint: Checkpoint, _ options: WriteOptions = WriteOptions(), format: String
  ) throws(CheckpointError) {
    try check(options, format: format)
    if holdsOneTensor, checkpoint.entries.count != 1 {
      throw CheckpointError(
        .unsupported,
        "expected 1 tensor for .\(format), found \(checkpoint.entries.count); write .npz, or select one with --match"
      )
    }
    for entry in checkpoint.entries where !dtypes.contains(entry.info.dtype) {
      throw CheckpointError(
        .unsupported, "\(format) has no element type \(entry.info.dtype.rawValue)",
        tensor: entry.name.text)
    }
    var names: Set<TensorName> = []
    for entry in checkpoint.entries where !names.insert(entry.name).inserted {
      throw CheckpointError(.malformed, "two tensors have this name", tensor: entry.name.text)
    }
  }

  /// Refuses options that the format does not have.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` `unsupported`.
  package func check(_ options: WriteOptions, format: String) throws(CheckpointError) {
    if needsTemplate, options.template == nil {
      throw CheckpointError(
        .unsupported,
        "\(format) files can only be written into a copy of a template; pass --like FILE")
    }
    let compression = options.compression
    if compression == .standard || compression == .none || compressions.contains(compression) {
      return
    }
    guard !compressions.isEmpty else {
      throw CheckpointError(.unsupported, "\(format) has no compression; omit --compression")
    }
    let names = Set(compressions.map(\.name)).union(["none"]).sorted().joined(separator: ", ")
    throw CheckpointError(
      .unsupported, "\(format) has no compression \(compression.text): expected one of \(names)")
  }

  /// The losses when a checkpoint is written in the format, one sentence each.
  package func losses(of checkpoint: Checkpoint, format: String) -> [String] {
    var losses: [String] = []
    let tied = checkpoint.entries.filter { $0.alias != nil }
    if !keepsTies, let first = tied.first, let original = first.alias {
      let more = tied.count == 1 ? "" : " and \(tied.count - 1) more"
      losses.append(
        "\(format) has no tied tensors; written out: '\(first.name)' (= '\(original)')\(more)")
    }
    if !keepsModules, !checkpoint.modules.isEmpty {
      losses.append("\(format) cannot hold the module tree; it is left out")
    }
    if !keepsMetadata, !checkpoint.metadata.isEmpty {
      let keys = checkpoint.metadata.keys.sorted().joined(separator: ", ")
      losses.append("\(format) cannot hold metadata; left out: \(keys)")
    }
    return losses
  }
}
