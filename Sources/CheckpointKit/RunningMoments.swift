/// How many finite numbers there are, their mean, spread, and range, added up part by part.
///
/// Means and squared distances of parts are joined as Chan, Golub, and LeVeque do (1979): neither the
/// number of values nor their offset costs precision.
struct RunningMoments: Hashable, Sendable {
  private(set) var count = 0
  private(set) var minimum: Double?
  private(set) var maximum: Double?
  private var center = 0.0
  /// Squared distances of the numbers from their mean, added up.
  private var squares = 0.0

  /// `nil`, as everything below, where there is no number.
  var mean: Double? { count == 0 ? nil : center }
  var standardDeviation: Double? { count == 0 ? nil : (squares / Double(count)).squareRoot() }
  /// Euclidean norm.
  var norm: Double? {
    count == 0 ? nil : (squares + Double(count) * center * center).squareRoot()
  }

  /// Adds numbers, all of them finite, and returns the least and the greatest of them.
  @discardableResult
  mutating func add(_ values: [Double]) -> ClosedRange<Double>? {
    guard let first = values.first else { return nil }
    var part = RunningMoments()
    part.count = values.count
    var (low, high, sum) = (first, first, 0.0)
    for value in values {
      low = value < low ? value : low
      high = value > high ? value : high
      sum += value
    }
    part.center = sum / Double(values.count)
    if !sum.isFinite {
      // The sum of huge numbers overflowed; their mean need not.
      part.center = 0
      for value in values { part.center += value / Double(values.count) }
    }
    let mean = part.center
    for value in values { part.squares += (value - mean) * (value - mean) }
    (part.minimum, part.maximum) = (low, high)
    append(part)
    return low...high
  }

  /// Adds the numbers of another part.
  mutating func append(_ next: RunningMoments) {
    guard let low = next.minimum, let high = next.maximum else { return }
    guard let least = minimum, let greatest = maximum else { return self = next }
    let (old, new) = (Double(count), Double(next.count))
    let shift = next.center - center
    squares += next.squares + shift * shift * (old * new / (old + new))
    center += shift * (new / (old + new))
    count += next.count
    (minimum, maximum) = (min(least, low), max(greatest, high))
  }
}
