public import ModuleTree
public import ParallelWork
import Ranks
public import TensorCore
import TorchRandom

/// Whether a model's initialization reproduces and is random where it should be, over many seeds.
public struct SeedSurvey: Sendable {
  /// What was found of one tensor over all seeds.
  public struct Tensor: Sendable {
    /// Name of the tensor.
    public let name: TensorName
    /// How it is initialized, `kaiming_uniform(a=2.236…)`.
    public let initializer: String
    /// Whether its values are drawn; else they are one constant or fixed pattern.
    public let isRandom: Bool
    /// Mean of all its elements over all seeds.
    public let mean: Double
    /// Standard deviation of the same elements.
    public let standardDeviation: Double
    /// Expected values of both; `nil` for a tensor that is not random.
    public let expected: Moments?
    /// Failed checks, one sentence each.
    public var failures: [String] = []
  }

  /// Tensors in `state_dict()` order, aliases left out.
  public private(set) var tensors: [Tensor] = []
  /// How many seeds were drawn.
  public let seedCount: Int

  /// Whether every check passed.
  public var allPassed: Bool { tensors.allSatisfy(\.failures.isEmpty) }

  /// Chance, in standard errors, of reporting a tensor that is correct: below 1e-8 each.
  private static let threshold = 6.0

  /// Draws the recipe's model for each seed twice, with one task and with `threads`.
  ///
  /// For each tensor the two must agree; over seeds a random tensor must never repeat and any
  /// other never change; mean and spread must fit the distribution within six standard errors.
  /// `progress` is told after each seed.
  public init(
    of recipe: Recipe, seeds: ClosedRange<UInt64>, threads: Int = Threads.available,
    progress: ProgressHandler? = nil
  ) async throws {
    seedCount = seeds.count
    var records: [Record] = []
    let ranks = Ranks.current
    let first = try recipe.initialization(seed: Seed(seeds.lowerBound))
    // Each rank draws one seed of a round.
    for round in stride(from: 0, to: seeds.count, by: ranks.size) {
      let numbers = round..<min(round + ranks.size, seeds.count)
      let seed = { (number: Int) in seeds.lowerBound + UInt64(number) }
      let own = round + ranks.rank
      var record = RecordWriter()
      var fault: RankFault?
      if numbers.contains(own) {
        do {
          let plan = own == 0 ? first : try recipe.initialization(seed: Seed(seed(own)))
          let serial = try await Self.summaries(of: plan, threads: 1)
          let parallel = try await Self.summaries(of: plan, threads: threads)
          record.add(serial.count)
          for summary in serial + parallel { summary.write(to: &record) }
        } catch {
          fault = RankFault(error, item: own)
        }
      }
      let parts = try ranks.exchange("seed \(round)", record.bytes, fault: fault)
      for (number, part) in zip(numbers, parts) {
        var reader = RecordReader(part)
        let count = reader.integer()
        let serial = (0..<count).map { _ in Summary(from: &reader) }
        let parallel = (0..<count).map { _ in Summary(from: &reader) }
        if records.isEmpty { records = serial.map { Record($0, first) } }
        for index in records.indices {
          records[index].add(serial[index], parallel[index], seed: seed(number))
        }
        progress?(WorkProgress(done: number + 1, total: seedCount))
      }
    }
    tensors = records.map { $0.judged(threshold: Self.threshold, seeds: seedCount) }
  }

  fileprivate struct Summary: Sendable {
    let name: TensorName
    let digest: Digest
    let count: Int
    let sum: Double
    let squares: Double
  }

