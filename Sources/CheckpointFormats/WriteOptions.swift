/// Options for writing a checkpoint; a format refuses what it cannot do.
public struct WriteOptions: Sendable {
  /// How tensors are stored.
  public enum Compression: Hashable, Sendable {
    /// The format's own default.
    case standard
    /// As they are.
    case none
    /// Byte planes, each stored or Huffman-coded, in one zlib stream per chunk.
    case planes
    /// Byte shuffle and deflate at this level, 1 to 9.
    case gzip(level: Int)
  }

  /// How tensors are stored.
  public var compression = Compression.standard
  /// Number of worker tasks; the bytes written do not depend on it.
  public var threads = 1
  /// Whether a format that nests values also nests tensors among them, by their dotted names, as the
  /// file of a training run does; see ``OpenOptions/readsAllParts``.
  public var nests = false

  /// The options as they are by default.
  public init() {}
}
