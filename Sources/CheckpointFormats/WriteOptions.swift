public import ParallelWork

/// Options for writing a checkpoint; a format refuses what it cannot do.
public struct WriteOptions: Sendable {
  /// How tensors are stored.
  public enum Compression: Hashable, Sendable {
    /// The format's own default.
    case standard
    /// As they are.
    case none
    /// Filters of words, of which one is chosen for each chunk, and their byte planes, stored or
    /// Huffman-coded, in one zlib stream; in formats with filters of their own, shuffled bytes.
    case planes
    /// The same without a choice of filters.
    case fastPlanes
    /// The same, with filters that save little and matches wherever they save anything: slow.
    case smallPlanes
    /// Byte shuffle and deflate at this level, 1 to 9.
    case gzip(level: Int)
  }

  /// How tensors are stored.
  public var compression = Compression.standard
  /// Percentage of parity that restores damaged bytes, 1 to 100; only `.ckz` files have it.
  public var parity: Int?
  /// Number of worker tasks; the bytes written do not depend on it.
  public var threads = Threads.available
  /// Whether a format that nests values also nests tensors among them, by their dotted names, as the
  /// file of a training run does; see ``OpenOptions/readsAllParts``.
  public var nests = false

  /// Sets some options; the others are as they are by default.
  public init(
    compression: Compression = .standard, parity: Int? = nil, threads: Int = Threads.available,
    nests: Bool = false
  ) {
    self.compression = compression
    self.parity = parity
    self.threads = threads
    self.nests = nests
  }
}
