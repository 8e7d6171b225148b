/// What a reader may be asked for.
public struct OpenOptions: Sendable {
  /// Which part of a file that holds several checkpoints, as `optimizer`; `nil` for the model's.
  public var key: String?
  /// How many tasks may work at once.
  public var threads = 1

  /// The options as they are by default.
  public init(key: String? = nil, threads: Int = 1) {
    self.key = key
    self.threads = threads
  }
}
