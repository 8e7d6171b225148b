import CheckpointKit

/// A tensor with its statistics, as `stat` prints it.
struct StatRow {
  let name: TensorName
  let info: TensorInfo
  let statistics: TensorStatistics
  /// What its values were drawn with, if a recipe says.
  let expected: Moments?

  init(
    _ name: TensorName, _ info: TensorInfo, _ statistics: TensorStatistics, expected: Moments?
  ) {
    (self.name, self.info, self.statistics) = (name, info, statistics)
    self.expected = expected
  }

  var hasSpecials: Bool { statistics.nanCount + statistics.infinityCount > 0 }

  /// What rows are sorted by, from the largest on.
  func key(_ order: Ckpt.Stat.Order) -> Double {
    let number: Double? =
      switch order {
      case .name: nil
      case .size: Double(info.byteCount)
      case .min: statistics.minimum
      case .max: statistics.maximum
      case .mean: statistics.mean
      case .std: statistics.standardDeviation
      case .norm: statistics.norm
      case .zeros: Double(statistics.zeroCount)
      case .nan: Double(statistics.nanCount + statistics.infinityCount)
      }
    return number ?? -.infinity
  }

  /// How much wider the values are spread than when they were drawn.
  private var spread: Double? {
    guard let expected, expected.standardDeviation > 0 else { return nil }
    return statistics.standardDeviation.map { $0 / expected.standardDeviation }
  }

  /// What stands out, in a few words.
  private var remarks: String {
    var remarks: [String] = []
    if statistics.nanCount > 0 { remarks.append("\(statistics.nanCount.grouped) NaN") }
    if statistics.infinityCount > 0 { remarks.append("\(statistics.infinityCount.grouped) Inf") }
    if statistics.isConstant {
      remarks.append(statistics.zeroCount > 0 ? "all zero" : "constant")
    } else if let units = statistics.unitCount, statistics.deadUnitCount > 0 {
      remarks.append("\(statistics.deadUnitCount.grouped) of \(units.grouped) units zero")
    }
    if statistics.saturatedCount > 0, !statistics.isConstant {
      remarks.append("\(statistics.saturatedCount.grouped) at the type's limit")
    }
    return remarks.joined(separator: ", ")
  }

  /// The table of some rows, as wide as the terminal.
  static func lines(_ rows: [StatRow]) -> [String] {
    var table = FittedTable([
      .init("name", isFlexible: true), .init("min", .right, rank: 2), .init("max", .right, rank: 2),
      .init("mean", .right), .init("std", .right), .init("std/init", .right, rank: 5),
      .init("norm", .right, rank: 6), .init("5%", .right, rank: 8),
      .init("median", .right, rank: 7),
      .init("95%", .right, rank: 8), .init("zeros", .right, rank: 4), .init("", rank: 3),
      .init(isFlexible: true),
    ])
    for row in rows {
      let values = row.statistics
      func quantile(_ index: Int) -> String {
        values.quantiles.isEmpty ? "-" : values.quantiles[index].short
      }
      table.add([
        row.name.text.escapingControls, values.minimum?.short ?? "-", values.maximum?.short ?? "-",
        values.mean?.short ?? "-", values.standardDeviation?.short ?? "-",
        row.spread?.short ?? "", values.norm?.short ?? "-", quantile(1), quantile(3), quantile(5),
        values.zeroCount.grouped, bars(values.histogram), row.remarks,
      ])
    }
    return table.lines(fitting: Terminal.columns)
  }

  /// Eight bins of eight heights; a bin that holds anything at all shows.
  private static func bars(_ bins: [Int]) -> String {
    let histogram = stride(from: 0, to: bins.count, by: 2).map {
      bins[$0...].prefix(2).saturatedSum()
    }
    guard let highest = histogram.max(), highest > 0 else { return "" }
    let heights = Array("▁▂▃▄▅▆▇█")
    return String(
      histogram.map { count in
        count == 0 ? " " : heights[Int(Double(count) / Double(highest) * 7)]
      })
  }
}

/// Statistics of the tensors of each module together.
struct StatModules {
  private struct Module {
    let name: String
    var tensors = 0
    var count = 0
    var zeros = 0
    var specials = 0
    var squares = 0.0
    var minimum = Double.infinity
    var maximum = -Double.infinity

    func key(_ order: Ckpt.Stat.Order) -> Double {
      switch order {
      case .name, .mean, .std: 0
      case .size: Double(count)
      case .min: minimum.isFinite ? minimum : -.infinity
      case .max: maximum
      case .norm: squares
      case .zeros: Double(zeros)
      case .nan: Double(specials)
      }
    }
  }

  private var modules: [Module] = []

  /// Sums up modules of this many components, in the order of their first tensors unless one is wanted.
  init(_ rows: [StatRow], depth: Int, sortedBy order: Ckpt.Stat.Order?) {
    var places: [TensorName: Int] = [:]
    for row in rows {
      let parts = row.name.text.utf8.split(
        separator: UInt8(ascii: "."), maxSplits: depth, omittingEmptySubsequences: false)
      // A tensor outside all modules of that depth is a line of its own.
      let path = parts.dropLast(parts.count > depth ? 1 : 0).map { String(Substring($0)) }
        .joined(separator: ".")
      let place = places[TensorName(path)] ?? modules.count
      if place == modules.count {
        places[TensorName(path)] = place
        modules.append(Module(name: path))
      }
      let values = row.statistics
      modules[place].tensors += 1
      modules[place].count = [modules[place].count, values.count].saturatedSum()
      modules[place].zeros = [modules[place].zeros, values.zeroCount].saturatedSum()
      modules[place].specials = [
        modules[place].specials, values.nanCount, values.infinityCount,
      ].saturatedSum()
      if let norm = values.norm, !row.info.dtype.isInteger { modules[place].squares += norm * norm }
      if let low = values.minimum { modules[place].minimum = min(modules[place].minimum, low) }
      if let high = values.maximum { modules[place].maximum = max(modules[place].maximum, high) }
    }
    guard let order else { return }
    if order == .name {
      modules.sort { TensorName($0.name) < TensorName($1.name) }
      return
    }
    // Equal ones stay in their order.
    modules = modules.enumerated().sorted {
      ($1.element.key(order), $0.offset) < ($0.element.key(order), $1.offset)
    }.map(\.element)
  }

  var lines: [String] {
    var table = FittedTable([
      .init("module", isFlexible: true), .init("tensors", .right, rank: 1),
      .init("elements", .right, rank: 2), .init("norm", .right), .init("min", .right, rank: 4),
      .init("max", .right, rank: 4), .init("zeros", .right, rank: 3), .init(),
    ])
    for module in modules {
      table.add([
        module.name.escapingControls, module.tensors.grouped, module.count.grouped,
        module.squares.squareRoot().short, module.minimum.isFinite ? module.minimum.short : "-",
        module.maximum.isFinite ? module.maximum.short : "-", module.zeros.grouped,
        module.specials > 0 ? "\(module.specials.grouped) NaN or Inf" : "",
      ])
    }
    return table.lines(fitting: Terminal.columns)
  }
}
