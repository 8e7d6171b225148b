import ParallelWork
import Ranks
import Synchronization
import TensorCore

/// Finding which tensors differ, without measuring by how much.
extension CheckpointDiff.Work {
  /// The pairs of one type and shape with a difference.
  ///
  /// What cannot be read is an error if `isFailing`, and counts as a difference if not.
  func differing(_ pairs: [Pair], isFailing: Bool) async throws -> Set<Int> {
    let found = Mutex<Set<Int>>([])
    counter.plan(pairs.map { $0.left.info.byteCount.saturated(times: 2) }.saturatedSum())
    @Sendable func isEqual(_ piece: Piece) throws -> Bool {
      let (left, right) = pairs[piece.tensor]
      let memory = PieceMemory.pool.acquire()
      defer { PieceMemory.pool.release(memory) }
      defer { counter.add(2 * piece.range.count) }
      do {
        return try memory.value.isEqual(piece.range, of: left, and: right)
      } catch  where !isFailing {
        return false
      }
    }
    let ranks = Ranks.current
    if ranks.size > 1 {
      let sharing = Sharing<[Piece], [Bool]>(
        ranks, "comparing", window: WorkLimits.sumWindowSize, cost: \.byteCount,
        write: { for isEqual in $0 { $1.add(isEqual) } },
        read: { pieces, record in pieces.map { _ in record.truth() } })
      try await pipeline(
        pieces(pairs), threads: threads, sharing: sharing,
        work: { pieces in
          try pieces.map { piece in
            // One difference is enough.
            if found.withLock({ $0.contains(piece.tensor) }) { return false }
            return try isEqual(piece)
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
        for piece in pieces where try !isEqual(piece) {
          found.withLock { _ = $0.insert(piece.tensor) }
        }
      },
      finish: { _, _ in })
    return found.withLock { $0 }
  }
}
