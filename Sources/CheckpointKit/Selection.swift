public import ModuleTree
public import TensorCore

/// The tensors that `--match` takes and `--exclude` leaves out.
public struct Selection: Sendable {
  /// Any of these takes a tensor; empty takes all.
  public let match: [Selector]
  /// Any of these leaves a tensor out.
  public let exclude: [Selector]

  /// Parses selectors.
  public init(match: [String], exclude: [String]) throws {
    self.match = try match.map { try Selector($0) }
    self.exclude = try exclude.map { try Selector($0) }
  }

  /// The tensors taken, in file order.
  public func entries(of checkpoint: Checkpoint) throws -> [Checkpoint.Entry] {
    checkpoint.entries
  }

  /// The tensors taken of two checkpoints: by the kinds of whichever carries its module tree.
  public func pair(_ left: Checkpoint, _ right: Checkpoint) throws -> (Checkpoint, Checkpoint) {
    (left, right)
  }
}
