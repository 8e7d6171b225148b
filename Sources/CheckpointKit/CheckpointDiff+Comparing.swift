import ParallelWork
import Ranks
import Synchronization
import TensorCore

/// The work of a comparison: digests first, then bytes, then values where bytes differ.
extension CheckpointDiff {
  private typealias Pair = (left: Checkpoint.Entry, right: Checkpoint.Entry)

  /// What is known of a pair before a byte is read.
  private enum Outlook {
    case identical
    case reshaped
    /// Bytes are compared first, and where they differ values.
    case unknown
    /// Values are compared: the types differ, or the digests that the files store do.
    case retyped, different

    init(_ pair: Pair) {
      let (left, right) = pair
      if left.info.shape != right.info.shape {
        self = .reshaped
      } else if left.info.dtype != right.info.dtype {
        self = .retyped
      } else if let mine = left.storedDigest, let theirs = right.storedDigest {
        self = mine == theirs ? .identical : .different
      } else {
        self = .unknown
      }
    }
  }

  /// What became of each pair; `nil` where it is identical, or equal within the tolerance.
  ///
  /// The count is of those that are identical by the digests that their files store, without being
  /// read.
  /// Bytes are compared first, at the speed of memory, to the first difference of each tensor. Then
  /// the tensors that differ are measured from end to end.
  static func compare(
    _ pairs: [(Checkpoint.Entry, Checkpoint.Entry)], _ tolerance: TensorDifference.Tolerance,
    threads: Int
  ) async throws -> (changes: [Change?], storedCount: Int) {
    let outlooks = pairs.map { Outlook($0) }
    let unknown = pairs.indices.filter { outlooks[$0] == .unknown }
    var isMeasured = outlooks.map { $0 == .retyped || $0 == .different }
    let differing = try await differing(unknown.map { pairs[$0] }, threads: threads)
    for index in differing { isMeasured[unknown[index]] = true }
    let measured = pairs.indices.filter { isMeasured[$0] }
    let found = try await differences(measured.map { pairs[$0] }, tolerance, threads: threads)
    var differences = [TensorDifference?](repeating: nil, count: pairs.count)
    for (index, difference) in zip(measured, found) { differences[index] = difference }
    return (
      pairs.indices.map { change(pairs[$0], outlooks[$0], differences[$0]) },
      outlooks.count { $0 == .identical }
    )
  }

  /// Names of the tensors that their replacements leave as they are, byte for byte.
  ///
  /// A redraw that changes nothing is most often a mistake: the seed is the one that the values were
  /// drawn from. Each pair is read to its first difference.
  package static func unchanged(
    by replacements: [(old: Checkpoint.Entry, new: Checkpoint.Entry)], threads: Int
  ) async throws -> [TensorName] {
    let pairs = replacements.filter { $0.old.info == $0.new.info }
      .map { (left: $0.old, right: $0.new) }
    let differing = try await differing(pairs, threads: threads)
    return pairs.indices.filter { !differing.contains($0) }.map { pairs[$0].left.name }
  }

  private static func pieces(_ pairs: [Pair]) -> Pieces {
    Pieces(of: pairs.map(\.left), size: WorkLimits.comparisonSize, cut: .elements)
  }

  /// The pairs with a difference; what cannot be read counts as one, and says so when it is measured.
  private static func differing(_ pairs: [Pair], threads: Int) async throws -> Set<Int> {
    let found = Mutex<Set<Int>>([])
    let ranks = Ranks.current
    if ranks.size > 1 {
      let sharing = Sharing<[Piece], [Bool]>(
        ranks, "comparing", window: WorkLimits.sumWindowSize, cost: \.byteCount,
        write: { for isEqual in $0 { $1.add(isEqual) } },
        read: { pieces, record in pieces.map { _ in record.truth() } })
      try await pipeline(
        pieces(pairs), threads: threads, sharing: sharing,
        work: { pieces in
          pieces.map { piece in
            // One difference is enough.
            if found.withLock({ $0.contains(piece.tensor) }) { return false }
            return isEqual(piece, pairs[piece.tensor])
          }
        },
        stages: [
          PipelineStage { pieces, results in
            for (piece, isEqual) in zip(pieces, results) where !isEqual {
              found.withLock { _ = $0.insert(piece.tensor) }
            }
          }
        ])
      let damage = try ranks.damage(of: pairs.map(\.left) + pairs.map(\.right))
      return found.withLock { $0.union(damage.keys.map { $0 % pairs.count }) }
    }
    let open = sequence(state: pieces(pairs)) { state -> [Piece]? in
      while let pieces = state.next() {
        // One difference is enough.
        if pieces[0].isWhole || !found.withLock({ $0.contains(pieces[0].tensor) }) { return pieces }
        state.skipTensor()
      }
      return nil
    }
    try await pipeline(
      open, threads: threads,
      work: { pieces in
        for piece in pieces where !isEqual(piece, pairs[piece.tensor]) {
          found.withLock { _ = $0.insert(piece.tensor) }
        }
      },
      finish: { _, _ in })
    return found.withLock { $0 }
  }

  /// Whether both tensors can be read and have the same bytes there.
  private static func isEqual(_ piece: Piece, _ pair: Pair) -> Bool {
    let memory = PieceMemory.pool.acquire()
    defer { PieceMemory.pool.release(memory) }
    return (try? memory.value.isEqual(piece.range, of: pair.left, and: pair.right)) == true
  }

  /// How far each pair is apart, added up in the order of its pieces.
  private static func differences(
    _ pairs: [Pair], _ tolerance: TensorDifference.Tolerance, threads: Int
  ) async throws -> [TensorDifference] {
    var differences = pairs.map { _ in TensorDifference() }
    let sharing = Sharing<[Piece], [TensorDifference]>(
      Ranks.current, "measuring", window: WorkLimits.sumWindowSize, cost: \.byteCount,
      write: { for part in $0 { $1.add(part) } },
      read: { pieces, record in pieces.map { _ in record.difference() } })
    try await pipeline(
      pieces(pairs), threads: threads, sharing: sharing,
      work: { pieces in
        try pieces.map { piece in
          let (left, right) = pairs[piece.tensor]
          if piece.range.isEmpty { return TensorDifference() }
          return try TensorDifference(
            between: left, and: right, bytes: piece.range, tolerance: tolerance)
        }
      },
      stages: [
        PipelineStage { pieces, parts in
          for (piece, part) in zip(pieces, parts) { differences[piece.tensor].append(part) }
        }
      ])
    try Ranks.current.requireSound(pairs.map(\.left) + pairs.map(\.right))
    return differences
  }

  private static func change(
    _ pair: Pair, _ outlook: Outlook, _ difference: TensorDifference?
  ) -> Change? {
    func change(_ kind: Change.Kind) -> Change {
      Change(
        kind: kind, name: pair.left.name,
        newName: pair.left.name == pair.right.name ? nil : pair.right.name, old: pair.left.info,
        new: pair.right.info, difference: difference)
    }
    return switch outlook {
    case .identical: nil
    case .reshaped: change(.reshaped)
    case .retyped: change(.retyped)
    case .unknown, .different: difference.map { $0.differing > 0 } == true ? change(.changed) : nil
    }
  }
}
