/// How many finite numbers lie in each of at most 64 bins of equal width, from one pass over them.
///
/// The width is a power of two, and bins begin at its multiples: the smallest width for which 64 bins
/// reach from the smallest number to the largest. So the bins depend on these two alone, neither on the
/// order of the numbers nor on how they were divided, and histograms of parts add up exactly.
public struct ValueHistogram: Hashable, Sendable {
  /// The most bins; there are fewer where they reach from the smallest to the largest number.
  public static let maxBins = 64
  /// Smallest exponent of a width; numbers closer together share a bin.
  private static let minExponent = -1010

  /// Smallest number added; `nil` when there is none.
  public private(set) var minimum: Double?
  /// Largest number added; `nil` when there is none.
  public private(set) var maximum: Double?
  /// Numbers in each bin, the bin of `minimum` first.
  public private(set) var counts: [Int] = []
  /// Binary logarithm of a bin's width; `nil` while all numbers are equal.
  package private(set) var exponent: Int?
  /// Lower edge of the first bin in units of the width; 0 while all numbers are equal.
  package private(set) var first = 0

  /// No numbers.
  public init() {}

  /// Width of a bin; 0 while all numbers are equal.
  public var width: Double { exponent.map(Self.power) ?? 0 }

  /// Lower edge of the first bin; the number itself while all are equal.
  public var start: Double {
    if exponent == nil { return minimum ?? 0 }
    return max(Double(first) * width, -.greatestFiniteMagnitude)
  }

  /// Adds numbers, all of them finite and between `low` and `high`, both of which are among them.
  mutating func add(_ values: [Double], from low: Double, to high: Double) {
    widen(from: low, to: high)
    guard let exponent else {
      if counts.isEmpty { counts = [0] }
      counts[0] += values.count
      return
    }
    let scale = Self.power(-exponent)
    let (first, last) = (first, counts.count - 1)
    var counts = counts.mutableSpan
    for value in values {
      counts[min(max(Self.floor(value * scale) - first, 0), last)] += 1
    }
  }

  /// Adds the numbers of another histogram.
  mutating func add(_ other: Self) {
    guard let low = other.minimum, let high = other.maximum else { return }
    widen(from: low, to: high)
    guard let exponent else {
      if counts.isEmpty { counts = [0] }
      counts[0] += other.counts[0]
      return
    }
    let rebinned = other.rebinned(to: exponent, first: first, count: counts.count)
    for index in counts.indices { counts[index] += rebinned[index] }
  }

  /// Makes the bins reach to numbers that will be added.
  private mutating func widen(from low: Double, to high: Double) {
    let (low, high) = (min(minimum ?? low, low), max(maximum ?? high, high))
    if low == minimum, high == maximum { return }
    let widened = Self.bins(from: low, to: high)
    if let (exponent, bins) = widened {
      counts = rebinned(to: exponent, first: bins.lowerBound, count: bins.count)
      (self.exponent, first) = (exponent, bins.lowerBound)
    }
    (minimum, maximum) = (low, high)
  }

  /// The counts in `count` bins that are at least as wide.
  private func rebinned(to exponent: Int, first: Int, count: Int) -> [Int] {
    var counts = [Int](repeating: 0, count: count)
    guard let minimum else { return counts }
    for (index, number) in self.counts.enumerated() {
      let bin =
        self.exponent.map { (self.first + index) >> min(exponent - $0, 63) }
        ?? Self.floor(minimum * Self.power(-exponent))
      counts[min(max(bin - first, 0), count - 1)] += number
    }
    return counts
  }

  /// The narrowest bins from one number to another; `nil` if the two are equal.
  private static func bins(from low: Double, to high: Double) -> (exponent: Int, ClosedRange<Int>)?
  {
    guard low < high else { return nil }
    // Halves: the distance itself may be infinite. No width below this one suffices.
    let distance = high / 2 - low / 2
    var exponent = max(distance > 0 ? Int(distance.exponent) - 5 : minExponent, minExponent)
    while true {
      let scale = power(-exponent)
      let (first, last) = (floor(low * scale), floor(high * scale))
      if last - first < maxBins { return (exponent, first...last) }
      exponent += 1
    }
  }

  /// The largest integer up to `value`, whose magnitude is below 2^62.
  private static func floor(_ value: Double) -> Int {
    let whole = Int(value)
    return Double(whole) > value ? whole - 1 : whole
  }

  private static func power(_ exponent: Int) -> Double {
    Double(sign: .plus, exponent: exponent, significand: 1)
  }
}

extension ValueHistogram: Encodable {
  private enum CodingKeys: String, CodingKey {
    case start, width, counts
  }

  /// Writes the lower edge of the first bin, the width of a bin, and the counts.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(start, forKey: .start)
    try values.encode(width, forKey: .width)
    try values.encode(counts, forKey: .counts)
  }
}
