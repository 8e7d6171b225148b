import ParallelWork
public import TensorCore

/// Smallest, largest, mean, spread and special values of one tensor, from one pass over it.
public struct TensorStatistics: Hashable, Sendable, Encodable {
  /// Elements in all; a complex element counts as two numbers.
  public internal(set) var count = 0
  /// Numbers equal to zero.
  public internal(set) var zeros = 0
  /// Numbers that are NaN.
  public internal(set) var nans = 0
  /// Numbers that are infinite.
  public internal(set) var infinities = 0
  /// Smallest finite number; `nil` when there is none.
  public internal(set) var minimum: Double?
  /// Largest finite number; `nil` when there is none.
  public internal(set) var maximum: Double?
  /// Mean of the finite numbers; `nil` when there is none.
  public internal(set) var mean: Double?
  /// Standard deviation of the finite numbers (divided by their count, not by count - 1).
  public internal(set) var standardDeviation: Double?
  /// Finite numbers in equal bins from `minimum` to `maximum`.
  public internal(set) var histogram: [Int] = []

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
    guard entry.info.dtype.isComputable else {
      count = entry.info.elementCount
      return
    }
    var buffer = ChunkBuffer(capacity: min(entry.info.byteCount, ChunkBuffer.standardSize))
    var values: [Double] = []
    var moments = Moments()
    try entry.forEachChunk(using: &buffer) { _, bytes in
      ElementConversion.decode(bytes, as: entry.info.dtype, into: &values)
      count += values.count
      for value in values {
        if value == 0 { zeros += 1 }
        if value.isNaN { nans += 1 }
        if value.isInfinite { infinities += 1 }
      }
      values.removeAll { !$0.isFinite }
      moments.add(values)
    }
    guard let low = moments.minimum, let high = moments.maximum else { return }
    (minimum, maximum, mean) = (low, high, moments.mean)
    standardDeviation = (moments.squares / Double(moments.count)).squareRoot()
    histogram = [Int](repeating: 0, count: Self.binCount)
    let scale = high > low ? Double(Self.binCount) / (high - low) : 0
    try entry.forEachChunk(using: &buffer) { _, bytes in
      ElementConversion.decode(bytes, as: entry.info.dtype, into: &values)
      for value in values where value.isFinite {
        let position = (value - low) * scale
        histogram[position.isFinite ? min(Int(position), Self.binCount - 1) : 0] += 1
      }
    }
  }

  private struct Moments {
    var count = 0
    var mean = 0.0
    var squares = 0.0
    var minimum: Double?
    var maximum: Double?

    mutating func add(_ values: [Double]) {
      guard let first = values.first else { return }
      var (low, high, sum) = (first, first, 0.0)
      for value in values {
        low = min(low, value)
        high = max(high, value)
        sum += value
      }
      let chunkMean = sum / Double(values.count)
      var chunkSquares = 0.0
      for value in values { chunkSquares += (value - chunkMean) * (value - chunkMean) }
      let (old, new) = (Double(count), Double(values.count))
      let shift = chunkMean - mean
      squares += chunkSquares + shift * shift * old * new / (old + new)
      mean += shift * new / (old + new)
      count += values.count
      minimum = min(minimum ?? low, low)
      maximum = max(maximum ?? high, high)
    }
  }
}
