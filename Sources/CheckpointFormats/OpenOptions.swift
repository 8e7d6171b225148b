public import ParallelWork

/// Options for opening a checkpoint.
public struct OpenOptions: Sendable {
  /// The part to read of a file that holds several, such as `optimizer`; `nil` for the model.
  public var key: String?
  /// Whether every part of such a file is read, its tensors named as the file nests them:
  /// `model.fc.weight`, `optimizer.state.0.exp_avg`.
  public var readsAllParts = false
  /// Whether a note says that a file holds more parts than the one that is read.
  public var notesParts = true
  /// Number of worker threads; what is read does not depend on it.
  public var threads = Threads.available
  /// Whether values will be read, so that a file that claims more than it holds is refused: see
  /// `Budget`.
  public var readsValues = true

  /// Sets some options; the others are as they are by default.
  public init(
    key: String? = nil, readsAllParts: Bool = false, notesParts: Bool = true,
    threads: Int = Threads.available, readsValues: Bool = true
  ) {
    self.key = key
    self.readsAllParts = readsAllParts
    self.notesParts = notesParts
    self.threads = threads
    self.readsValues = readsValues
  }
}
