import TensorCore

/// Counts the bytes of nested names, each of which repeats the names of what it is in, so that a small
/// file cannot stand for any number of them.
struct NestedNames {
  private var account: Budget.Account

  /// Makes room for what a file of `size` bytes justifies.
  init(size: Int) { account = Budget.current.account(of: .nestedNames, size: size) }

  /// - Throws: ``CheckpointError`` `unsupported` when the names together exceed the budget.
  mutating func charge(_ name: String) throws(CheckpointError) {
    guard account.charge(name.utf8.count) else {
      throw CheckpointError(
        .unsupported,
        "names need more than \(account.limit) bytes of memory; pass --allow-large to read them")
    }
  }
}
