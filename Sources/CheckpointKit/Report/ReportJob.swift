import ByteIO
import ParallelWork
import Ranks
import TensorCore

/// One tensor, or two of one shape, to be measured together.
struct ReportJob: Sendable {
  /// Index of the row that the result belongs to.
  let tensor: Int
  /// The tensor of the first checkpoint.
  let first: Checkpoint.Entry?
  /// The tensor of the second checkpoint.
  let second: Checkpoint.Entry?
  /// Whether the first is measured as well, not only compared.
  var summarizesFirst = true

  /// What the files say is equal is read once.
  private var isKnownEqual: Bool {
    guard let first, let second, first.info == second.info, let digest = first.storedDigest else {
      return false
    }
    return digest == second.storedDigest
  }

  /// Measures of each job, added up in the order of its pieces.
  ///
  /// Ranks share the pieces, and each gets all results.
  static func measure(_ jobs: [ReportJob], threads: Int) async throws -> [ReportPart] {
    var parts = jobs.map { _ in ReportPart() }
    let entries = jobs.compactMap { $0.first ?? $0.second }
    let sharing = Sharing<[Piece], [ReportPart]>(
      Ranks.current, "measuring", window: WorkLimits.sumWindowSize, cost: \.byteCount,
      write: { for part in $0 { $1.add(part) } },
      read: { pieces, record in pieces.map { _ in record.reportPart() } })
    try await pipeline(
      Pieces(of: entries, size: WorkLimits.comparisonSize, cut: .elements), threads: threads,
      size: 2 * WorkLimits.comparisonSize, sharing: sharing,
      work: { pieces in try pieces.map { try jobs[$0.tensor].part($0.range) } },
      stages: [
        PipelineStage { pieces, found in
          for (piece, part) in zip(pieces, found) { parts[piece.tensor].append(part) }
        }
      ])
    try Ranks.current.requireSound(jobs.flatMap { [$0.first, $0.second].compactMap { $0 } })
    return parts
  }

  /// Measures of a part, given in bytes of the first tensor.
  private func part(_ range: Range<Int>) throws -> ReportPart {
    guard let first else {
      return ReportPart(after: try second.map { try Self.summary(of: $0, range) })
    }
    guard let second else { return ReportPart(before: try Self.summary(of: first, range)) }
    if isKnownEqual {
      let summary = try Self.summary(of: first, range)
      return ReportPart(before: summary, after: summary)
    }
    let (width, otherWidth) = (first.info.dtype.byteWidth, second.info.dtype.byteWidth)
    let otherRange =
      range.lowerBound / width * otherWidth..<range.upperBound / width * otherWidth
    let bytes = try Self.bytes(range, of: first)
    let others = try Self.bytes(otherRange, of: second)
    var part = ReportPart()
    let span = bytes.rawBytes
    let otherSpan = others.rawBytes
    let isEqual = first.info == second.info && span.isByteEqual(to: otherSpan)
    if summarizesFirst { part.before = TensorSummary(of: span, as: first.info.dtype) }
    part.after =
      isEqual && summarizesFirst
      ? part.before : TensorSummary(of: otherSpan, as: second.info.dtype)
    // Compared as `ckpt diff` compares them, but in memory: each tensor is read once.
    part.difference = try TensorDifference(
      between: first.inMemory(bytes, from: range.lowerBound),
      and: second.inMemory(others, from: otherRange.lowerBound), bytes: range, tolerance: .none)
    return part
  }

  private static func summary(
    of entry: Checkpoint.Entry, _ range: Range<Int>
  ) throws -> TensorSummary {
    let memory = PieceMemory.pool.acquire()
    defer { PieceMemory.pool.release(memory) }
    var summary = TensorSummary()
    try memory.value.read(range, of: entry) {
      summary = TensorSummary(of: $0, as: entry.info.dtype)
    }
    return summary
  }

  private static func bytes(_ range: Range<Int>, of entry: Checkpoint.Entry) throws -> [UInt8] {
    try [UInt8](count: range.count) { try entry.read(range, into: &$0) }
  }
}

extension Checkpoint.Entry {
  /// The tensor, of which a part lies in memory; nothing else of it may be read.
  fileprivate func inMemory(_ bytes: [UInt8], from start: Int) -> Self {
    wrappingReader { range, target, _ in
      let source = bytes.rawBytes
      target.copyBytes(
        from: source.extracting(range.lowerBound - start..<range.upperBound - start))
    }
  }
}

/// What is known of a part of a tensor or of a pair.
struct ReportPart: Sendable {
  /// Measures of the first.
  var before: TensorSummary?
  /// Measures of the second.
  var after: TensorSummary?
  /// How far the two are apart.
  var difference: TensorDifference?

  /// Adds what was found in the part that follows.
  mutating func append(_ next: ReportPart) {
    if let summary = next.before { before = before.adding(summary) }
    if let summary = next.after { after = after.adding(summary) }
    if let found = next.difference {
      var all = difference ?? TensorDifference()
      all.append(found)
      difference = all
    }
  }
}

extension Optional<TensorSummary> {
  fileprivate func adding(_ next: TensorSummary) -> TensorSummary {
    guard var summary = self else { return next }
    summary.append(next)
    return summary
  }
}

/// Measures as one rank gives them to the others.
extension RecordWriter {
  fileprivate mutating func add(_ part: ReportPart) {
    add(part.before) { $1.add($0) }
    add(part.after) { $1.add($0) }
    add(part.difference) { $1.add($0) }
  }

  private mutating func add(_ summary: TensorSummary) {
    for count in [summary.count, summary.zeros, summary.nans, summary.infinities] { add(count) }
    add(summary.center)
    add(summary.squares)
    summary.histogram.write(to: &self)
  }
}

extension RecordReader {
  fileprivate mutating func reportPart() -> ReportPart {
    ReportPart(
      before: optional { $0.summary() }, after: optional { $0.summary() },
      difference: optional { $0.difference() })
  }

  private mutating func summary() -> TensorSummary {
    var summary = TensorSummary()
    summary.count = integer()
    summary.zeros = integer()
    summary.nans = integer()
    summary.infinities = integer()
    summary.center = double()
    summary.squares = double()
    summary.histogram = ValueHistogram(from: &self)
    return summary
  }
}