  /// Digests and power sums about the expected mean of every tensor.
  private static func summaries(
    of plan: Initialization, threads: Int
  ) async throws -> [Summary] {
    let entries = try plan.entries().filter { $0.alias == nil }
    return try await concurrentMap(entries, width: threads) { entry in
      let center = plan.values(of: entry.name)?.fill.moments?.mean ?? 0
      var buffer = ChunkBuffer(capacity: min(entry.info.byteCount, ChunkBuffer.standardSize))
      var digest = DigestBuilder()
      var (sum, squares) = (0.0, 0.0)
      var values: [Double] = []
      try entry.forEachChunk(using: &buffer) { _, bytes in
        digest.update(bytes)
        ElementConversion.decode(bytes, as: entry.info.dtype, into: &values)
        for value in values {
          sum += value - center
          squares += (value - center) * (value - center)
        }
      }
      return Summary(
        name: entry.name, digest: digest.finalize(), count: entry.info.elementCount, sum: sum,
        squares: squares)
    }
  }

  /// What is gathered of one tensor over the seeds.
  private struct Record {
    let name: TensorName
    let initializer: String
    let moments: Moments?
    let zeroed: Int
    var digests: [Digest: UInt64] = [:]
    var (count, sum, squares) = (0, 0.0, 0.0)
    var failures: [String] = []

    init(_ summary: Summary, _ plan: Initialization) {
      name = summary.name
      let values = plan.values(of: summary.name)
      initializer = values.map { "\($0.initializer)" } ?? "unknown"
      moments = summary.count > 0 ? values?.fill.moments : nil
      if case .random(_, let range?) = values?.fill { zeroed = range.count } else { zeroed = 0 }
    }

    mutating func add(_ serial: Summary, _ parallel: Summary, seed: UInt64) {
      if serial.digest != parallel.digest {
        failures.append("seed \(seed) gives different bytes with several threads")
      }
      if let earlier = digests.updateValue(seed, forKey: serial.digest), moments != nil {
        failures.append("seeds \(earlier) and \(seed) give the same values")
      }
      if moments == nil && digests.count > 1 {
        failures.append("seed \(seed) changes values that are not random")
      }
      count += serial.count
      sum += serial.sum
      squares += serial.squares
    }

    func judged(threshold: Double, seeds: Int) -> Tensor {
      let total = Double(max(count, 1))
      let shift = sum / total
      let mean = (moments?.mean ?? 0) + shift
      let variance = max(squares / total - shift * shift, 0)
      var tensor = Tensor(
        name: name, initializer: initializer, isRandom: moments != nil, mean: mean,
        standardDeviation: variance.squareRoot(), expected: moments, failures: failures)
      // Rows that are zeroed after the draw (an embedding's padding) do not follow the distribution.
      let drawn = Double(count - zeroed * seeds)
      guard let moments, moments.standardDeviation.isFinite, drawn > 0 else { return tensor }
      let zeros = Double(zeroed * seeds) * moments.mean
      let drawnMean = moments.mean + (sum + zeros) / drawn
      let drawnSpread = (squares - zeros * moments.mean) / drawn
      let error = moments.standardDeviation / drawn.squareRoot()
      if abs(drawnMean - moments.mean) > threshold * error {
        tensor.failures.append("mean \(drawnMean), expected \(moments.mean) ± \(error)")
      }
      // The variance of a sample variance is at most 2σ⁴/n for normal and flatter laws; products
      // of two such (sparse) have heavier tails, hence the factor.
      let spread = moments.standardDeviation * moments.standardDeviation
      let spreadError = spread * (12 / drawn).squareRoot()
      if abs(drawnSpread - spread) > threshold * spreadError {
        tensor.failures.append(
          "std \(max(drawnSpread, 0).squareRoot()), expected \(moments.standardDeviation)")
      }
      return tensor
    }
  }
}

extension SeedSurvey.Summary {
  fileprivate func write(to record: inout RecordWriter) {
    record.add(name.text)
    record.add(digest.bytes)
    record.add(count)
    record.add(sum)
    record.add(squares)
  }

  fileprivate init(from record: inout RecordReader) {
    name = TensorName(record.text())
    digest = Digest(bytes: record.content())
    count = record.integer()
    sum = record.double()
    squares = record.double()
  }
}
