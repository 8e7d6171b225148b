/// Options for opening a checkpoint.
public struct OpenOptions: Sendable {
  /// The part to read of a file that holds several, such as `optimizer`; `nil` for the model.
  public var key: String?
  /// Number of worker tasks.
  public var threads = 1

  /// The options as they are by default.
  public init(key: String? = nil, threads: Int = 1) {
    self.key = key
    self.threads = threads
  }
}
