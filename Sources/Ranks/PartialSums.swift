import Synchronization

/// Sums over files of which this process has read parts, and the other ranks others.
///
/// A file has one checksum for bytes that several ranks read: it can be compared only where the sums
/// of all parts come together. Whoever keeps such sums is asked for them, and is given those of all.
package struct PartialSums: Sendable {
  /// The sums of parts of this rank, as a record; none if there are no parts.
  let collect: @Sendable () -> [UInt8]
  /// Puts the parts of all ranks together; true if a sum is wrong.
  ///
  /// What is damaged cannot be read after that.
  let join: @Sendable ([[UInt8]]) -> Bool

  /// Keeps sums.
  package init(
    collect: @escaping @Sendable () -> [UInt8], join: @escaping @Sendable ([[UInt8]]) -> Bool
  ) {
    (self.collect, self.join) = (collect, join)
  }

  private static let keeper = Mutex<PartialSums?>(nil)

  /// Asks `sums` from now on.
  package static func keep(_ sums: PartialSums) { keeper.withLock { $0 = sums } }

  fileprivate static var kept: PartialSums? { keeper.withLock { $0 } }
}

extension Ranks {
  /// Compares the sums of what all ranks have read; true on a rank that knows of damage, and `nil`
  /// on all if there was nothing to compare.
  package func joinSums() throws -> Bool? {
    let kept = PartialSums.kept
    let parts = try exchange("sums", kept?.collect() ?? [])
    if parts.allSatisfy(\.isEmpty) { return nil }
    return kept?.join(parts) ?? false
  }
}
