import TensorCore

/// Which tensors of two checkpoints belong together, and a row of a report for each.
struct TensorPairs {
  /// The entries of a row.
  struct Pair {
    let first: Checkpoint.Entry?
    let second: Checkpoint.Entry?
  }

  /// What is known before anything is measured.
  private(set) var rows: [Report.Tensor] = []
  /// The entries of each row.
  private(set) var pairs: [Pair] = []

  /// Pairs tensors by name, then what is left by equal bytes, as ``CheckpointDiff`` does.
  init(
    _ left: Checkpoint, _ right: Checkpoint, map: [TensorName: TensorName], threads: Int
  ) async throws {
    let rightByName = right.entriesByName
    func partner(of entry: Checkpoint.Entry) -> Checkpoint.Entry? {
      rightByName[map[entry.name] ?? entry.name]
    }
    let taken = Set(left.entries.compactMap { partner(of: $0)?.name })
    let paired = Set(left.entries.filter { partner(of: $0) != nil }.map(\.name))
    var leftOver = left.entries.filter { !paired.contains($0.name) }
    var rightOver = right.entries.filter { !taken.contains($0.name) }
    let ties = (
      Set(CheckpointDiff.ties(of: leftOver, in: left, with: paired, second: false).map(\.name)),
      Set(CheckpointDiff.ties(of: rightOver, in: right, with: taken, second: true).map(\.name))
    )
    leftOver.removeAll { ties.0.contains($0.name) }
    rightOver.removeAll { ties.1.contains($0.name) }
    let renames = try await CheckpointDiff.renames(from: leftOver, to: rightOver, threads: threads)
    let newNames = Dictionary(
      keepingFirst: renames.compactMap { change in change.newName.map { (change.name, $0) } })

    for entry in left.entries {
      if let partner = partner(of: entry) {
        add(entry, partner, Report.Tensor.Kind(of: entry.info, and: partner.info))
      } else if let partner = newNames[entry.name].flatMap({ rightByName[$0] }) {
        add(entry, partner, .renamed)
      } else {
        add(entry, nil, ties.0.contains(entry.name) ? .tied : .removed)
      }
    }
    let renamed = Set(newNames.values)
    for entry in right.entries where !taken.contains(entry.name) && !renamed.contains(entry.name) {
      add(nil, entry, ties.1.contains(entry.name) ? .tied : .added)
    }
  }

  private mutating func add(
    _ first: Checkpoint.Entry?, _ second: Checkpoint.Entry?, _ kind: Report.Tensor.Kind
  ) {
    guard let name = first?.name ?? second?.name else { return }
    rows.append(
      Report.Tensor(
        name: name, newName: second?.name == name ? nil : second?.name, kind: kind,
        old: first?.info, new: second?.info, alias: first?.alias ?? second?.alias))
    pairs.append(Pair(first: first, second: second))
  }
}

extension Report.Tensor.Kind {
  /// What type and shape say of a pair; `identical` stands for what its values will tell.
  init(of old: TensorInfo, and new: TensorInfo) {
    self = old.shape != new.shape ? .reshaped : old.dtype != new.dtype ? .retyped : .identical
  }
}

extension ReportJob {
  /// The work for all pairs.
  static func jobs(of pairs: TensorPairs) -> [ReportJob] {
    zip(pairs.pairs, pairs.rows).enumerated().flatMap { index, pair in
      // What was renamed has equal bytes, which were compared by their digests.
      jobs(for: index, pair.0.first, pair.1.kind == .renamed ? nil : pair.0.second)
    }
  }

  /// The work for one pair: measured together where values can be compared, else one by one.
  static func jobs(
    for tensor: Int, _ first: Checkpoint.Entry?, _ second: Checkpoint.Entry?
  ) -> [ReportJob] {
    guard let first, let second else {
      return [ReportJob(tensor: tensor, first: first, second: second)]
    }
    let (old, new) = (first.info, second.info)
    if old.shape == new.shape, old.dtype == new.dtype || old.dtype.hasValues(like: new.dtype) {
      return [ReportJob(tensor: tensor, first: first, second: second)]
    }
    return [
      ReportJob(tensor: tensor, first: first, second: nil),
      ReportJob(tensor: tensor, first: nil, second: second),
    ]
  }
}

extension DType {
  /// Whether values of both can be read, and an element of each is one number or of each is two.
  fileprivate func hasValues(like other: DType) -> Bool {
    isComputable && other.isComputable && isComplex == other.isComplex
  }

  private var isComplex: Bool {
    if case .complex = element.kind { true } else { false }
  }
}
