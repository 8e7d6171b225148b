import ParallelWork
import TensorCore

extension CheckpointDiff {
  private typealias Pair = (left: Checkpoint.Entry, right: Checkpoint.Entry)

  /// What is known of a pair before a byte is read.
  private enum Outlook {
    case identical
    case reshaped
    /// Bytes are compared first, and where they differ values.
    case unknown
    /// Values are compared: the types differ.
    case retyped

    init(_ pair: Pair) {
      let (left, right) = pair
      if left.info.shape != right.info.shape {
        self = .reshaped
      } else if left.info.dtype != right.info.dtype {
        self = .retyped
      } else if let mine = left.storedDigest, let theirs = right.storedDigest, mine == theirs {
        self = .identical
      } else {
        self = .unknown
      }
    }
  }

  /// Part of a pair, in bytes of the left tensor.
  private struct Piece: Sendable {
    let pair: Int
    let range: Range<Int>
    let isRetyped: Bool
  }

  /// What became of each pair; `nil` where it is identical, or equal within the tolerance.
  ///
  /// Bytes are compared first, at the speed of memory, and values are measured only in pieces that
  /// differ. The norm of a changed tensor takes its equal pieces, too: they are read again.
  static func compare(
    _ pairs: [(Checkpoint.Entry, Checkpoint.Entry)], _ tolerance: TensorDifference.Tolerance,
    threads: Int
  ) async throws -> [Change?] {
    let outlooks = pairs.map { Outlook($0) }
    let pieces = pairs.indices.flatMap { index -> [Piece] in
      switch outlooks[index] {
      case .identical, .reshaped: []
      case .unknown, .retyped:
        pairs[index].0.info.pieces.map {
          Piece(pair: index, range: $0, isRetyped: outlooks[index] == .retyped)
        }
      }
    }
    let measured = try await concurrentMap(pieces, width: threads) { piece in
      try Self.measure(piece, pairs[piece.pair], tolerance)
    }
    var isChanged = outlooks.map { $0 == .retyped }
    for (piece, difference) in zip(pieces, measured) where difference != nil {
      isChanged[piece.pair] = true
    }
    let equal = pieces.indices.filter { measured[$0] == nil && isChanged[pieces[$0].pair] }
    let norms = try await concurrentMap(equal, width: threads) { [pieces] index in
      try TensorDifference(ofEqual: pairs[pieces[index].pair].0, bytes: pieces[index].range)
    }
    var parts = measured
    for (index, part) in zip(equal, norms) { parts[index] = part }
    var differences = isChanged.map { $0 ? TensorDifference() : nil }
    for (piece, part) in zip(pieces, parts) {
      if let part { differences[piece.pair]?.append(part) }
    }
    return pairs.indices.map { change(pairs[$0], outlooks[$0], differences[$0]) }
  }

  private static func measure(
    _ piece: Piece, _ pair: Pair, _ tolerance: TensorDifference.Tolerance
  ) throws -> TensorDifference? {
    if !piece.isRetyped {
      let memory = PieceMemory.pool.acquire()
      defer { PieceMemory.pool.release(memory) }
      if try memory.value.isEqual(piece.range, of: pair.left, and: pair.right) { return nil }
    }
    return try TensorDifference(
      between: pair.left, and: pair.right, bytes: piece.range, tolerance: tolerance)
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
    case .unknown: difference.map { $0.differing > 0 } == true ? change(.changed) : nil
    }
  }
}
