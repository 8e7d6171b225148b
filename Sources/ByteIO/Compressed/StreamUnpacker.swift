import TensorCore

/// Unpacks one compressed stream, or several one after the other, piece by piece.
protocol StreamUnpacker: ~Copyable {
  /// Whether a stream has ended, after which another may begin or the file must end.
  var isAtEnd: Bool { get }

  /// Unpacks from `stream` into `target` until either is exhausted; both have less than 4 GiB.
  ///
  /// - Returns: the numbers of bytes consumed and produced.
  /// - Throws: ``CheckpointError`` `malformed` when the stream is damaged.
  mutating func unpack(
    _ stream: RawSpan, into target: inout MutableRawSpan
  ) throws(CheckpointError) -> (taken: Int, made: Int)

  /// Begins the next stream.
  mutating func restart() throws(CheckpointError)
}
