import CheckpointKit
import TensorCore
import TestSupport
import Testing

@Suite struct TensorStatisticsTests {
  @Test func `special values are counted and left out of the figures`() throws {
    let statistics = try TensorStatistics(
      of: .init(memory: "w", [1, 2, 3, 4, 0, .nan, .infinity, -.infinity]))
    #expect(statistics.count == 8)
    #expect(statistics.zeroCount == 1)
    #expect(statistics.nanCount == 1)
    #expect(statistics.infinityCount == 2)
    #expect(statistics.minimum == 0)
    #expect(statistics.maximum == 4)
    #expect(statistics.mean == 2)
    #expect(statistics.standardDeviation == 2.0.squareRoot())
    #expect(statistics.histogram.reduce(0, +) == 5)
    #expect(statistics.histogram.first == 1)
    #expect(statistics.histogram.last == 1)
  }

  @Test func `a large offset costs no precision, across chunks`() throws {
    let count = (1 << 18) + 100
    let values = (0..<count).map { 1000 + Float($0 % 2) }
    let statistics = try TensorStatistics(of: .init(memory: "w", values))
    #expect(abs((statistics.standardDeviation ?? 0) - 0.5) < 1e-9)
    #expect(abs((statistics.mean ?? 0) - 1000.5) < 1e-9)
  }

  @Test(arguments: [[], [Float.nan]])
  func `nothing finite gives no figures`(values: [Float]) throws {
    let statistics = try TensorStatistics(of: .init(memory: "w", values))
    #expect(statistics.minimum == nil)
    #expect(statistics.mean == nil)
    #expect(statistics.histogram.isEmpty)
  }

  @Test func `a constant tensor has no spread`() throws {
    let statistics = try TensorStatistics(of: .init(memory: "w", [2, 2, 2]))
    #expect(statistics.standardDeviation == 0)
    #expect(statistics.histogram.first == 3)
  }
}
