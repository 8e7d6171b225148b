import TensorCore

/// What each tensor of a checkpoint becomes in a native file, decided before anything is written.
struct NativePlan: Sendable {
  /// A tensor with bytes of its own, or an alias.
  enum Part {
    case stored(source: Int)
    case alias(TensorName, of: TensorName)
  }

  /// A tensor to be read.
  struct Source {
    let entry: Checkpoint.Entry
    let filter: NativeFilter
  }

  private(set) var parts: [Part] = []
  private(set) var sources: [Source] = []

  /// Plans a file.
  ///
  /// - Throws: ``CheckpointError`` for two tensors of one name, for what exceeds the format's
  ///   limits and for a compression that it does not have.
  init(
    _ checkpoint: Checkpoint, compression: WriteOptions.Compression
  ) throws(CheckpointError) {
    var names: Set<TensorName> = []
    var stored: [TensorName: TensorInfo] = [:]
    for entry in checkpoint.entries {
      try Self.checkLimits(entry)
      guard names.insert(entry.name).inserted else {
        throw CheckpointError(.malformed, "two tensors have this name", tensor: entry.name.text)
      }
      // An alias whose original was left out, or is seen in another shape, is stored itself.
      if let original = entry.alias, stored[original] == entry.info {
        parts.append(.alias(entry.name, of: original))
      } else {
        stored[entry.name] = entry.info
        parts.append(.stored(source: sources.count))
        let filter = try Self.filter(for: entry.info.dtype, compression)
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

  private static func filter(
    for dtype: DType, _ compression: WriteOptions.Compression
  ) throws(CheckpointError) -> NativeFilter {
    switch compression {
    case .standard, .planes: .best(for: dtype)
    case .none: .raw
    case .gzip(let level):
      throw CheckpointError(
        .unsupported, "compression gzip:\(level) is unknown to .ckz, which has planes and none")
    }
  }
}
