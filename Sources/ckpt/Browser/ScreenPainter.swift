/// What has to be sent to a terminal so that it shows other lines than before: only those that differ.
struct ScreenPainter {
  /// Whether colors are used; bold, dim, and reversed text are in any case.
  let hasColor: Bool
  /// Whether the terminal shows characters beyond ASCII.
  let isUnicode: Bool
  private var shown: [ScreenLine] = []

  init(hasColor: Bool, isUnicode: Bool) {
    self.hasColor = hasColor
    self.isUnicode = isUnicode
  }

  /// Forgets what the terminal shows, so that all of it is painted again.
  mutating func invalidate() { shown = [] }

  /// Text and escape sequences that make the terminal show `lines`; empty if it does.
  mutating func paint(_ lines: [ScreenLine]) -> String {
    var text = ""
    if shown.count != lines.count { text += "\u{1b}[0m\u{1b}[2J" }
    for (row, line) in lines.enumerated() {
      if shown.count == lines.count, shown[row] == line { continue }
      text += "\u{1b}[\(row + 1);1H\u{1b}[0m\u{1b}[2K"
      var style = TextStyle.plain
      for run in line.runs {
        if let column = run.column { text += "\u{1b}[\(column + 1)G" }
        if run.style != style { text += run.style.sequence(hasColor: hasColor) }
        style = run.style
        text += isUnicode ? run.text : run.text.asciiDrawing
      }
      if style != .plain { text += "\u{1b}[0m" }
    }
    shown = lines
    return text
  }
}

extension String {
  /// The text with ASCII characters for those that the browser draws with, and `?` for all others.
  fileprivate var asciiDrawing: String {
    var text = ""
    for scalar in unicodeScalars {
      switch scalar {
      case "│": text += "|"
      case "─": text += "-"
      case "▸": text += ">"
      case "▾": text += "v"
      case "…": text += "~"
      case "·": text += "."
      case "▁", "▂": text += "."
      case "▃", "▄", "▅": text += ":"
      case "▆", "▇", "█": text += "#"
      case "↑": text += "^"
      case "↓": text += "v"
      case "←": text += "<"
      case "→": text += ">"
      case "−": text += "-"
      default:
        text += scalar.isASCII ? String(scalar) : String(repeating: "?", count: scalar.shownWidth)
      }
    }
    return text
  }
}
