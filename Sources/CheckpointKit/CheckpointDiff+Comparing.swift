import ParallelWork
import Ranks
import TensorCore

/// The work of a comparison: bytes are compared, and values where bytes differ, in one pass.
extension CheckpointDiff {
  typealias Pair = (left: Checkpoint.Entry, right: Checkpoint.Entry)

  /// How to compare.
  struct Work: Sendable {
    var tolerance = TensorDifference.Tolerance.none
    var ignoresTypes = false
    var isMeasured = true
    let threads: Int
    var counter = WorkCounter(nil)
  }

  /// What is known of a pair before a byte is read.
  fileprivate enum Outlook {
    case identical
    case reshaped
    /// Bytes are compared first, and where they differ values.
    case unknown
    /// The digests that the files store differ.
    case different
    /// Values are compared.
    case retyped

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

  /// Names of the tensors that their replacements leave as they are, byte for byte.
  ///
  /// A redraw that changes nothing is most often a mistake: the seed is the one that the values were
  /// drawn from. Each pair is read to its first difference.
  package static func unchanged(
    by replacements: [(old: Checkpoint.Entry, new: Checkpoint.Entry)], threads: Int
  ) async throws -> [TensorName] {
    let pairs = replacements.filter { $0.old.info == $0.new.info }
      .map { (left: $0.old, right: $0.new) }
    let differing = try await Work(threads: threads).differing(pairs, isFailing: false)
    return pairs.indices.filter { !differing.contains($0) }.map { pairs[$0].left.name }
  }
}

extension CheckpointDiff.Work {
  typealias Pair = CheckpointDiff.Pair
  typealias Change = CheckpointDiff.Change

  /// What became of each pair; the count is of those that are identical by the digests that their files
  /// store, without being read.
  func compare(_ pairs: [Pair]) async throws -> (changes: [Change], storedCount: Int) {
    let outlooks = pairs.map { CheckpointDiff.Outlook($0) }
    // Several ranks measure all the same: what one of them cannot read is then known to all.
    let isMeasured = isMeasured || tolerance != .none || Ranks.current.size > 1
    let read = pairs.indices.filter { index in
      switch outlooks[index] {
      case .identical, .reshaped: false
      case .unknown: true
      case .different: isMeasured
      case .retyped: isMeasured || ignoresTypes
      }
    }
    var differences = [TensorDifference?](repeating: nil, count: pairs.count)
    var isDifferent = outlooks.map { $0 == .different }
    let unmeasured = read.filter { !isMeasured && outlooks[$0] == .unknown }
    for index in try await differing(unmeasured.map { pairs[$0] }, isFailing: true) {
      isDifferent[unmeasured[index]] = true
    }
    let measured = read.filter { isMeasured || outlooks[$0] != .unknown }
    let found = try await self.differences(
      measured.map { pairs[$0] }, differ: measured.map { outlooks[$0] == .different })
    for (index, difference) in zip(measured, found) {
      differences[index] = difference
      isDifferent[index] = difference.map { $0.differingCount > 0 } == true
    }
    var changes = pairs.indices.map { index -> Change in
      let (left, right) = pairs[index]
      let difference = differences[index]
      let kind: Change.Kind =
        switch outlooks[index] {
        case .identical: .identical
        case .reshaped: .reshaped
        case .retyped where ignoresTypes: difference?.isCast == true ? .identical : .changed
        case .retyped: .retyped
        case .unknown, .different: isDifferent[index] ? .changed : .identical
        }
      return Change(kind, left, right, kind == .identical ? nil : difference)
    }
    if isMeasured { try findTransposed(pairs, &changes) }
    return (changes, outlooks.count { $0 == .identical })
  }

  func pieces(_ pairs: [Pair]) -> Pieces {
    Pieces(of: pairs.map(\.left), size: WorkLimits.comparisonSize, cut: .elements)
  }

  /// How far each pair is apart, added up in the order of its pieces; `nil` where bytes are equal.
  ///
  /// `differ` are those of which digests tell that they differ.
  private func differences(
    _ pairs: [Pair], differ: [Bool]
  ) async throws -> [TensorDifference?] {
    counter.plan(
      pairs.flatMap { [$0.left.info.byteCount, $0.right.info.byteCount] }.saturatedSum())
    var differences = [TensorDifference?](repeating: nil, count: pairs.count)
    var equal = [[Range<Int>]](repeating: [], count: pairs.count)
    let sharing = Sharing<[Piece], [TensorDifference?]>(
      Ranks.current, "measuring", window: WorkLimits.sumWindowSize, cost: \.byteCount,
      write: { for part in $0 { $1.add(part) { $1.add($0) } } },
      read: { pieces, record in pieces.map { _ in record.optional { $0.difference() } } })
    try await pipeline(
      pieces(pairs), threads: threads, sharing: sharing,
      work: { [tolerance] pieces in
        try pieces.map { piece in
          let (left, right) = pairs[piece.tensor]
          return try TensorDifference.measured(
            left, right, piece.range, tolerance, differ: differ[piece.tensor])
        }
      },
      stages: [
        PipelineStage { [counter] pieces, parts in
          for (piece, part) in zip(pieces, parts) {
            let (left, right) = pairs[piece.tensor]
            counter.add(
              piece.range.count + piece.range.count / left.info.dtype.block.bytes
                * left.info.dtype.block.elements / right.info.dtype.block.elements
                * right.info.dtype.block.bytes)
            if let part {
              differences[piece.tensor] = differences[piece.tensor].adding(part)
            } else {
              equal[piece.tensor].extend(with: piece.range)
            }
          }
        }
      ])
    try await addEqual(equal, of: pairs, to: &differences)
    try Ranks.current.requireSound(pairs.map(\.left) + pairs.map(\.right))
    return differences
  }

  /// Adds the norms of the equal parts of tensors that differ elsewhere, which nothing was measured of.
  private func addEqual(
    _ equal: [[Range<Int>]], of pairs: [Pair], to differences: inout [TensorDifference?]
  ) async throws {
    var items: [(tensor: Int, range: Range<Int>)] = []
    for (index, ranges) in equal.enumerated() where (differences[index]?.differingCount ?? 0) > 0 {
      let width = pairs[index].left.info.dtype.block.bytes
      let size = max(WorkLimits.comparisonSize / width, 1) * width
      for range in ranges { items += range.cut(at: size).map { (index, $0) } }
    }
    if items.isEmpty { return }
    counter.plan(items.map(\.range.count).saturatedSum())
    var found = differences
    let sharing = Sharing<(tensor: Int, range: Range<Int>), TensorDifference>(
      Ranks.current, "norms", window: WorkLimits.sumWindowSize, cost: \.range.count,
      write: { $1.add($0) }, read: { $1.difference() })
    try await pipeline(
      items, threads: threads, sharing: sharing,
      work: { try TensorDifference(equal: $0.range, of: pairs[$0.tensor].left) },
      stages: [
        PipelineStage { [counter] piece, part in
          counter.add(piece.range.count)
          found[piece.tensor] = found[piece.tensor].adding(part)
        }
      ])
    differences = found
  }
}

extension TensorDifference? {
  fileprivate func adding(_ next: TensorDifference) -> TensorDifference {
    guard var sum = self else { return next }
    sum.append(next)
    return sum
  }
}

extension [Range<Int>] {
  /// Adds a range that begins at the end of the last one or after it.
  fileprivate mutating func extend(with range: Range<Int>) {
    if range.isEmpty { return }
    if let last, last.upperBound == range.lowerBound {
      self[count - 1] = last.lowerBound..<range.upperBound
    } else {
      append(range)
    }
  }
}
