import ParallelWork
public import TensorCore

/// Smallest, largest, mean, spread, quantiles and special values of one tensor, from two passes over it.
public struct TensorStatistics: Hashable, Sendable {
  /// Elements in all; a complex element counts as two numbers.
  public internal(set) var count = 0
  /// Numbers equal to zero.
  public internal(set) var zeroCount = 0
  /// Numbers that are NaN.
  public internal(set) var nanCount = 0
  /// Numbers that are infinite.
  public internal(set) var infinityCount = 0
  /// Numbers of the largest magnitude that the type holds, such as 65504 in `float16`.
  public internal(set) var saturatedCount = 0
  /// Smallest finite number; `nil` when there is none.
  public internal(set) var minimum: Double?
  /// Largest finite number; `nil` when there is none.
  public internal(set) var maximum: Double?
  /// Mean of the finite numbers; `nil` when there is none.
  public internal(set) var mean: Double?
  /// Standard deviation of the finite numbers (divided by their count, not by count - 1).
  public internal(set) var standardDeviation: Double?
  /// Euclidean norm of the finite numbers, their Frobenius norm as a matrix.
  public internal(set) var norm: Double?
  /// Quantiles of the finite numbers at ``shares``, interpolated as `numpy.quantile` does; empty when
  /// there is none.
  ///
  /// Exact for types of at most 16 bits, for `float32`, and for tensors of up to 32,768 numbers; each
  /// order statistic of other types is within one part in 2^21.
  public internal(set) var quantiles: [Double] = []
  /// Finite numbers in equal bins from `minimum` to `maximum`.
  public internal(set) var histogram: [Int] = []
  /// Places along the first axis of a tensor of two axes and more, such as the outputs of a linear
  /// layer; `nil` for other tensors.
  public internal(set) var unitCount: Int?
  /// Units whose values are all zero.
  public internal(set) var deadUnitCount = 0

  /// Whether there is more than one number, all of them the same and finite.
  public var isConstant: Bool {
    count > 1 && minimum == maximum && minimum != nil && nanCount + infinityCount == 0
  }

  /// The shares of numbers below each of ``quantiles``.
  public static let shares = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]

  /// Bins in the histogram.
  package static let binCount = 16

  /// Nothing measured so far.
  init() {}

  /// Reads the tensor twice, in bounded memory: for the range, then for the bins.
  ///
  /// Mean and variance are accumulated chunk by chunk (Chan, Golub and LeVeque, 1979), so that
  /// neither size nor offset of the values costs precision.
  /// Of a type whose values cannot be read only the count is known.
  public init(of entry: Checkpoint.Entry) throws {
    let info = entry.info
    guard info.dtype.isComputable else {
      count = info.elementCount
      return
    }
    var buffer = ChunkBuffer(capacity: min(info.byteCount, ChunkBuffer.standardSize))
    var values: [Double] = []
    var moments = RunningMoments()
    var order = OrderStatistics(of: info)
    var rows = UnitScan(of: info)
    let limits = info.dtype.limits
    try entry.forEachChunk(using: &buffer) { _, bytes in
      ElementConversion.decode(bytes, as: info.dtype, into: &values)
      count += values.count
      var isFinite = true
      for value in values {
        if value == 0 { zeroCount += 1 }
        if !value.isFinite {
          isFinite = false
          if value.isNaN { nanCount += 1 } else { infinityCount += 1 }
        }
      }
      if let limits {
        saturatedCount += values.count { $0 == limits.least || $0 == limits.greatest }
      }
      rows.add(values)
      if !isFinite { values.removeAll { !$0.isFinite } }
      moments.add(values)
      order.add(values)
    }
    (unitCount, deadUnitCount) = (rows.units, rows.dead)
    guard let low = moments.minimum, let high = moments.maximum else { return }
    (minimum, maximum, mean) = (low, high, moments.mean)
    (standardDeviation, norm) = (moments.standardDeviation, moments.norm)
    histogram = [Int](repeating: 0, count: Self.binCount)
    let scale = high > low ? Double(Self.binCount) / (high - low) : 0
    order.beginRefining(Self.shares)
    try entry.forEachChunk(using: &buffer) { _, bytes in
      ElementConversion.decode(bytes, as: info.dtype, into: &values)
      if nanCount + infinityCount > 0 { values.removeAll { !$0.isFinite } }
      for value in values {
        let position = (value - low) * scale
        histogram[position.isFinite ? min(Int(position), Self.binCount - 1) : 0] += 1
      }
      order.refine(values)
    }
    quantiles = order.quantiles(Self.shares)
  }

  /// Finds units that are all zero, in tensors that are read from the first to the last element.
  private struct UnitScan {
    let units: Int?
    private(set) var dead = 0
    private let size: Int
    private var rest: Int
    private var isZero = true

    init(of info: TensorInfo) {
      let isTable = info.shape.count > 1 && info.dtype.isComputable
      units = isTable && info.elementCount > 0 ? info.shape[0] : nil
      let parts = info.dtype.isComplex ? 2 : 1
      size = units == nil ? 0 : info.shape.product(along: 1...).saturated(times: parts)
      rest = size
    }

    mutating func add(_ values: [Double]) {
      if units == nil { return }
      var start = 0
      while start < values.count {
        let end = min(start + rest, values.count)
        if isZero { isZero = !values[start..<end].contains { $0 != 0 } }
        rest -= end - start
        start = end
        if rest == 0 {
          if isZero { dead += 1 }
          (rest, isZero) = (size, true)
        }
      }
    }
  }
}

extension DType {
  /// The ends of the type's range, beyond which values were clipped: of floating-point types of 16 bits
  /// and less, and of integers of 8 bits.
  fileprivate var limits: (least: Double, greatest: Double)? {
    switch element.kind {
    case .floatingPoint(let format):
      byteWidth > 2 ? nil : (format.leastFinite, format.greatestFinite)
    case .integer(let isSigned):
      byteWidth > 1 ? nil : isSigned ? (-128, 127) : (.infinity, 255)
    case .boolean, .complex, .packed: nil
    }
  }
}

extension TensorStatistics: Encodable {
  private enum CodingKeys: String, CodingKey {
    case count, zeros, nans, infinities, minimum, maximum, mean, standardDeviation, histogram
    case norm, saturated, units, deadUnits, quantiles
  }

  private struct Share: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(_ share: Double) { stringValue = "p\(Int((share * 100).rounded()))" }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  /// Writes what is known; figures that no number gives are left out.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(count, forKey: .count)
    try values.encode(zeroCount, forKey: .zeros)
    try values.encode(nanCount, forKey: .nans)
    try values.encode(infinityCount, forKey: .infinities)
    try values.encode(saturatedCount, forKey: .saturated)
    try values.encodeIfPresent(minimum, forKey: .minimum)
    try values.encodeIfPresent(maximum, forKey: .maximum)
    try values.encodeIfPresent(mean, forKey: .mean)
    try values.encodeIfPresent(standardDeviation, forKey: .standardDeviation)
    try values.encodeIfPresent(norm, forKey: .norm)
    try values.encode(histogram, forKey: .histogram)
    try values.encodeIfPresent(unitCount, forKey: .units)
    if unitCount != nil { try values.encode(deadUnitCount, forKey: .deadUnits) }
    if quantiles.isEmpty { return }
    var shares = values.nestedContainer(keyedBy: Share.self, forKey: .quantiles)
    for (share, value) in zip(Self.shares, quantiles) {
      try shares.encode(value, forKey: Share(share))
    }
  }
}
