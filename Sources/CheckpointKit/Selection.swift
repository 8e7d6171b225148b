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
}
