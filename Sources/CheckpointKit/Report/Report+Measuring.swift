import TensorCore

/// The work of a report: a comparison reads the tensors, and they are measured meanwhile.
extension Report {
  /// A row per tensor of one checkpoint.
  static func tensors(of checkpoint: Checkpoint, threads: Int) async throws -> [Tensor] {
    var collectors: [TensorName: SummaryCollector] = [:]
    // A tied tensor is measured once.
    for entry in checkpoint.entries where entry.alias.flatMap({ collectors[$0] }) == nil {
      collectors[entry.name] = SummaryCollector(entry)
    }
    try await SummaryCollector.finish(
      checkpoint.entries.compactMap { collectors[$0.name] }, threads: threads)
    return checkpoint.entries.map { entry in
      let collector = collectors[entry.name] ?? entry.alias.flatMap { collectors[$0] }
      return Tensor(
        name: entry.name, old: entry.info, alias: entry.alias, before: collector?.summary)
    }
  }

  /// A row per tensor of two checkpoints.
  static func tensors(
    from left: Checkpoint, to right: Checkpoint, map: [TensorName: TensorName], threads: Int
  ) async throws -> (rows: [Tensor], answer: DiffAnswer) {
    let (olds, news) = (Observed(left), Observed(right))
    let diff = try await CheckpointDiff(
      from: olds.checkpoint, to: news.checkpoint, map: map, threads: threads)
    let changes = Dictionary(
      keepingFirst: diff.changes.filter { $0.kind != .added }.map { ($0.name, $0) })
    let tied = (
      Set(diff.tied.filter { !$0.isInSecond }.map(\.name)),
      Set(diff.tied.filter(\.isInSecond).map(\.name))
    )
    var rows = left.entries.map { entry in
      var row = Tensor(name: entry.name, kind: .identical, old: entry.info, alias: entry.alias)
      row.newName = map[entry.name]
      if let change = changes[entry.name] {
        row.take(change)
      } else if tied.0.contains(entry.name) {
        row.kind = .tied
      } else {
        row.new = entry.info
      }
      return row
    }
    let added = Set(diff.changes.filter { $0.kind == .added }.map(\.name))
    for entry in right.entries where added.contains(entry.name) || tied.1.contains(entry.name) {
      rows.append(
        Tensor(
          name: entry.name, kind: added.contains(entry.name) ? .added : .tied, new: entry.info,
          alias: entry.alias))
    }
    try await SummaryCollector.finish(
      rows.flatMap { row in
        [row.old.flatMap { _ in olds[row.name] }, row.isSame ? nil : row.second(in: news)]
          .compactMap { $0 }
      }, threads: threads)
    for index in rows.indices {
      if rows[index].old != nil { rows[index].before = olds[rows[index].name]?.summary }
      rows[index].after =
        rows[index].isSame ? rows[index].before : rows[index].second(in: news)?.summary
    }
    return (rows, diff.answer(values: ValueDiff(from: left, to: right)))
  }
}

/// A checkpoint whose tensors are measured as they are read.
struct Observed {
  /// The checkpoint to read.
  let checkpoint: Checkpoint
  private let collectors: [TensorName: SummaryCollector]

  /// Begins to measure all tensors.
  init(_ original: Checkpoint) {
    var checkpoint = original
    var collectors: [TensorName: SummaryCollector] = [:]
    for index in checkpoint.entries.indices {
      let collector = SummaryCollector(original.entries[index])
      collectors[original.entries[index].name] = collector
      checkpoint.entries[index] = collector.entry
    }
    (self.checkpoint, self.collectors) = (checkpoint, collectors)
  }

  /// What measures a tensor.
  subscript(name: TensorName) -> SummaryCollector? { collectors[name] }
}

extension Report.Tensor {
  /// Whether the second has the same bytes.
  fileprivate var isSame: Bool { kind == .identical || kind == .renamed }

  fileprivate mutating func take(_ change: CheckpointDiff.Change) {
    kind = Kind(rawValue: change.kind.rawValue) ?? .changed
    newName = change.newName
    new = change.new
    difference = change.difference
  }

  /// What measures the tensor of the second checkpoint.
  fileprivate func second(in news: Observed) -> SummaryCollector? {
    new.flatMap { _ in news[newName ?? name] }
  }
}
