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

  /// Part of a tensor that is at most one chunk.
  struct Piece {
    let source: Int
    let range: Range<Int>
  }

  /// What one task reads and packs: one chunk of a tensor of several, or some small tensors.
  struct Job {
    let pieces: [Piece]
    /// Whether the pieces are whole tensors.
    let isWhole: Bool
    /// Whether the last piece ends its tensor.
    let isEnd: Bool
  }

  private(set) var parts: [Part] = []
  private(set) var sources: [Source] = []

  /// Most bytes of a job's pieces.
  static let jobSize = NativeLayout.chunkSize
  /// Most pieces of a job.
  static let jobPieces = 64

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

  /// The job that begins at a place in a tensor, and where the next one begins; `nil` at the end.
  ///
  /// Tensors follow each other in order, so that the jobs' results make up the file.
  func job(at place: inout (source: Int, offset: Int)) -> Job? {
    guard place.source < sources.count else { return nil }
    let size = sources[place.source].entry.info.byteCount
    if size > NativeLayout.chunkSize {
      let end = min(place.offset + NativeLayout.chunkSize, size)
      let piece = Piece(source: place.source, range: place.offset..<end)
      place = end == size ? (place.source + 1, 0) : (place.source, end)
      return Job(pieces: [piece], isWhole: false, isEnd: end == size)
    }
    var pieces: [Piece] = []
    var total = 0
    while place.source < sources.count, pieces.count < Self.jobPieces {
      let size = sources[place.source].entry.info.byteCount
      guard size <= Self.jobSize - total else { break }
      pieces.append(Piece(source: place.source, range: 0..<size))
      total += size
      place.source += 1
    }
    return Job(pieces: pieces, isWhole: true, isEnd: true)
  }
}
