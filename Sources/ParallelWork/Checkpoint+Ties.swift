public import TensorCore

/// Confirming that tensors which a file claims to be tied are equal.
extension Checkpoint {
  /// Makes sure that claimed aliases have their originals' bytes, by reading both; those that have
  /// not become tensors of their own, and a note says so.
  ///
  /// Whoever writes a checkpoint asks for this first: what is tied is written once. To look at a
  /// checkpoint nothing need be read.
  package mutating func confirmTies() throws {
    if claimedTies.isEmpty { return }
    var places: [TensorName: Int] = [:]
    for (index, entry) in entries.enumerated() { places[entry.name] = index }
    for (index, entry) in entries.enumerated() where claimedTies.contains(entry.name) {
      guard let original = entry.alias.flatMap({ places[$0] }) else { continue }
      if try entry.hasBytes(of: entries[original]) { continue }
      entries[index].alias = nil
      notes.append(
        "tensor '\(entry.name)' was tied to '\(entries[original].name)' but now differs from it")
    }
    claimedTies = []
  }
}

extension Checkpoint.Entry {
  /// Whether type, shape and every byte are the other's; reads both, to the first difference.
  public func hasBytes(of other: Self) throws -> Bool {
    guard info == other.info else { return false }
    let size = min(info.byteCount, ChunkBuffer.standardSize)
    var mine = ChunkBuffer(capacity: size)
    var theirs = ChunkBuffer(capacity: size)
    for offset in stride(from: 0, to: info.byteCount, by: ChunkBuffer.standardSize) {
      let count = min(ChunkBuffer.standardSize, info.byteCount - offset)
      let left = try read(offset, count, using: &mine)
      let right = try other.read(offset, count, using: &theirs)
      guard left.isByteEqual(to: right) else { return false }
    }
    return true
  }
}
