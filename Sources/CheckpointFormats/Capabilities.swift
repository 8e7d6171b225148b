public import TensorCore

/// What a written file of a format can hold besides names, shapes, and bytes.
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

  /// Lists what a format can carry.
  public init(
    dtypes: some Sequence<DType>, ties: Bool = true, modules: Bool = true, metadata: Bool = true
  ) {
    self.dtypes = Set(dtypes)
    keepsTies = ties
    keepsModules = modules
    keepsMetadata = metadata
  }

  /// Everything.
  public static let everything = Capabilities(dtypes: DType.allCases)

  /// Refuses a checkpoint with a tensor of a type that the format does not have.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` `unsupported` that names the first such tensor.
  public func check(_ checkpoint: Checkpoint, format: String) throws(CheckpointError) {
    for entry in checkpoint.entries where !dtypes.contains(entry.info.dtype) {
      throw CheckpointError(
        .unsupported, "\(format) has no element type \(entry.info.dtype.rawValue)",
        tensor: entry.name.text)
    }
  }

  /// The losses when a checkpoint is written in the format, one sentence each.
  public func losses(of checkpoint: Checkpoint, format: String) -> [String] {
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
