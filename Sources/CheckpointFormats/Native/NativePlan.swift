import TensorCore

/// How each tensor of a checkpoint is stored in a native file; decided before anything is written.
struct NativePlan: Sendable {
  /// A tensor with its own bytes, or an alias.
  enum Part {
    case stored(source: Int)
    case alias(TensorName, of: TensorName)
  }

  /// A tensor to be read.
  struct Source {
    let entry: Checkpoint.Entry
    var filter: NativeFilter
  }

  private(set) var parts: [Part] = []
  var sources: [Source] = []

  /// - Throws: ``CheckpointError`` when a name or a number of dimensions exceeds the format's limits.
  init(
    _ checkpoint: Checkpoint, compression: WriteOptions.Compression
  ) throws(CheckpointError) {
    var stored: [TensorName: TensorInfo] = [:]
    for entry in checkpoint.entries {
      try Self.checkLimits(entry)
      // An alias whose original was left out, or that has another shape, is stored with its own bytes.
      // Shape and dtype must agree too: an alias has none of its own in the index.
      if let original = entry.alias, stored[original] == entry.info {
        parts.append(.alias(entry.name, of: original))
      } else {
        stored[entry.name] = entry.info
        parts.append(.stored(source: sources.count))
        let filter = compression == .none ? .raw : NativeFilter.best(for: entry.info.dtype)
        sources.append(Source(entry: entry, filter: filter))
      }
    }
  }

  private static func checkLimits(_ entry: Checkpoint.Entry) throws(CheckpointError) {
    let length = entry.name.text.utf8.count
    guard length <= NativeLayout.maxNameBytes else {
      throw CheckpointError(
        .unsupported,
        "expected a name of at most \(NativeLayout.maxNameBytes) bytes, found \(length)",
        tensor: entry.name.text)
    }
    guard entry.info.shape.count <= NativeLayout.maxRank else {
      throw CheckpointError(
        .unsupported,
        "expected at most \(NativeLayout.maxRank) dimensions, found \(entry.info.shape.count)",
        tensor: entry.name.text)
    }
  }
}
