import CheckpointKit
import Synchronization
import TensorCore
import TestSupport
import Testing

/// Measures against NumPy's, of values that a formula gives.
///
///     i = np.arange(100000)
///     a = (i * 7919 % 1009 - 504) / 512
///     b = a + (i * 104729 % 97 - 48) / 4096
///
/// All are exact in `float32`.
@Suite struct MeasureTests {
  private static let first: [Double] = (0..<100_000).map { (index: Int) -> Double in
    Double(index * 7919 % 1009 - 504) / 512
  }
  private static let second: [Double] = (0..<100_000).map { (index: Int) -> Double in
    first[index] + Double(index * 104_729 % 97 - 48) / 4096
  }

  private func entry(_ values: [Double], _ dtype: DType = .float32) throws -> Checkpoint.Entry {
    var bytes = [UInt8](repeating: 0, count: values.count * dtype.byteWidth)
    var span = bytes.mutableSpan
    var target = unsafe span.mutableBytes
    ElementConversion.encode(values.span, as: dtype, into: &target)
    return try .init(memory: "w", dtype, [values.count], bytes)
  }

  @Test func `differences are NumPy's`() throws {
    let found = try TensorDifference(between: entry(Self.first), and: entry(Self.second))
    // x @ y / np.linalg.norm(x) / np.linalg.norm(y), np.linalg.norm(x - y) / np.linalg.norm(x), …
    #expect(abs(try #require(found.cosine) - 0.9999278144155306) < 1e-13)
    #expect(abs(try #require(found.relativeL2) - 0.012016148272182198) < 1e-14)
    #expect(found.maxAbsolute == 0.01171875)
    #expect(found.signFlipCount == 246 && found.differingCount == 98969)
    #expect(found.changedShare == 0.98969)
  }

  @Test(arguments: [
    (
      DType.float32,
      [
        -0.965576171875, -0.8867309570312498, -0.49267578125, 0.0, 0.49267578125, 0.886962890625,
        0.9658203125,
      ]
    ),
    (
      .float16,
      [-0.9658203125, -0.88671875, -0.49267578125, 0.0, 0.49267578125, 0.88671875, 0.9658203125]
    ),
  ])
  func `quantiles are those of numpy_quantile`(dtype: DType, expected: [Double]) throws {
    let found = try TensorStatistics(of: entry(Self.second, dtype))
    #expect(found.quantiles == expected)
  }

  @Test func `quantiles of few numbers, and of wide types`() throws {
    let few = try TensorStatistics(of: entry(Array(Self.second.prefix(1000)), .float64))
    #expect(
      few.quantiles == [
        -0.968525390625, -0.8875854492187499, -0.4898681640625, -0.000244140625, 0.4940185546875,
        0.8913818359375, 0.9670458984375,
      ])
    let wide = try TensorStatistics(of: entry(Self.second.map { $0 / 3 + 1e-7 }, .float64))
    let expected = [
      -0.3218586239583333, -0.2955768856770833, -0.16422516041666665, 1e-07, 0.16422536041666666,
      0.295654396875, 0.3219402041666667,
    ]
    for (number, wanted) in zip(wide.quantiles, expected) {
      let limit: Double = abs(wanted) * 0x1p-20
      #expect(abs(number - wanted) <= limit)
    }
    #expect(abs(try #require(wide.norm) - 59.97) < 0.01)
  }

  @Test func `norms, units that are dead, and ends of the range`() throws {
    let all = try TensorStatistics(of: entry(Self.second))
    #expect(abs(try #require(all.norm) - 179.9144432270571) < 1e-10)
    #expect(abs(try #require(all.standardDeviation) - 0.5689394242014228) < 1e-14)
    #expect(all.unitCount == nil && !all.isConstant)
    var rows = [Float](repeating: 0, count: 12)
    rows[4] = .nan
    rows[11] = 1
    let table = try TensorStatistics(of: .init(memory: "w", rows, shape: [4, 3]))
    #expect(table.unitCount == 4 && table.deadUnitCount == 2)
    let limit: [UInt8] = [0xff, 0x7b, 0xff, 0xfb, 0, 0x7c, 0, 0x3c]
    let half = try TensorStatistics(of: .init(memory: "w", .float16, [4], limit))
    #expect(half.saturatedCount == 2 && half.infinityCount == 1 && half.maximum == 65504)
    #expect(try TensorStatistics(of: .init(memory: "w", [3, 3])).isConstant)
    #expect(try !TensorStatistics(of: .init(memory: "w", [3, .nan])).isConstant)
  }

  @Test func `equal parts of a tensor that differs count for its norms`() async throws {
    // Three pieces of 8 MiB and a little: only the second differs.
    let count = (6 << 20) + 7
    var values = [Float](repeating: 0.5, count: count)
    let left = try Checkpoint.Entry(memory: "w", .float32, [count], bytes(of: values))
    values[3 << 20] = 2
    let reads = Mutex(0)
    let right = try Checkpoint.Entry(memory: "w", .float32, [count], bytes(of: values))
      .wrappingReader { range, target, read in
        reads.withLock { $0 += range.count }
        try read(range, &target)
      }
    let diff = try await CheckpointDiff(
      from: Checkpoint(entries: [left]), to: Checkpoint(entries: [right]), threads: 2)
    let found = try #require(diff.changes.first?.difference)
    #expect(found.elementCount == count && found.differingCount == 1 && found.maxAbsolute == 1.5)
    let norm = 0.5 * Double(count).squareRoot()
    #expect(abs(try #require(found.relativeL2) - 1.5 / norm) < 1e-12)
    let product = Double(count - 1) * 0.25 + 1
    let other = (Double(count - 1) * 0.25 + 4).squareRoot()
    #expect(abs(try #require(found.cosine) - product / norm / other) < 1e-12)
    // The second tensor is read once.
    #expect(reads.withLock { $0 } == 4 * count)
  }

  @Test func `what a cast explains is told from what it does not`() throws {
    let narrow = try TensorDifference(
      between: entry([1, 0.1, -3, 70000]), and: entry([1, 0.1, -3, .infinity], .float16))
    #expect(narrow.differingCount == 2 && narrow.beyondRoundingCount == 0 && narrow.isCast)
    let back = try TensorDifference(between: entry([0.1], .bfloat16), and: entry([0.1]))
    #expect(back.differingCount == 1 && back.beyondRoundingCount == 0)
    let other = try TensorDifference(between: entry([0.1, 2]), and: entry([0.1, 3], .float16))
    #expect(other.beyondRoundingCount == 1 && !other.isCast)
    #expect(try TensorDifference(between: entry([1]), and: entry([2])).beyondRoundingCount == nil)
  }

  private func bytes(of values: [Float]) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: values.count * 4)
    for (index, value) in values.enumerated() {
      for place in 0..<4 {
        bytes[index * 4 + place] = UInt8(truncatingIfNeeded: value.bitPattern >> UInt32(8 * place))
      }
    }
    return bytes
  }
}
