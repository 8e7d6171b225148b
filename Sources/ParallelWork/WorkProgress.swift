/// How far a long job is.
public struct WorkProgress: Sendable, Hashable {
  /// What has been done: bytes of tensors, unless the job counts something else, such as seeds.
  public let done: Int
  /// What there is to do in all; it may grow.
  public let total: Int

  /// The part that has been done, from 0 to 1.
  public var fraction: Double { total == 0 ? 1 : min(Double(done) / Double(total), 1) }

  /// States how much of how much has been done.
  public init(done: Int, total: Int) {
    self.done = done
    self.total = total
  }
}

/// Is told how far a job is: often, from any task, one call at a time.
public typealias ProgressHandler = @Sendable (WorkProgress) -> Void
