import CheckpointKit

/// A table that fits the terminal: where it is too wide, columns that matter less are left out, and
/// texts that may be shortened lose their middle.
struct FittedTable {
  struct Column {
    let title: String
    let alignment: Columns.Alignment
    /// Columns of high rank are left out first; those of rank 0 stay.
    let rank: Int
    /// Whether the middle of a text may be left out.
    let isFlexible: Bool

    init(
      _ title: String = "", _ alignment: Columns.Alignment = .left, rank: Int = 0,
      isFlexible: Bool = false
    ) {
      (self.title, self.alignment, self.rank) = (title, alignment, rank)
      self.isFlexible = isFlexible
    }
  }

  private let columns: [Column]
  private var rows: [[String]] = []
  /// The widest cell of each column: of all, and of those that are not too wide to pad all others.
  private var widths: [Int]
  private var usualWidths: [Int]

  /// Flexible columns are not made narrower than this before others are left out.
  private static let enough = 28
  /// What is left of a text at least.
  private static let least = 8

  init(_ columns: [Column]) {
    self.columns = columns
    widths = columns.map { _ in 0 }
    usualWidths = widths
  }

  /// Adds a row of as many cells as there are columns.
  mutating func add(_ cells: [String]) {
    for (column, cell) in cells.enumerated() {
      let width = cell.shownWidth
      widths[column] = max(widths[column], width)
      if width <= Columns.maxWidth { usualWidths[column] = max(usualWidths[column], width) }
    }
    rows.append(cells)
  }

  var isEmpty: Bool { rows.isEmpty }

  /// The lines, a header first if a column that has any cells has a title; no wider than `limit`.
  func lines(fitting limit: Int?) -> [String] {
    var widths = limit == nil ? usualWidths : widths
    for (index, column) in columns.enumerated() where self.widths[index] > 0 {
      widths[index] = max(widths[index], column.title.shownWidth)
    }
    var shown = columns.indices.filter { self.widths[$0] > 0 }
    let hasTitles = shown.contains { !columns[$0].title.isEmpty }
    if let limit {
      // No cell is wider than the line, however long a name is.
      for index in columns.indices where columns[index].isFlexible {
        widths[index] = min(widths[index], limit)
      }
      func total(_ width: (Int) -> Int) -> Int {
        shown.map { width($0) + 2 }.saturatedSum() - 2
      }
      func narrow(_ index: Int) -> Int {
        columns[index].isFlexible ? min(widths[index], Self.enough) : widths[index]
      }
      while total(narrow) > limit {
        guard
          let last = shown.filter({ columns[$0].rank > 0 })
            .max(by: { columns[$0].rank < columns[$1].rank })
        else { break }
        shown.removeAll { $0 == last }
      }
      // The widest flexible column gives what is missing.
      while total({ widths[$0] }) > limit {
        let flexible = shown.filter { columns[$0].isFlexible && widths[$0] > Self.least }
        guard let widest = flexible.max(by: { widths[$0] < widths[$1] }) else { break }
        let second = flexible.filter { $0 != widest }.map { widths[$0] }.max() ?? Self.least
        let excess = total({ widths[$0] }) - limit
        let least = max(second < widths[widest] ? second : widths[widest] - 1, Self.least)
        widths[widest] = max(widths[widest] - excess, least)
      }
    }
    var lines: [String] = []
    if hasTitles {
      lines.append(Style.dim(line(columns.map(\.title), shown, widths, limit)))
    }
    for row in rows { lines.append(line(row, shown, widths, limit)) }
    return lines
  }

  private func line(
    _ cells: [String], _ shown: [Int], _ widths: [Int], _ limit: Int?
  ) -> String {
    var line = ""
    var pending = 0
    for index in shown {
      var cell = cells[index]
      if limit != nil, columns[index].isFlexible {
        cell = cell.withoutMiddle(fitting: widths[index])
      }
      let padding = max(widths[index] - cell.shownWidth, 0)
      if columns[index].alignment == .right { pending += padding }
      if !cell.isEmpty {
        line += String(repeating: " ", count: pending) + cell
        pending = 0
      }
      pending += 2 + (columns[index].alignment == .left ? padding : 0)
    }
    return limit.map { line.withoutEnd(fitting: $0) } ?? line
  }
}

extension String {
  /// The text, or its two ends around an ellipsis, in at most this many columns; more of its end, which
  /// tells names apart.
  func withoutMiddle(fitting width: Int) -> String {
    if shownWidth <= width { return self }
    if width < 3 { return withoutEnd(fitting: width) }
    let end = (width - 1) * 3 / 5
    let head = prefix(columns: width - 1 - end)
    var tail: [Unicode.Scalar] = []
    var used = 0
    for scalar in unicodeScalars.reversed() {
      let next = String(scalar).shownWidth
      if used + next > end { break }
      used += next
      tail.append(scalar)
    }
    // A mark without the character that it stands on would land on the ellipsis.
    while let last = tail.last, String(last).shownWidth == 0 { tail.removeLast() }
    return head + "…" + String(String.UnicodeScalarView(tail.reversed()))
  }

  /// The text, or its beginning and an ellipsis, in at most this many columns.
  func withoutEnd(fitting width: Int) -> String {
    shownWidth <= width ? self : prefix(columns: max(width - 1, 0)) + (width > 0 ? "…" : "")
  }

  /// As many scalars of the beginning as fit.
  func prefix(columns: Int) -> String {
    var result = String.UnicodeScalarView()
    var used = 0
    for scalar in unicodeScalars {
      let next = String(scalar).shownWidth
      if used + next > columns { break }
      used += next
      result.append(scalar)
    }
    return String(result)
  }
}
