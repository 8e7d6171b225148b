import CheckpointKit

/// The figures and the histogram of the selected tensor, or of the selected pair.
struct FigurePane {
  private let state: BrowserState
  private let columns: Int

  init(_ state: BrowserState, _ columns: Int) {
    self.state = state
    self.columns = columns
  }

  var lines: [ScreenLine] {
    guard let item = state.item else { return [] }
    guard let measurement = state.measured[item] else {
      let share = state.progress > 0 ? " \(Int(state.progress * 100))%" : ""
      return [ScreenLine("reading\(share)…", .dim)]
    }
    var lines: [ScreenLine] = []
    var found: [(title: String, figures: TensorStatistics)] = []
    for (title, outcome) in [("first", measurement.first), ("second", measurement.second)] {
      switch outcome {
      case .found(let figures): found.append((title, figures))
      case .failed(let reason):
        lines += ScreenLine.wrapped(reason, to: columns, limit: 4, .color(.red))
      case nil: break
      }
    }
    switch measurement.difference {
    case .found(let difference):
      let relative = difference.relativeL2.map { ", rel L2 \($0.short)" } ?? ""
      lines += ScreenLine.wrapped(
        difference.differingCount == 0 ? "identical" : "differs: \(difference.summary)\(relative)",
        to: columns, limit: 3, difference.differingCount == 0 ? .dim : .color(.yellow))
    case .failed(let reason) where lines.isEmpty:
      lines += ScreenLine.wrapped(reason, to: columns, limit: 4, .color(.red))
    default: break
    }
    guard !found.isEmpty else { return lines }
    lines += table(found)
    let charts = found.filter { !$0.figures.histogram.isEmpty }
    if !charts.isEmpty { lines += [ScreenLine()] + chart(charts.map(\.figures)) }
    return lines
  }

  private func table(_ found: [(title: String, figures: TensorStatistics)]) -> [ScreenLine] {
    let isPair = state.content.isComparison
    var rows: [[String]] = isPair ? [[""] + found.map(\.title)] : []
    func row(_ name: String, _ value: (TensorStatistics) -> String) {
      rows.append([name] + found.map { value($0.figures) })
    }
    row("min") { $0.minimum?.short ?? "-" }
    row("max") { $0.maximum?.short ?? "-" }
    row("mean") { $0.mean?.short ?? "-" }
    row("std") { $0.standardDeviation?.short ?? "-" }
    row("zeros") { $0.zeroCount.grouped }
    if found.contains(where: { $0.figures.nanCount > 0 }) { row("NaN") { $0.nanCount.grouped } }
    if found.contains(where: { $0.figures.infinityCount > 0 }) {
      row("Inf") { $0.infinityCount.grouped }
    }
    let widths = (1..<rows[0].count).map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { cells in
      var line = ScreenLine(cells[0], .dim)
      var end = 6
      // What differs between the files stands out.
      let isChanged = cells.count == 3 && !cells[1].isSameText(cells[2]) && !cells[0].isEmpty
      for (column, cell) in cells.dropFirst().enumerated() {
        end += widths[column] + 2
        line.pad(to: end - cell.count)
        line.add(cell, cells[0].isEmpty ? .dim : isChanged ? .color(.yellow) : .plain)
      }
      return line
    }
  }

  /// Histograms side by side, or stacked where the pane is too narrow.
  private func chart(_ figures: [TensorStatistics]) -> [ScreenLine] {
    if figures.count == 2, columns >= 2 * HistogramChart.minWidth + 4 {
      let half = (columns - 4) / 2
      let charts = figures.map { HistogramChart($0, width: half).lines }
      return (0..<min(charts[0].count, charts[1].count)).map { row in
        var line = charts[0][row].fitted(to: half + 4)
        for run in charts[1][row].runs { line.add(run.text, run.style) }
        return line
      }
    }
    let charts = figures.map { HistogramChart($0, width: columns).lines }
    return Array(charts.joined(separator: [ScreenLine()]))
  }
}

/// A histogram as bars from the ground up, with the smallest and the largest number at its ends.
struct HistogramChart {
  private let bins: [Int]
  private let ends: (String, String)
  private let barWidth: Int

  /// Columns of one with bars of one column.
  static let minWidth = TensorStatistics.binCount
  /// Rows of the bars.
  private static let height = 5
  private static let eighths = Array(" ▁▂▃▄▅▆▇█")

  init(_ figures: TensorStatistics, width: Int) {
    bins = figures.histogram
    ends = (figures.minimum?.short ?? "-", figures.maximum?.short ?? "-")
    barWidth = min(max(width / max(bins.count, 1), 1), 3)
  }

  var lines: [ScreenLine] {
    guard let highest = bins.max(), highest > 0 else { return [] }
    let steps = Self.height * 8
    // A bin that holds anything at all shows.
    let heights = bins.map { count in
      count == 0 ? 0 : max(Int((Double(count) / Double(highest) * Double(steps)).rounded()), 1)
    }
    var lines = (0..<Self.height).reversed().map { row in
      let bars = heights.map { height in
        let part = Self.eighths[min(max(height - row * 8, 0), 8)]
        return String(repeating: part, count: barWidth)
      }
      return ScreenLine(bars.joined(), .color(.blue))
    }
    var scale = ScreenLine(ends.0, .dim)
    scale.pad(to: max(barWidth.saturated(times: bins.count) - ends.1.count, scale.width + 1))
    scale.add(ends.1, .dim)
    lines.append(scale)
    return lines
  }
}
