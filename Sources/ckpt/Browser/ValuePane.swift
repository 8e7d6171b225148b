import CheckpointKit

/// Values of the selected tensor, row by row; of a pair, rows that differ are shown of both files.
struct ValuePane {
  private let state: BrowserState
  private let columns: Int

  init(_ state: BrowserState, _ columns: Int) {
    self.state = state
    self.columns = columns
  }

  var lines: [ScreenLine] {
    let layout = BrowserLayout(state)
    guard let grid = layout.grid else { return [] }
    guard let wanted = layout.valueRequest else { return [ScreenLine("no elements", .dim)] }
    guard let block = state.values, block.request == wanted else {
      return [ScreenLine("reading values…", .dim)]
    }
    switch (block.first, block.second) {
    case (.failed(let reason)?, _), (nil, .failed(let reason)?):
      return ScreenLine.wrapped(reason, to: columns, limit: 4, .color(.red))
    case (.found(let texts)?, .found(let others)?):
      return head(wanted, grid) + pair(texts, others, wanted, grid)
    case (.found(let texts)?, .failed(let reason)?):
      return ScreenLine.wrapped(reason, to: columns, limit: 4, .color(.red))
        + rows(texts, wanted, grid)
    case (.found(let texts)?, nil), (nil, .found(let texts)?):
      return head(wanted, grid) + rows(texts, wanted, grid)
    case (nil, nil): return []
    }
  }

  /// The indices along the last dimension, where not all of it is visible.
  private func head(_ request: ValueRequest, _ grid: ValueGrid) -> [ScreenLine] {
    guard state.view == .values, request.columns.count < grid.pitch else { return [] }
    var line = ScreenLine()
    line.pad(to: grid.indexWidth)
    for column in request.columns {
      let text = "\(column)"
      line.pad(to: line.width + 2 + max(grid.cellWidth - text.count, 0))
      line.add(text, .dim)
    }
    return [line]
  }

  private func rows(
    _ texts: [[String]], _ request: ValueRequest, _ grid: ValueGrid
  ) -> [ScreenLine] {
    zip(request.rows, texts).map { row, texts in
      self.row(grid.index(ofRow: row), texts, grid, texts.map { _ in .plain })
    }
  }

  /// Rows of both files; those of the second only where they differ.
  private func pair(
    _ texts: [[String]], _ others: [[String]], _ request: ValueRequest, _ grid: ValueGrid
  ) -> [ScreenLine] {
    var lines: [ScreenLine] = []
    for (row, (mine, theirs)) in zip(request.rows, zip(texts, others)) {
      let isSame = zip(mine, theirs).map { $0.isSameText($1) }
      let index = grid.index(ofRow: row)
      if isSame.allSatisfy({ $0 }) {
        lines.append(self.row(index, mine, grid, mine.map { _ in .plain }))
      } else {
        lines.append(self.row(index, mine, grid, isSame.map { $0 ? .dim : .color(.red) }))
        lines.append(self.row("+", theirs, grid, isSame.map { $0 ? .dim : .color(.green) }))
      }
    }
    return lines
  }

  private func row(
    _ index: String, _ texts: [String], _ grid: ValueGrid, _ styles: [TextStyle]
  ) -> ScreenLine {
    var line = ScreenLine()
    line.pad(to: grid.indexWidth - index.count)
    line.add(index, index == "+" ? .color(.green) : .dim)
    for (text, style) in zip(texts, styles) {
      let shown = text.cell(width: grid.cellWidth)
      line.pad(to: line.width + 2 + grid.cellWidth - shown.shownWidth)
      line.add(shown, style)
    }
    return line
  }
}
