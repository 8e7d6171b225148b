/// What a writer may be asked for; a format takes what it knows and refuses what it cannot do.
public struct WriteOptions: Sendable {
  /// How tensors are stored.
  public enum Compression: Hashable, Sendable {
    /// What the format does best.
    case standard
    /// As they are.
    case none
    /// Byte planes, each stored or Huffman-coded, in one zlib stream a chunk.
    case planes
    /// Byte shuffle and deflate at this level, 1 to 9.
    case gzip(level: Int)
  }

  /// How tensors are stored.
  public var compression = Compression.standard
  /// How many tasks may work at once; the bytes written do not depend on it.
  public var threads = 1
  /// An existing file whose structure is to be filled, for formats that cannot make one themselves.
  public var like: String?

  /// The options as they are by default.
  public init() {}
}
