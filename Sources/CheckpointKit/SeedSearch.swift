public import ParallelWork
import Ranks
public import TensorCore
import TorchRandom

/// Finds the seed from which a checkpoint's untouched tensors were drawn.
///
/// One untrained tensor is enough: each of its elements determines one word of the generator, and
/// many seeds at a time can be tested for that word, and for further words of the tensor where one
/// leaves too many candidates. Candidates are drawn and compared, and the remaining seed is confirmed
/// on every tensor.
public struct SeedSearch: Sendable {
  /// A tensor to search by.
  public struct Clue: Sendable {
    /// Name of the tensor.
    public let name: TensorName
    /// Whether its values lie on the grid of its distribution, as trained ones almost never do.
    public let isCertain: Bool
    /// How many of all 2^32 seeds its initial values are expected to let pass.
    package var expectedHits: Double { ranges.reduce(0x1p32) { $0 * $1.share } }

    let sampling: Sampling
    /// The type in which the file has the values.
    let stored: DType
    let cpuPath: CPUPath
    /// Words before the tensor's draw.
    let start: Int
    /// Words to test: the first, and more while too many seeds would pass.
    let ranges: [WordRange]
    /// Elements `first ..< first + values.count / width`, outside of rows that are set to zero.
    let first: Int
    let values: [UInt8]
  }

  /// The result of a search.
  public struct Found: Sendable {
    /// The seed; every seed equal to it modulo 2^32 gives the same values.
    public let seed: UInt32
    /// The tensor that it was found by.
    public let clue: TensorName
  }

  /// Tensors to search by, the most decisive first.
  public let clues: [Clue]

  private static let sampleCount = 64
  static let groups = 256
  /// Seeds that a rank tests, in a few seconds, before it hears of the others: the same number on each,
  /// however many threads it has.
  private static let seedsInRound: UInt64 = 1 << 25

  /// Looks for tensors of the recipe's model that may be untouched.
  ///
  /// - Throws: `CheckpointError` when the recipe has no model, or no tensor of the file can be
  ///   searched by: all are constant, of another shape, or come after draws of unknown length.
  public init(of checkpoint: Checkpoint, recipe: Recipe, selection: Selection) throws {
    // An offset that is the same for three seeds is the same for all but a few; the final comparison
    // decides.
    let plans = try (0..<3).map { try recipe.initialization(seed: Seed($0)) }
    var clues: [Clue] = []
    for entry in try selection.entries(of: checkpoint, tree: plans[0].tree)
    where entry.alias == nil {
      guard let values = plans[0].values(of: entry.name)?.beforeCasts,
        values.info.shape == entry.info.shape,
        let type = Self.tested(values.info.dtype, storedAs: entry.info.dtype),
        case .random(let distribution, let zeroed) = values.fill,
        values.start.cachedNormal == nil,
        let start = Int(exactly: values.start.position),
        plans.allSatisfy({
          $0.values(of: entry.name)?.beforeCasts.start.position == values.start.position
        })
      else { continue }
      let sampling = try Sampling(
        distribution, dtype: values.info.dtype, count: entry.info.elementCount)
      // Values rounded to 16 bits tell of the same words as those drawn in that type, except in the
      // tail of normal draws.
      guard let stored = try? Sampling(distribution, dtype: type, count: sampling.count)
      else { continue }
      var first = 0
      // The padding row's draws are lost; what is compared begins at the next block of 16 after it.
      if let zeroed, zeroed.lowerBound < Self.sampleCount {
        first = (zeroed.upperBound + 15) / 16 * 16
      }
      let drawn =
        stored.dtype == sampling.dtype || sampling.count < 16
        ? sampling.count : sampling.count / 16 * 16 - (sampling.count % 16 == 0 ? 0 : 16)
      let count = min(Self.sampleCount, drawn - first)
      guard count > 0 else { continue }
      let width = entry.info.dtype.byteWidth
      var buffer = ChunkBuffer(capacity: count * width)
      _ = try entry.read(first * width, count * width, using: &buffer)
      let read = [UInt8](buffer.bytes(count * width))
      guard let sample = Self.sample(read, of: entry.info.dtype, as: type) else { continue }
      let ranges = Self.ranges(of: stored, sample, from: first, recipe.cpuPath)
      if ranges.isEmpty { continue }
      clues.append(
        Clue(
          name: entry.name, isCertain: stored.isOnGrid(sample, recipe.cpuPath),
          sampling: sampling, stored: type,
          cpuPath: recipe.cpuPath,
          start: start, ranges: ranges, first: first, values: sample))
    }
    guard !clues.isEmpty else {
      throw CheckpointError(
        .missing,
        "no tensor in the file still looks freshly drawn from the model, so no seed can be tested (if names differ, use --rename)"
      )
    }
    self.clues = clues.sorted {
      ($0.isCertain ? 0 : 1, $0.start, $0.expectedHits)
        < ($1.isCertain ? 0 : 1, $1.start, $1.expectedHits)
    }
  }

