import ParallelWork
import Strided
import TensorCore

/// Pairing tensors whose names no rule pairs.
extension CheckpointDiff.Work {
  private struct Content: Hashable, Sendable {
    let info: TensorInfo
    let digest: Digest
  }

  /// Parts of names by which tensors are paired, at most.
  private static let maxPatterns = 16

  /// What became of tensors that are left over on both sides, and the names in the second that have a
  /// partner.
  ///
  /// Tensors of equal bytes are renamed. Those where a part of the name differs as in two renamed ones
  /// at least, and the shapes agree, are compared. What is left may be transposed and renamed.
  func pairs(
    of left: [Checkpoint.Entry], and right: [Checkpoint.Entry]
  ) async throws -> (changes: [Change], paired: Set<TensorName>) {
    if left.isEmpty || right.isEmpty { return ([], []) }
    var changes = try await renames(from: left, to: right)
    let byName = Dictionary(keepingFirst: right.map { ($0.name, $0) })
    func paired() -> (olds: Set<TensorName>, news: Set<TensorName>) {
      (Set(changes.map(\.name)), Set(changes.map { $0.newName ?? $0.name }))
    }
    var (olds, news) = paired()
    // Those of most tensors first: work must not grow with the number of patterns.
    let patterns = CheckpointDiff.renamings(in: changes).filter { $0.tensors.count > 1 }
      .prefix(Self.maxPatterns)
    var pairs: [Pair] = []
    for entry in left where !patterns.isEmpty && !olds.contains(entry.name) {
      let partner = patterns.lazy.compactMap { $0.applied(to: entry.name) }
        .compactMap { byName[$0] }
        .first { !news.contains($0.name) && $0.info.shape == entry.info.shape }
      guard let partner else { continue }
      news.insert(partner.name)
      pairs.append((entry, partner))
    }
    changes += try await compare(pairs).changes
    (olds, news) = paired()
    changes += try await transposedRenames(
      from: left.filter { !olds.contains($0.name) }, to: right.filter { !news.contains($0.name) })
    return (changes, paired().news)
  }

  /// Pairs what has equal type, shape and bytes; among several candidates (freshly made biases are
  /// all alike) only those whose last name component agrees, in file order.
  private func renames(
    from left: [Checkpoint.Entry], to right: [Checkpoint.Entry]
  ) async throws -> [Change] {
    let shapes = Set(left.map(\.info)).intersection(right.map(\.info))
    func keyed(_ entries: [Checkpoint.Entry]) async throws -> [(Content, Checkpoint.Entry)] {
      try await contents(of: entries.filter { shapes.contains($0.info) })
    }
    return Self.matches(try await keyed(left), try await keyed(right)).map {
      Change(.renamed, $0.left, $0.right)
    }
  }

  /// Pairs what has equal type and bytes once the axes of the first are in another order.
  private func transposedRenames(
    from left: [Checkpoint.Entry], to right: [Checkpoint.Entry]
  ) async throws -> [Change] {
    if !isMeasured { return [] }
    let infos = Set(right.map(\.info))
    var views: [Checkpoint.Entry] = []
    var axes: [TensorName: [Int]] = [:]
    for entry in left where axes[entry.name] == nil {
      for order in entry.info.axisOrders where axes[entry.name] == nil {
        let view = try entry.permuted(order)
        // A vector in a matrix of one row has the same bytes, and is reshaped.
        guard infos.contains(view.info), entry.info.shape.count(where: { $0 > 1 }) > 1 else {
          continue
        }
        views.append(view)
        axes[entry.name] = order
      }
    }
    let shapes = Set(views.map(\.info))
    let originals = Dictionary(keepingFirst: left.map { ($0.name, $0) })
    let found = Self.matches(
      try await contents(of: views),
      try await contents(of: right.filter { shapes.contains($0.info) }))
    return found.compactMap { view, entry in
      guard let original = originals[view.name], let order = axes[view.name] else { return nil }
      var change = Change(.transposed, original, entry)
      change.axes = order.inverted
      return change
    }
  }

  private func contents(
    of entries: [Checkpoint.Entry]
  ) async throws -> [(Content, Checkpoint.Entry)] {
    let unknown = entries.filter { $0.storedDigest == nil }
    counter.plan(unknown.map(\.info.byteCount).saturatedSum())
    let counted = unknown.map { [counter] entry in
      entry.wrappingReader { range, target, read in
        try read(range, &target)
        counter.add(range.count)
      }
    }
    var found = try await Checkpoint.digests(of: counted, threads: threads).makeIterator()
    return try entries.compactMap { entry in
      guard let digest = try entry.storedDigest ?? found.next()?.get() else { return nil }
      return (Content(info: entry.info, digest: digest), entry)
    }
  }

  private static func matches(
    _ left: [(Content, Checkpoint.Entry)], _ right: [(Content, Checkpoint.Entry)]
  ) -> [Pair] {
    let leftByContent = Dictionary(grouping: left, by: \.0)
    let rightByContent = Dictionary(grouping: right, by: \.0)
    var pairs: [Pair] = []
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
        pairs.append((old, same[position]))
      }
    }
    return pairs
  }
}
