import CheckpointKit
import TensorCore
import TestSupport
import Testing

/// Measures from one pass, and histograms whose bins depend only on the range.
@Suite struct TensorSummaryTests {
  /// `((i * 7919) % 1009) / 256 - 1.5` with three values that are not finite.
  private static let sample: [Float] = {
    var values = (0..<3000).map { Float(($0 * 7919) % 1009) / 256 - 1.5 }
    (values[7], values[8], values[2999]) = (.nan, .infinity, -.infinity)
    return values
  }()

  private static func report(_ values: [Float]) async throws -> TensorSummary {
    let checkpoint = Checkpoint(entries: [try .init(memory: "w", values)])
    let report = try await Report(
      on: .init(path: "a", format: "memory", checkpoint: checkpoint), threads: 2)
    return try #require(report.tensors[0].before)
  }

  /// Values of numpy 2: `min`, `max`, `mean`, `std`, `linalg.norm`, and `histogram` with edges at
  /// multiples of 1/16 from -24/16 to 40/16.
  @Test func `measures are those of numpy`() async throws {
    let summary = try await Self.report(Self.sample)
    #expect(summary.count == 3000 && summary.finiteCount == 2997)
    #expect((summary.zeroCount, summary.nanCount, summary.infinityCount) == (3, 1, 2))
    #expect(summary.minimum == -1.5 && summary.maximum == 2.4375)
    func isNear(_ value: Double?, _ expected: Double) -> Bool {
      abs((value ?? .nan) - expected) < 1e-12 * expected
    }
    #expect(isNear(summary.mean, 0.4683498602769436))
    #expect(isNear(summary.standardDeviation, 1.1375454606837474))
    #expect(isNear(summary.norm, 67.34644546247904))
    #expect(summary.histogram.width == 0.0625 && summary.histogram.start == -1.5)
    #expect(
      summary.histogram.counts == [
        48, 48, 47, 47, 48, 47, 48, 47, 48, 47, 48, 47, 48, 47, 48, 47, 48, 47, 48, 47, 48, 47,
        48, 47, 48, 48, 47, 48, 47, 48, 47, 48, 47, 48, 48, 48, 47, 48, 47, 48, 47, 48, 47, 48,
        48, 48, 47, 47, 48, 46, 48, 47, 48, 48, 48, 47, 48, 47, 48, 46, 48, 47, 48, 3,
      ])
  }

  @Test(arguments: 1...20)
  func `bins do not depend on the order of values`(seed: UInt64) async throws {
    var random = SplitMix(seed: seed)
    let scale = Float(sign: .plus, exponent: Int(random.next() % 60) - 30, significand: 1)
    let offset = Float(random.next() % 1000) - 500
    let values = (0..<20_000).map { _ in
      (Float(random.next() % 100_000) / 50_000 - 1 + offset) * scale
    }
    let histograms = [
      try await Self.report(values).histogram,
      try await Self.report(values.sorted()).histogram,
      try await Self.report(values.sorted(by: >)).histogram,
    ]
    #expect(histograms[0] == histograms[1] && histograms[0] == histograms[2])
    let found = histograms[0]
    #expect(found.counts.reduce(0, +) == values.count)
    #expect(found.counts.count <= ValueHistogram.maxBins)
    // Each bin by its definition.
    var counts = [Int](repeating: 0, count: found.counts.count)
    for value in values {
      counts[Int(((Double(value) / found.width).rounded(.down) - found.start / found.width))] += 1
    }
    #expect(found.counts == counts)
    #expect(found.counts.first != 0 && found.counts.last != 0)
    // Half the width would take more bins.
    let (low, high) = (try #require(values.min()), try #require(values.max()))
    let narrow = found.width / 2
    let needed = (Double(high) / narrow).rounded(.down) - (Double(low) / narrow).rounded(.down) + 1
    #expect(needed > Double(ValueHistogram.maxBins))
  }

  @Test func `a constant tensor has one bin, and one without numbers none`() async throws {
    let constant = try await Self.report([2.5, 2.5, 2.5]).histogram
    #expect(constant.counts == [3] && constant.width == 0 && constant.start == 2.5)
    let none = try await Self.report([.nan, .infinity])
    #expect(none.histogram.counts.isEmpty && none.norm == nil && none.minimum == nil)
    #expect(try await Self.report([]).count == 0)
    // A different number late widens what was one bin until then.
    let late = try await Self.report([Float](repeating: 1, count: 100_000) + [9]).histogram
    #expect(late.counts.first == 100_000 && late.counts.last == 1)
  }

  @Test func `ranges at the ends of double have finite bins`() async throws {
    for values: [Double] in [
      [-.greatestFiniteMagnitude, .greatestFiniteMagnitude, 0],
      [.leastNonzeroMagnitude, 0, 2 * .leastNonzeroMagnitude],
      [1, 1.0.nextUp, 1.0.nextDown], [1e308, 1e308 * (1 - 1e-15)],
      [-.leastNonzeroMagnitude, 1e300],
    ] {
      let bytes = values.flatMap { value in
        (0..<8).map { UInt8(truncatingIfNeeded: value.bitPattern >> UInt64(8 * $0)) }
      }
      let entry = try Checkpoint.Entry(memory: "w", .float64, [values.count], bytes)
      let report = try await Report(
        on: .init(path: "a", format: "memory", checkpoint: Checkpoint(entries: [entry])), threads: 1
      )
      let summary = try #require(report.tensors[0].before)
      #expect(summary.histogram.counts.reduce(0, +) == values.count, "\(values)")
      #expect(summary.histogram.counts.count <= ValueHistogram.maxBins, "\(values)")
      #expect(summary.histogram.start.isFinite && summary.mean?.isFinite == true, "\(values)")
    }
  }
}