  /// The type in which a file's values are compared with draws: the draw's own where the file has a wider
  /// one, as after `Module.double()`; `nil` for types of which no words can be told.
  private static func tested(_ drawn: DType, storedAs stored: DType) -> DType? {
    if drawn == stored || drawn == .float32 && stored.byteWidth == 2 { return stored }
    return drawn.isDrawable && stored.isDrawable && drawn.byteWidth < stored.byteWidth
      ? drawn : nil
  }

  /// A file's elements in the type in which they are compared; `nil` if it cannot hold them.
  private static func sample(_ read: [UInt8], of old: DType, as new: DType) -> [UInt8]? {
    if old == new { return read }
    let narrowed = converted(read, from: old, to: new)
    return converted(narrowed, from: new, to: old) == read ? narrowed : nil
  }

  fileprivate static func converted(_ bytes: [UInt8], from old: DType, to new: DType) -> [UInt8] {
    var result = [UInt8](repeating: 0, count: bytes.count / old.byteWidth * new.byteWidth)
    result.withMutableRawSpan { target in
      bytes.withRawSpan {
        _ = ElementConversion.convert($0, from: old, to: new, into: &target)
      }
    }
    return result
  }

  /// What the values reveal about the words at the sample's start and every sixteen elements after
  /// it; the first must reveal something.
  private static func ranges(
    of sampling: Sampling, _ sample: [UInt8], from first: Int, _ cpuPath: CPUPath
  ) -> [WordRange] {
    var ranges: [WordRange] = []
    var expected = 0x1p32
    for start in stride(from: 0, to: sample.count / sampling.dtype.byteWidth, by: 16)
    where expected > 1 / 16 {
      let values = Array(sample[(start * sampling.dtype.byteWidth)...])
      guard let range = sampling.wordRange(of: values, from: first + start, cpuPath: cpuPath) else {
        return start == 0 ? [] : ranges
      }
      ranges.append(range)
      expected *= range.share
    }
    return ranges
  }

