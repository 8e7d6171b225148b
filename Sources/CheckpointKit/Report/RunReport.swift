import ParallelWork
public import TensorCore

/// A training run over its checkpoints: norms, changes from step to step, and where NaN begins.
///
/// Two checkpoints are open at a time. The first is read once, each later one twice: with the one
/// before it, and with the one after it.
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
    public internal(set) var changed: [Int?]
    /// Numbers that are NaN.
    public internal(set) var nans: [Int]
    /// Numbers that are infinite.
    public internal(set) var infinities: [Int]
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

  /// Measures a run; `select` returns a step's tensors that count, and `progress` is told when a step
  /// is done.
  ///
  /// `threads` tasks are at work; the result does not depend on their number.
  /// - Throws: `CheckpointError` when a step cannot be opened or a tensor cannot be read.
  public init(
    over run: [Step], threads: Int,
    select: (Checkpoint) throws -> [Checkpoint.Entry] = { $0.entries },
    progress: (_ step: String) -> Void = { _ in }
  ) async throws {
    var previous: [TensorName: Checkpoint.Entry] = [:]
    for (number, step) in run.enumerated() {
      steps.append(step.name)
      let checkpoint = try step.open()
      let entries = try select(checkpoint)
      note(checkpoint, at: number, of: run.count)
      try await measure(entries, after: previous, at: number, of: run.count, threads: threads)
      previous = Dictionary(keepingFirst: entries.map { ($0.name, $0) })
      progress(step.name)
    }
  }

  private mutating func measure(
    _ entries: [Checkpoint.Entry], after previous: [TensorName: Checkpoint.Entry],
    at step: Int, of count: Int, threads: Int
  ) async throws {
    var jobs: [ReportJob] = []
    for entry in entries {
      let index = index(of: entry, of: count)
      var found = ReportJob.jobs(for: index, previous[entry.name], entry)
      // What cannot be compared was measured with its own step.
      if found.count > 1 { found.removeFirst() }
      found[0].summarizesFirst = false
      jobs += found
    }
    for (job, part) in zip(jobs, try await ReportJob.measure(jobs, threads: threads)) {
      if let summary = part.after {
        tensors[job.tensor].norms[step] = summary.norm
        tensors[job.tensor].nans[step] = summary.nans
        tensors[job.tensor].infinities[step] = summary.infinities
      }
      if job.first != nil {
        tensors[job.tensor].changes[step] = part.difference.map(\.norm) ?? 0
        tensors[job.tensor].changed[step] = part.difference.map(\.differing) ?? 0
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
        changed: [Int?](repeating: nil, count: count),
        nans: [Int](repeating: 0, count: count),
        infinities: [Int](repeating: 0, count: count)))
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
          if index == Self.maxScalars { return }
          scalarIndices[name] = index
          scalars.append(Scalar(address: address, values: [Double?](repeating: nil, count: count)))
        }
        scalars[index].values[step] = number
      }
    }
  }
}

extension TensorDifference {
  /// Euclidean norm of the difference; NaN or infinite where a number is.
  var norm: Double { squaredDifference.squareRoot() }
}
