public import TensorCore

/// Range, mean, norm, special values, and histogram of one tensor, from one pass over it.
///
/// Summaries of parts add up to that of the whole. ``TensorStatistics`` has bins that begin at the
/// smallest number, for which a tensor is read twice.
public struct TensorSummary: Hashable, Sendable {
  /// Numbers in all; a complex element counts as two.
  public internal(set) var count = 0
  /// Numbers equal to zero.
  public internal(set) var zeroCount = 0
  /// Numbers that are NaN.
  public internal(set) var nanCount = 0
  /// Numbers that are infinite.
  public internal(set) var infinityCount = 0
  /// Finite numbers by size; empty for a type whose values cannot be read.
  public internal(set) var histogram = ValueHistogram()
  private var moments = RunningMoments()

  /// Finite numbers.
  public var finiteCount: Int { count - nanCount - infinityCount }
  /// Smallest finite number; `nil` when there is none.
  public var minimum: Double? { histogram.minimum }
  /// Largest finite number; `nil` when there is none.
  public var maximum: Double? { histogram.maximum }
  /// Mean of the finite numbers; `nil` when there is none.
  public var mean: Double? { moments.mean }
  /// Standard deviation of the finite numbers (divided by their count, not by count - 1); `nil` when there
  /// is none.
  public var standardDeviation: Double? { moments.standardDeviation }
  /// Euclidean norm of the finite numbers; `nil` when there is none.
  public var norm: Double? { moments.norm }

  /// No numbers.
  public init() {}

  /// Measures bytes that hold whole elements of a type; of one whose values cannot be read only the
  /// count is known.
  public init(of bytes: RawSpan, as dtype: DType) {
    guard dtype.isComputable else {
      count = bytes.byteCount / dtype.block.bytes * dtype.block.elements
      return
    }
    var values: [Double] = []
    // Small steps, whose values stay in the processor's cache.
    for step in (0..<bytes.byteCount).cut(at: 4096 * dtype.byteWidth) {
      ElementConversion.decode(bytes.extracting(step), as: dtype, into: &values)
      add(&values)
    }
  }

  /// Adds the numbers of a part that follows.
  mutating func append(_ next: TensorSummary) {
    count += next.count
    zeroCount += next.zeroCount
    nanCount += next.nanCount
    infinityCount += next.infinityCount
    moments.append(next.moments)
    histogram.add(next.histogram)
  }

  private mutating func add(_ values: inout [Double]) {
    count += values.count
    var (zeros, special) = (0, 0)
    for value in values {
      zeros += value == 0 ? 1 : 0
      special += value.isFinite ? 0 : 1
    }
    zeroCount += zeros
    if special > 0 {
      nanCount += values.count { $0.isNaN }
      infinityCount += values.count { $0.isInfinite }
      values.removeAll { !$0.isFinite }
    }
    if let range = moments.add(values) {
      histogram.add(values, from: range.lowerBound, to: range.upperBound)
    }
  }
}

extension TensorSummary: Encodable {
  private enum CodingKeys: String, CodingKey {
    case count, zeros, nans, infinities, minimum, maximum, mean, standardDeviation, norm, histogram
  }

  /// Writes every measure; those without a meaning are left out.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(count, forKey: .count)
    try values.encode(zeroCount, forKey: .zeros)
    try values.encode(nanCount, forKey: .nans)
    try values.encode(infinityCount, forKey: .infinities)
    try values.encodeIfPresent(minimum, forKey: .minimum)
    try values.encodeIfPresent(maximum, forKey: .maximum)
    try values.encodeIfPresent(mean, forKey: .mean)
    try values.encodeIfPresent(standardDeviation, forKey: .standardDeviation)
    try values.encodeIfPresent(norm, forKey: .norm)
    try values.encode(histogram, forKey: .histogram)
  }
}
