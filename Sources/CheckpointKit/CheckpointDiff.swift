public import ParallelWork
public import TensorCore

/// What differs between two checkpoints, tensor by tensor.
///
/// ``answer(values:)`` says in one line what it comes to, and ``DiffTree`` adds it up along the module
/// tree.
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
      /// In both, with the axes in another order; the values are compared in the first's.
      case transposed
      /// In both, of different element type; the values are compared all the same.
      case retyped
      /// In both, with different values.
      case changed
      /// Equal in both, or within the tolerance; not among ``CheckpointDiff/changes``.
      case identical
    }

    /// How the tensor differs.
    public internal(set) var kind: Kind
    /// Name in the first; for an added tensor its name in the second.
    public let name: TensorName
    /// Name in the second, where it is another.
    public internal(set) var newName: TensorName?
    /// Type and shape in the first.
    public let old: TensorInfo?
    /// Type and shape in the second.
    public internal(set) var new: TensorInfo?
    /// How far the values are apart, where shapes agree and they were measured.
    public internal(set) var difference: TensorDifference?
    /// Of a transposed tensor: axis `i` of the first is axis `axes[i]` of the second.
    public internal(set) var axes: [Int]?

    /// Type and shape in the second, or in the first if the second does not have it.
    public var info: TensorInfo? { new ?? old }

    /// A tensor that only one of the two has.
    init(only entry: Checkpoint.Entry, isAdded: Bool) {
      (kind, name) = (isAdded ? .added : .removed, entry.name)
      (old, new) = isAdded ? (nil, entry.info) : (entry.info, nil)
    }

    /// A tensor that both have.
    init(
      _ kind: Kind, _ left: Checkpoint.Entry, _ right: Checkpoint.Entry,
      _ difference: TensorDifference? = nil
    ) {
      (self.kind, name, old, new) = (kind, left.name, left.info, right.info)
      newName = left.name == right.name ? nil : right.name
      self.difference = difference
    }
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
  /// Every tensor but the tied ones, identical ones included: in the first's order, then those added.
  public let tensors: [Change]
  /// What differs, in the same order.
  public let changes: [Change]
  /// Tensors that are equal (within the tolerance, if there is one).
  public let identicalCount: Int
  /// How many of those are equal by the digests that both files store, so that their bytes were not
  /// read; none for entries whose `storedDigest` is `nil`.
  public let identicalByStoredDigestCount: Int

  /// Compares two checkpoints in bounded memory.
  ///
  /// Tensors are paired by name; those left over by equal bytes, and are then `renamed`, and by what
  /// such pairs have in common. `map` holds names in `left` that stand for another name in `right`;
  /// `tolerance` says how far values may be apart and still count as equal. With `ignoringTypes`,
  /// tensors of two types are identical if the values are, after rounding to the narrower type, and
  /// otherwise changed. Without `measuring`, only what differs is found, and not by how much; there is
  /// then no tolerance, and no tensor is recognized as transposed.
  ///
  /// Bytes are compared, and what differs is measured in the same pass. `threads` tasks are at work;
  /// the result does not depend on their number. `progress` is told of the bytes of both sides, whose total may grow.
  /// - Throws: `CheckpointError` when a tensor cannot be read.
  public init(
    from left: Checkpoint, to right: Checkpoint, map: [TensorName: TensorName] = [:],
    tolerance: TensorDifference.Tolerance = .none, ignoringTypes: Bool = false,
    measuring: Bool = true, threads: Int = Threads.available,
    progress: ProgressHandler? = nil
  ) async throws {
    let work = Work(
      tolerance: tolerance, ignoresTypes: ignoringTypes, isMeasured: measuring, threads: threads,
      counter: WorkCounter(progress))
    let rightByName = right.entriesByName
    var pairs: [Pair] = []
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
    let tiesLeft = Self.ties(
      of: leftOver, in: left, with: Set(pairs.map(\.left.name)), second: false)
    let tiesRight = Self.ties(of: rightOver, in: right, with: paired, second: true)
    tied = tiesLeft + tiesRight
    let (tiedLeft, tiedRight) = (Set(tiesLeft.map(\.name)), Set(tiesRight.map(\.name)))
    leftOver.removeAll { tiedLeft.contains($0.name) }
    rightOver.removeAll { tiedRight.contains($0.name) }
    let (compared, storedCount) = try await work.compare(pairs)
    let (found, isRightPaired) = try await work.pairs(of: leftOver, and: rightOver)

    var ordered: [TensorName: Change] = [:]
    for change in compared + found { ordered[change.name] = change }
    tensors =
      left.entries.compactMap { entry in
        tiedLeft.contains(entry.name)
          ? nil : ordered[entry.name] ?? Change(only: entry, isAdded: false)
      }
      + rightOver.filter { !isRightPaired.contains($0.name) }
      .map { Change(only: $0, isAdded: true) }
    changes = tensors.filter { $0.kind != .identical }
    identicalCount = tensors.count - changes.count
    identicalByStoredDigestCount = storedCount
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
}
