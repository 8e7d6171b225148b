import CheckpointKit

/// Rows of text, aligned in columns two spaces apart.
struct Table {
  private var columns: Columns
  private var rows: [[String]] = []

  init(_ alignments: Columns.Alignment...) { columns = Columns(alignments) }

  mutating func add(_ cells: String...) {
    columns.measure(cells)
    rows.append(cells)
  }

  /// The lines, without spaces at their ends.
  var lines: [String] { rows.map { columns.line($0) } }
}

/// The widths of a table's columns, for rows that are made twice and not kept.
///
/// Widths count columns of a terminal, colors not.
struct Columns {
  /// How a column stands.
  enum Alignment { case left, right }

  private let alignments: [Alignment]
  private var widths: [Int]

  /// A wider cell makes only its own row longer: one long name must not pad thousands of rows.
  static let maxWidth = 200

  init(_ alignments: [Alignment]) {
    self.alignments = alignments
    widths = alignments.map { _ in 0 }
  }

  /// Makes room for a row.
  mutating func measure(_ cells: [String]) {
    for (column, cell) in cells.enumerated() {
      let width = cell.shownWidth
      if width <= Self.maxWidth { widths[column] = max(widths[column], width) }
    }
  }

  /// A row as a line, without spaces at its end.
  func line(_ cells: [String]) -> String {
    var line = ""
    var pending = 0
    for (column, cell) in cells.enumerated() {
      let padding = max(widths[column] - cell.shownWidth, 0)
      if alignments[column] == .right { pending += padding }
      if !cell.isEmpty {
        line += String(repeating: " ", count: pending) + cell
        pending = 0
      }
      pending += 2 + (alignments[column] == .left ? padding : 0)
    }
    while line.utf8.last == UInt8(ascii: " ") { line.unicodeScalars.removeLast() }
    return line
  }
}

extension Shape {
  /// As a shape: `[64, 3, 7, 7]`; `description` takes ten times as long.
  var listText: String {
    var text = "["
    for (index, number) in enumerated() {
      if index > 0 { text += ", " }
      text += String(number)
    }
    return text + "]"
  }
}
