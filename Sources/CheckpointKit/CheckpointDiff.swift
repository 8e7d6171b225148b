import ParallelWork
public import TensorCore

/// What differs between two checkpoints, tensor by tensor.
public struct CheckpointDiff: Sendable {
  /// One tensor, or one pair of tensors, and what became of it.
  public struct Change: Sendable {
    /// How a tensor differs; raw values are the words that `ckpt diff` prints.
    public enum Kind: String, Sendable, CaseIterable, Encodable {
      /// Only in the second.
      case added
      /// Only in the first.
      case removed
      /// In both under different names, with the same bytes.
      case renamed
      /// In both, of different shape.
      case reshaped
      /// In both, of different element type; the values are compared all the same.
      case retyped
      /// In both, with different values.
      case changed
    }

    /// How the tensor differs.
    public let kind: Kind
    /// Name in the first; for an added tensor its name in the second.
    public let name: TensorName
    /// Name in the second, where it is another.
    public let newName: TensorName?
    /// Type and shape in the first.
    public let old: TensorInfo?
    /// Type and shape in the second.
    public let new: TensorInfo?
    /// How far the values are apart, where shapes agree.
    public let difference: TensorDifference?
  }

  /// A tensor that one file has under a further name.
  public struct Tie: Sendable {
    /// The name that only one file has.
    public let name: TensorName
    /// The name that both files have, to which it is tied.
    public let original: TensorName
    /// Whether the second file has it.
    public let isInSecond: Bool
  }

  /// Names that only one file has, because it is tied there to a tensor that both have; many tools
  /// leave such names out, and nothing is missing.
  public let tied: [Tie]
  /// What differs: removed, renamed, reshaped, retyped, changed in the first's order, then added.
  public let changes: [Change]
  /// Tensors that are equal (within the tolerance, if there is one).
  public let identical: Int
  /// How many of those are equal by the digests that both files store, so that their bytes were not
  /// read; none for entries whose `storedDigest` is `nil`.
  public let identicalByStoredDigest: Int

  /// Compares two checkpoints in bounded memory.
  ///
  /// Tensors are paired by name; those left over by equal bytes, and are then `renamed`.
  /// `map` holds names in `left` that stand for another name in `right`; `tolerance` says how far
  /// values may be apart and still count as equal; `threads` tasks are at work. The result does not
  /// depend on their number.
  /// - Throws: `CheckpointError` when a tensor cannot be read.
  public init(
    from left: Checkpoint, to right: Checkpoint, map: [TensorName: TensorName] = [:],
    tolerance: TensorDifference.Tolerance = .none, threads: Int
  ) async throws {
    let rightByName = right.entriesByName
    var pairs: [(Checkpoint.Entry, Checkpoint.Entry)] = []
    var leftOver: [Checkpoint.Entry] = []
    var paired: Set<TensorName> = []
    for entry in left.entries {
      if let partner = rightByName[map[entry.name] ?? entry.name] {
        pairs.append((entry, partner))
        paired.insert(partner.name)
      } else {
        leftOver.append(entry)
      }
    }
    var rightOver = right.entries.filter { !paired.contains($0.name) }
    let tiesLeft = Self.ties(of: leftOver, in: left, with: Set(pairs.map(\.0.name)), second: false)
    let tiesRight = Self.ties(of: rightOver, in: right, with: paired, second: true)
    tied = tiesLeft + tiesRight
    let (tiedLeft, tiedRight) = (Set(tiesLeft.map(\.name)), Set(tiesRight.map(\.name)))
    leftOver.removeAll { tiedLeft.contains($0.name) }
    rightOver.removeAll { tiedRight.contains($0.name) }
    let (compared, storedCount) = try await Self.compare(pairs, tolerance, threads: threads)
    let renames = try await Self.renames(from: leftOver, to: rightOver, threads: threads)

    var ordered: [TensorName: Change] = [:]
    for change in compared.compactMap({ $0 }) + renames { ordered[change.name] = change }
    let renamed = Set(renames.compactMap(\.newName))
    var changes: [Change] = left.entries.compactMap { entry in
      if let change = ordered[entry.name] { return change }
      guard rightByName[map[entry.name] ?? entry.name] == nil, !tiedLeft.contains(entry.name)
      else { return nil }
      return Change(
        kind: .removed, name: entry.name, newName: nil, old: entry.info, new: nil, difference: nil)
    }
    for entry in rightOver where !renamed.contains(entry.name) {
      changes.append(
        Change(
          kind: .added, name: entry.name, newName: nil, old: nil, new: entry.info, difference: nil))
    }
    self.changes = changes
    identical = compared.count { $0 == nil }
    identicalByStoredDigest = storedCount
  }

  /// Those of `entries` that are tied, in their file, to a tensor that has a partner.
  private static func ties(
    of entries: [Checkpoint.Entry], in checkpoint: Checkpoint, with paired: Set<TensorName>,
    second isInSecond: Bool
  ) -> [Tie] {
    let originals = checkpoint.tiedNames
    var partners: [TensorName: TensorName] = [:]
    for entry in checkpoint.entries where paired.contains(entry.name) {
      let original = originals[entry.name] ?? entry.name
      if partners[original] == nil { partners[original] = entry.name }
    }
    return entries.compactMap { entry in
      partners[originals[entry.name] ?? entry.name].map {
        Tie(name: entry.name, original: $0, isInSecond: isInSecond)
      }
    }
  }

  /// Pairs what has equal type, shape and bytes; among several candidates (freshly made biases are
  /// all alike) only those whose last name component agrees, in file order.
  private static func renames(
    from left: [Checkpoint.Entry], to right: [Checkpoint.Entry], threads: Int
  ) async throws -> [Change] {
    let shapes = Set(left.map(\.info)).intersection(right.map(\.info))
    func keyed(_ entries: [Checkpoint.Entry]) async throws -> [(Content, Checkpoint.Entry)] {
      let entries = entries.filter { shapes.contains($0.info) }
      let unknown = entries.filter { $0.storedDigest == nil }
      var found = try await Checkpoint.digests(of: unknown, threads: threads).makeIterator()
      return try entries.compactMap { entry in
        guard let digest = try entry.storedDigest ?? found.next()?.get() else { return nil }
        return (Content(info: entry.info, digest: digest), entry)
      }
    }
    let leftByContent = Dictionary(grouping: try await keyed(left), by: \.0)
    let rightByContent = Dictionary(grouping: try await keyed(right), by: \.0)
    var changes: [Change] = []
    for (content, olds) in leftByContent {
      let candidates = (rightByContent[content] ?? []).map(\.1)
      let isUnique = olds.count == 1 && candidates.count == 1
      func key(_ entry: Checkpoint.Entry) -> TensorName {
        isUnique ? "" : TensorName(entry.name.parentAndLeaf.leaf)
      }
      let byLeaf = Dictionary(grouping: candidates, by: key)
      var taken: [TensorName: Int] = [:]
      for (_, old) in olds {
        let position = taken[key(old), default: 0]
        guard let same = byLeaf[key(old)], position < same.count else { continue }
        taken[key(old)] = position + 1
        let new = same[position]
        changes.append(
          Change(
            kind: .renamed, name: old.name, newName: new.name, old: old.info, new: new.info,
            difference: nil))
      }
    }
    return changes
  }

  private struct Content: Hashable, Sendable {
    let info: TensorInfo
    let digest: Digest
  }
}
