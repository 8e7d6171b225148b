public import ParallelWork
public import TensorCore

/// A training run over its checkpoints: norms, changes from step to step, and where NaN begins.
///
/// Two checkpoints are open at a time. Each is read twice, with the one before it and with the one
/// after it, but what both store equal digests of is not read.
public struct RunReport: Sendable {
  /// A checkpoint of the run, opened when its turn comes.
  public struct Step: Sendable {
    /// What the report calls it.
    public let name: String
    /// Opens it.
    public let open: @Sendable () throws -> Checkpoint

    /// Names a checkpoint.
    public init(_ name: String, open: @escaping @Sendable () throws -> Checkpoint) {
      (self.name, self.open) = (name, open)
    }
  }

  /// One tensor over all steps; each array has one element per step.
  public struct Tensor: Sendable {
    /// Its name.
    public let name: String
    /// Type and shape where it was seen first.
    public let info: TensorInfo
    /// Euclidean norm of the finite numbers; `nil` where it is missing or has none.
    public internal(set) var norms: [Double?]
    /// Euclidean norm of the difference from the step before; `nil` where it was not comparable, NaN
    /// or infinite where a number was.
    public internal(set) var changes: [Double?]
    /// Elements that differ from the step before; `nil` where it was not comparable.
    public internal(set) var changedCounts: [Int?]
    /// Numbers that are NaN.
    public internal(set) var nanCounts: [Int]
    /// Numbers that are infinite.
    public internal(set) var infinityCounts: [Int]
  }

  /// A number that the checkpoints hold besides tensors, such as `epoch` or `loss`.
  public struct Scalar: Sendable, Encodable {
    /// Dotted address.
    public let address: String
    /// Its value in each step; `nil` where it is missing or not a number.
    public internal(set) var values: [Double?]
  }

  /// Numbers other than tensors that are followed, at most; each file has its own order.
  public static let maxScalars = 64

  /// Names of the steps, in the order given.
  public private(set) var steps: [String] = []
  /// The tensors, in the order in which they are first seen.
  public private(set) var tensors: [Tensor] = []
  /// Numbers that are not tensors and that are in some step.
  public private(set) var scalars: [Scalar] = []

  private var indices: [TensorName: Int] = [:]
  private var scalarIndices: [TensorName: Int] = [:]
  private var scalarsLeftOut: Set<TensorName> = []
  /// How many numbers that are not tensors are not followed: elements of lists, and more than ``maxScalars``.
  public var scalarsLeftOutCount: Int { scalarsLeftOut.count }

  /// Measures a run; `select` returns a step's tensors that count, and `progress` is told after
  /// each step.
  ///
  /// `threads` tasks are at work; the result does not depend on their number.
  /// - Throws: `CheckpointError` when a step cannot be opened or a tensor cannot be read.
  public init(
    over run: [Step], threads: Int = Threads.available,
    select: (Checkpoint) throws -> [Checkpoint.Entry] = { $0.entries },
    progress: ProgressHandler? = nil
  ) async throws {
    var previous: Checkpoint?
    for (number, step) in run.enumerated() {
      steps.append(step.name)
      var checkpoint = try step.open()
      checkpoint.entries = try select(checkpoint)
      note(checkpoint, at: number, of: run.count)
      try await measure(checkpoint, after: previous, at: number, of: run.count, threads: threads)
      previous = checkpoint
      progress?(WorkProgress(done: number + 1, total: run.count))
    }
  }

  private mutating func measure(
    _ checkpoint: Checkpoint, after previous: Checkpoint?, at step: Int, of count: Int,
    threads: Int
  ) async throws {
    let observed = Observed(checkpoint)
    var changes: [TensorName: CheckpointDiff.Change] = [:]
    var known: Set<TensorName> = []
    if let previous {
      // Only tensors of one name are compared: what was renamed begins anew.
      let names = Set(checkpoint.entries.map(\.name))
      var (old, new) = (previous, observed.checkpoint)
      old.entries.removeAll { !names.contains($0.name) }
      known = Set(old.entries.map(\.name))
      new.entries.removeAll { !known.contains($0.name) }
      let diff = try await CheckpointDiff(from: old, to: new, threads: threads)
      changes = Dictionary(keepingFirst: diff.changes.map { ($0.name, $0) })
    }
    // What is identical has the measures of the step before, and need not be read.
    let measured = checkpoint.entries.filter { entry in
      !known.contains(entry.name) || changes[entry.name] != nil
    }
    try await SummaryCollector.finish(
      measured.compactMap { observed[$0.name] }, threads: threads)
    for entry in checkpoint.entries {
      let index = index(of: entry, of: count)
      let change = changes[entry.name]
      if known.contains(entry.name), change == nil {
        tensors[index].repeatMeasures(at: step)
      } else if let summary = observed[entry.name]?.summary {
        tensors[index].norms[step] = summary.norm
        tensors[index].nanCounts[step] = summary.nanCount
        tensors[index].infinityCounts[step] = summary.infinityCount
      }
      tensors[index].changes[step] = change?.difference?.norm
      tensors[index].changedCounts[step] = change?.difference?.differingCount
      if known.contains(entry.name), change == nil {
        (tensors[index].changes[step], tensors[index].changedCounts[step]) = (0, 0)
      }
    }
  }

  /// The row of a tensor, a new one where it is seen for the first time.
  private mutating func index(of entry: Checkpoint.Entry, of count: Int) -> Int {
    if let index = indices[entry.name] { return index }
    indices[entry.name] = tensors.count
    tensors.append(
      Tensor(
        name: entry.name.text, info: entry.info,
        norms: [Double?](repeating: nil, count: count),
        changes: [Double?](repeating: nil, count: count),
        changedCounts: [Int?](repeating: nil, count: count),
        nanCounts: [Int](repeating: 0, count: count),
        infinityCounts: [Int](repeating: 0, count: count)))
    return tensors.count - 1
  }

  /// Notes the numbers of a step that are not tensors.
  private mutating func note(_ checkpoint: Checkpoint, at step: Int, of count: Int) {
    for named in checkpoint.ownValues {
      named.value.forEachLeaf(at: named.name) { address, value in
        let number: Double? =
          switch value {
          case .integer(let number): Double(number)
          case .real(let number): number
          default: nil
          }
        guard let number else { return }
        let name = TensorName(address)
        let index = scalarIndices[name] ?? scalars.count
        if index == scalars.count {
          // Elements of lists are indices and settings more often than what a run is followed by.
          let isElement = name.components.last?.utf8.allSatisfy { 0x30...0x39 ~= $0 } ?? false
          if index == Self.maxScalars || isElement {
            scalarsLeftOut.insert(name)
            return
          }
          scalarIndices[name] = index
          scalars.append(Scalar(address: address, values: [Double?](repeating: nil, count: count)))
        }
        scalars[index].values[step] = number
      }
    }
  }
}

extension RunReport.Tensor {
  /// Takes the measures of the step before, which are equal.
  fileprivate mutating func repeatMeasures(at step: Int) {
    norms[step] = norms[step - 1]
    nanCounts[step] = nanCounts[step - 1]
    infinityCounts[step] = infinityCounts[step - 1]
  }
}

extension TensorDifference {
  /// Euclidean norm of the difference; NaN or infinite where a number is, `nil` where values cannot be read.
  var norm: Double? { maxAbsolute == nil ? nil : squaredDifference.squareRoot() }
}
