import ParallelWork
import Ranks
package import TensorCore

/// Measures of tensors as one rank gives them to the others.
extension RecordWriter {
  mutating func add(_ difference: TensorDifference) {
    add(difference.elementCount)
    add(difference.differingCount)
    add(difference.becameNaNCount)
    add(difference.becameInfiniteCount)
    add(difference.noLongerNaNCount)
    add(difference.noLongerInfiniteCount)
    add(difference.signFlipCount)
    add(difference.beyondRoundingCount) { $1.add($0) }
    add(difference.maxAbsolute) { $1.add($0) }
    add(difference.maxULP) { $1.add($0) }
    add(difference.squaredDifference)
    for sum in [difference.squaredReference, difference.squaredSecond, difference.product] {
      add(sum)
    }
  }

  mutating func add(_ statistics: TensorStatistics) {
    add(statistics.count)
    add(statistics.zeroCount)
    add(statistics.nanCount)
    add(statistics.infinityCount)
    add(statistics.saturatedCount)
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
    add(statistics.unitCount) { $1.add($0) }
    add(statistics.deadUnitCount)
  }
}

extension RecordReader {
  mutating func difference() -> TensorDifference {
    var difference = TensorDifference()
    difference.elementCount = integer()
    difference.differingCount = integer()
    difference.becameNaNCount = integer()
    difference.becameInfiniteCount = integer()
    difference.noLongerNaNCount = integer()
    difference.noLongerInfiniteCount = integer()
    difference.signFlipCount = integer()
    difference.beyondRoundingCount = optional { $0.integer() }
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
    statistics.zeroCount = integer()
    statistics.nanCount = integer()
    statistics.infinityCount = integer()
    statistics.saturatedCount = integer()
    statistics.minimum = optional { $0.double() }
    statistics.maximum = optional { $0.double() }
    statistics.mean = optional { $0.double() }
    statistics.standardDeviation = optional { $0.double() }
    statistics.norm = optional { $0.double() }
    statistics.histogram = (0..<integer()).map { _ in integer() }
    statistics.quantiles = (0..<integer()).map { _ in double() }
    statistics.unitCount = optional { $0.integer() }
    statistics.deadUnitCount = integer()
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