  /// Searches a range of seeds by one clue, in ascending order, with all tasks.
  ///
  /// `progress` is told how many seeds were tested; under several ranks, by this one.
  /// - Returns: the smallest seed whose draw gives the clue's values; `nil` if there is none.
  /// - Throws: `CheckpointError` `system` if no thread can be started.
  public func find(
    by clue: Clue, in seeds: ClosedRange<UInt32>, threads: Int = Threads.available,
    progress: ProgressHandler? = nil
  ) async throws -> Found? {
    let ranks = Ranks.current
    let counter = WorkCounter(progress)
    counter.plan(seeds.count)
    if ranks.size == 1 {
      return try await findHere(by: clue, in: seeds, threads: threads, counter: counter)
    }
    // In rounds, so that all ranks stop soon after one of them has found a seed.
    var next = UInt64(seeds.lowerBound)
    let last = UInt64(seeds.upperBound)
    while next <= last {
      let most = UInt64(ranks.size) * Self.seedsInRound
      let count = min(most, last - next + 1)
      let (size, rank) = (UInt64(ranks.size), UInt64(ranks.rank))
      // Groups of 64 seeds are tested together.
      let part = (count + 64 * size - 1) / (64 * size) * 64
      let first = next + rank * part
      let end = min(first + part, next + count)
      var found: Found?
      var fault: RankFault?
      if first < end {
        do {
          found = try await findHere(
            by: clue, in: UInt32(first)...UInt32(end - 1), threads: threads, counter: counter)
        } catch {
          fault = RankFault(error)
        }
      }
      var record = RecordWriter()
      record.add(found?.seed) { $1.add($0) }
      let answers = try ranks.exchange("seeds from \(next)", record.bytes, fault: fault)
      for answer in answers {
        var reader = RecordReader(answer)
        if let seed = reader.optional({ $0.integer(UInt32.self) }) {
          return Found(seed: seed, clue: clue.name)
        }
      }
      next += count
    }
    return nil
  }

  /// The same by this process alone.
  private func findHere(
    by clue: Clue, in seeds: ClosedRange<UInt32>, threads: Int,
    counter: WorkCounter
  ) async throws -> Found? {
    let prepared = SeedTest(clue.ranges, start: clue.start)
    let work = SeedWork(from: UInt64(seeds.lowerBound), through: UInt64(seeds.upperBound))
    try await withTaskCancellationHandler {
      _ = try await concurrentMap(0..<max(threads, 1), width: threads) { _ in
        var test = prepared
        while let (first, groups) = work.next() {
          let passing = test.seeds(from: UInt32(truncatingIfNeeded: first), groups: groups)
          let inside = passing.lazy.filter { seeds.contains($0) && UInt64($0) >= first }
          if let seed = inside.first(where: clue.isDrawn) { work.found(seed) }
          counter.add(groups * 64)
        }
      }
    } onCancel: {
      work.cancel()
    }
    return work.best.map { Found(seed: $0, clue: clue.name) }
  }
}

extension SeedSearch.Clue {
  /// Whether a seed gives exactly these values.
  func isDrawn(from seed: UInt32) -> Bool {
    var generator = Generator(seed: UInt64(seed), cpuPath: cpuPath)
    generator.skip(words: start)
    var cursor = SamplingCursor(sampling, from: generator)
    let count = values.count / stored.byteWidth
    let size = count * sampling.dtype.byteWidth
    var buffer = ChunkBuffer(capacity: size)
    var target = buffer.mutableBytes(size)
    cursor.read(elements: first..<first + count, into: &target)
    let drawn = [UInt8](buffer.bytes(size))
    return
      (stored == sampling.dtype
      ? drawn : SeedSearch.converted(drawn, from: sampling.dtype, to: stored)) == values
  }
}

extension Sampling {
  /// Whether every one of these elements is a value that the uniform draw can give.
  fileprivate func isOnGrid(_ values: [UInt8], _ cpuPath: CPUPath) -> Bool {
    guard case .uniform = distribution, dtype == .float32 || dtype == .float64 else { return false }
    let width = dtype.byteWidth
    return stride(from: 0, to: values.count, by: width).allSatisfy { offset in
      let element = Array(values[offset..<offset + width])
      return self.isLowerBound(element)
        || wordRange(of: element, from: 0, cpuPath: cpuPath) != nil
    }
  }

  private func isLowerBound(_ element: [UInt8]) -> Bool {
    guard case .uniform(let from, _) = distribution else { return false }
    return (try? dtype.element(nearest: from)) == element
  }
}

extension [UInt8] {
  /// Copies a span's bytes.
  init(_ span: RawSpan) { self = unsafe span.withUnsafeBytes { unsafe Array($0) } }
}
