public import TensorCore

/// Range, mean, norm, special values, and histogram of one tensor, from one pass over it.
///
/// Summaries of parts add up to that of the whole. ``TensorStatistics`` has bins that begin at the
/// smallest number, for which a tensor is read twice.
public struct TensorSummary: Hashable, Sendable {
  /// Numbers in all; a complex element counts as two.
  public internal(set) var count = 0
  /// Numbers equal to zero.
  public internal(set) var zeros = 0
  /// Numbers that are NaN.
  public internal(set) var nans = 0
  /// Numbers that are infinite.
  public internal(set) var infinities = 0
  /// Finite numbers by size; empty for a type whose values cannot be read.
  public internal(set) var histogram = ValueHistogram()
  /// Mean of the finite numbers; 0 when there is none.
  var center = 0.0
  /// Squared distances of the finite numbers from their mean, added up.
  var squares = 0.0

  /// Finite numbers.
  public var finite: Int { count - nans - infinities }
  /// Smallest finite number; `nil` when there is none.
  public var minimum: Double? { histogram.minimum }
  /// Largest finite number; `nil` when there is none.
  public var maximum: Double? { histogram.maximum }
  /// Mean of the finite numbers; `nil` when there is none.
  public var mean: Double? { minimum == nil ? nil : center }
  /// Standard deviation of the finite numbers (divided by their count, not by count - 1).
  public var standardDeviation: Double? {
    minimum == nil ? nil : (squares / Double(finite)).squareRoot()
  }
  /// Euclidean norm of the finite numbers; `nil` when there is none.
  public var norm: Double? {
    minimum == nil ? nil : (squares + Double(finite) * center * center).squareRoot()
  }

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
    let old = finite
    count += next.count
    zeros += next.zeros
    nans += next.nans
    infinities += next.infinities
    addMoments(old, next.finite, next.center, next.squares)
    histogram.add(next.histogram)
  }

  private mutating func add(_ values: inout [Double]) {
    let old = finite
    count += values.count
    // Adding zeros to a sum changes nothing, so that one loop needs no branch for special values.
    var (low, high, sum, zeros, special) = (Double.infinity, -Double.infinity, 0.0, 0, 0)
    for value in values {
      zeros += value == 0 ? 1 : 0
      special += value.isFinite ? 0 : 1
      low = value < low ? value : low
      high = value > high ? value : high
      sum += value
    }
    self.zeros += zeros
    if special > 0 {
      nans += values.count { $0.isNaN }
      infinities += values.count { $0.isInfinite }
      values.removeAll { !$0.isFinite }
      (low, high, sum) = (.infinity, -.infinity, 0)
      for value in values { (low, high, sum) = (min(low, value), max(high, value), sum + value) }
    }
    if values.isEmpty { return }
    var mean = sum / Double(values.count)
    if !sum.isFinite {
      // The sum of huge numbers overflowed; their mean need not.
      mean = 0
      for value in values { mean += value / Double(values.count) }
    }
    var squares = 0.0
    for value in values { squares += (value - mean) * (value - mean) }
    addMoments(old, values.count, mean, squares)
    histogram.add(values, from: low, to: high)
  }

  /// Adds a mean and squared distances (Chan, Golub and LeVeque, 1979): neither the number of values
  /// nor their offset costs precision.
  private mutating func addMoments(_ old: Int, _ new: Int, _ mean: Double, _ squares: Double) {
    if new == 0 { return }
    if old == 0 {
      (center, self.squares) = (mean, squares)
      return
    }
    let (old, new) = (Double(old), Double(new))
    let shift = mean - center
    self.squares += squares + shift * shift * (old * new / (old + new))
    center += shift * (new / (old + new))
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
    try values.encode(zeros, forKey: .zeros)
    try values.encode(nans, forKey: .nans)
    try values.encode(infinities, forKey: .infinities)
    try values.encodeIfPresent(minimum, forKey: .minimum)
    try values.encodeIfPresent(maximum, forKey: .maximum)
    try values.encodeIfPresent(mean, forKey: .mean)
    try values.encodeIfPresent(standardDeviation, forKey: .standardDeviation)
    try values.encodeIfPresent(norm, forKey: .norm)
    try values.encode(histogram, forKey: .histogram)
  }
}
