import TensorCore

/// How each tensor of a checkpoint is stored in a native file; decided before anything is written.
struct NativePlan: Sendable {
  /// A tensor with its own bytes, an alias, or one whose bytes are stored elsewhere.
  enum Part {
    case stored(Checkpoint.Entry, source: Int)
    case alias(TensorName, of: TensorName)
    case unchanged(Checkpoint.Entry, NativeIndex.Reference)
  }

  /// What is known of a tensor that is written against a base.
  struct Known {
    let digest: Digest
    /// Where its bytes are stored, if they are.
    var stored: NativeIndex.Reference?
    /// Bytes of the same size and type that may differ little, and where they are.
    var base: (entry: Checkpoint.Entry, reference: NativeIndex.Reference)?
  }

  /// A tensor to be read.
  struct Source {
    let entry: Checkpoint.Entry
    var packing: NativePacking
    /// What is known of its bytes.
    let known: Known?
    /// Numbers of words that its rows may have.
    let columns: [Int]

    init(_ entry: Checkpoint.Entry, _ packing: NativePacking, _ known: Known?) {
      self.entry = entry
      self.known = known
      self.packing = packing
      columns = NativePacking.columns(of: entry.info.shape)
    }
  }

  private(set) var parts: [Part] = []
  var sources: [Source] = []

  /// Plans a whole checkpoint; or, given what is `known` of each tensor but aliases, what differs from
  /// a base.
  ///
  /// - Throws: ``CheckpointError`` when a name or a number of dimensions exceeds the format's limits.
  init(
    _ checkpoint: Checkpoint, compression: WriteOptions.Compression,
    known: [TensorName: Known] = [:]
  ) throws(CheckpointError) {
    var stored: [TensorName: TensorInfo] = [:]
    var originals: [Content: Int] = [:]
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
        let known = known[entry.name]
        if let reference = known?.stored {
          parts.append(.unchanged(entry, reference))
          continue
        }
        let packing: NativePacking =
          compression == .none ? .raw : NativePacking(for: entry.info.dtype, effort: effort)
        // Where digests are known, equal bytes are seen here; otherwise as they are read.
        let content = known.map { Content(digest: $0.digest, packing: packing) }
        if let content, let original = originals[content] {
          parts.append(.stored(entry, source: original))
          continue
        }
        if let content { originals[content] = sources.count }
        parts.append(.stored(entry, source: sources.count))
        sources.append(Source(entry, packing, known))
      }
    }
  }

  /// Tensors with equal keys have equal chunks.
  struct Content: Hashable {
    let digest: Digest
    let packing: NativePacking
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
