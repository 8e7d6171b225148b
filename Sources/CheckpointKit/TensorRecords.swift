import ParallelWork
import Ranks
package import TensorCore

/// Measures of tensors as one rank gives them to the others.
extension RecordWriter {
  mutating func add(_ difference: TensorDifference) {
    add(difference.elements)
    add(difference.differing)
    add(difference.becameNaN)
    add(difference.becameInfinite)
    add(difference.noLongerNaN)
    add(difference.noLongerInfinite)
    add(difference.signFlips)
    add(difference.beyondRounding) { $1.add($0) }
    add(difference.maxAbsolute) { $1.add($0) }
    add(difference.maxULP) { $1.add($0) }
    add(difference.squaredDifference)
    for sum in [difference.squaredReference, difference.squaredSecond, difference.product] {
      add(sum)
    }
  }

  mutating func add(_ statistics: TensorStatistics) {
    add(statistics.count)
    add(statistics.zeros)
    add(statistics.nans)
    add(statistics.infinities)
    add(statistics.saturated)
    for number in [
      statistics.minimum, statistics.maximum, statistics.mean, statistics.standardDeviation,
      statistics.norm,
    ] {
      add(number) { $1.add($0) }
    }
    add(statistics.histogram.count)
    for count in statistics.histogram { add(count) }
    add(statistics.quantiles.count)
    for number in statistics.quantiles { add(number) }
    add(statistics.units) { $1.add($0) }
    add(statistics.deadUnits)
  }
}

extension RecordReader {
  mutating func difference() -> TensorDifference {
    var difference = TensorDifference()
    difference.elements = integer()
    difference.differing = integer()
    difference.becameNaN = integer()
    difference.becameInfinite = integer()
    difference.noLongerNaN = integer()
    difference.noLongerInfinite = integer()
    difference.signFlips = integer()
    difference.beyondRounding = optional { $0.integer() }
    difference.maxAbsolute = optional { $0.double() }
    difference.maxULP = optional { $0.integer(UInt64.self) }
    difference.squaredDifference = double()
    difference.squaredReference = double()
    difference.squaredSecond = double()
    difference.product = double()
    return difference
  }

  mutating func statistics() -> TensorStatistics {
    var statistics = TensorStatistics()
    statistics.count = integer()
    statistics.zeros = integer()
    statistics.nans = integer()
    statistics.infinities = integer()
    statistics.saturated = integer()
    statistics.minimum = optional { $0.double() }
    statistics.maximum = optional { $0.double() }
    statistics.mean = optional { $0.double() }
    statistics.standardDeviation = optional { $0.double() }
    statistics.norm = optional { $0.double() }
    statistics.histogram = (0..<integer()).map { _ in integer() }
    statistics.quantiles = (0..<integer()).map { _ in double() }
    statistics.units = optional { $0.integer() }
    statistics.deadUnits = integer()
    return statistics
  }
}

extension TensorStatistics {
  /// The statistics of each tensor, in order; of several errors the first tensor's is thrown.
  package static func all(of entries: [Checkpoint.Entry], threads: Int) async throws -> [Self] {
    let ranks = Ranks.current
    let sharing = Sharing<Checkpoint.Entry, Self>(
      ranks, "statistics", cost: { $0.info.byteCount }, write: { $1.add($0) },
      read: { $1.statistics() })
    let found = try await concurrentMap(entries, width: threads, sharing: sharing) {
      try TensorStatistics(of: $0)
    }
    try ranks.requireSound(entries)
    return found
  }
}
