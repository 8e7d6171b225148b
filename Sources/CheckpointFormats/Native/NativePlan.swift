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
    var packing: NativePacking
    /// Numbers of words that its rows may have.
    let columns: [Int]

    init(_ entry: Checkpoint.Entry, _ packing: NativePacking) {
      self.entry = entry
      self.packing = packing
      columns = NativePacking.columns(of: entry.info.shape)
    }
  }

  private(set) var parts: [Part] = []
  var sources: [Source] = []

  /// - Throws: ``CheckpointError`` when a name or a number of dimensions exceeds the format's limits.
  init(
    _ checkpoint: Checkpoint, compression: WriteOptions.Compression
  ) throws(CheckpointError) {
    var stored: [TensorName: TensorInfo] = [:]
    let effort: NativePacking.Effort =
      switch compression {
      case .fastPlanes: .fast
      case .smallPlanes: .small
      default: .standard
      }
    for entry in checkpoint.entries {
      try Self.checkLimits(entry)
      // An alias whose original was left out, or that has another shape, is stored with its own bytes.
      // Shape and dtype must agree too: an alias has none of its own in the index.
      if let original = entry.alias, stored[original] == entry.info {
        parts.append(.alias(entry.name, of: original))
      } else {
        stored[entry.name] = entry.info
        parts.append(.stored(source: sources.count))
        let packing: NativePacking =
          compression == .none ? .raw : NativePacking(for: entry.info.dtype, effort: effort)
        sources.append(Source(entry, packing))
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
