/// How text looks on a screen.
struct TextStyle: Equatable {
  /// The eight colors of a terminal that are used; `normal` is the terminal's own.
  enum Color: Int {
    case normal = 39
    case red = 31
    case green = 32
    case yellow = 33
    case blue = 34
    case cyan = 36
  }

  var color = Color.normal
  var isBold = false
  var isDim = false
  var isReversed = false

  static let plain = TextStyle()
  static let bold = TextStyle(isBold: true)
  static let dim = TextStyle(isDim: true)
  static let reversed = TextStyle(isReversed: true)

  static func color(_ color: Color) -> TextStyle { TextStyle(color: color) }

  /// The escape sequence that turns it on; with `hasColor` false, without colors.
  func sequence(hasColor: Bool) -> String {
    var codes = ["0"]
    if isBold { codes.append("1") }
    if isDim { codes.append("2") }
    if isReversed { codes.append("7") }
    if hasColor, color != .normal { codes.append("\(color.rawValue)") }
    return "\u{1b}[\(codes.joined(separator: ";"))m"
  }
}

/// One line of a screen: runs of text, each in one style, without control characters.
struct ScreenLine: Equatable {
  /// Text in one style.
  struct Run: Equatable {
    var text: String
    var style: TextStyle
    /// The column, from 0, at which the run starts whatever precedes it; `nil` for what follows directly.
    ///
    /// A terminal that takes another width for a character cannot shift what stands there.
    var column: Int?
  }

  private(set) var runs: [Run] = []
  /// Columns of the terminal that the line takes.
  private(set) var width = 0

  init() {}

  init(_ text: String, _ style: TextStyle = .plain) { add(text, style) }

  /// The text alone.
  var plain: String { runs.map(\.text).joined() }

  /// Adds text, which must not have control characters.
  mutating func add(_ text: String, _ style: TextStyle = .plain) {
    if text.isEmpty { return }
    width += text.shownWidth
    if let last = runs.indices.last, runs[last].style == style {
      runs[last].text += text
    } else {
      runs.append(Run(text: text, style: style))
    }
  }

  /// Adds spaces up to a column.
  mutating func pad(to column: Int, _ style: TextStyle = .plain) {
    if column > width { add(String(repeating: " ", count: column - width), style) }
  }

  /// Adds what another line has, from a column on.
  mutating func place(_ line: ScreenLine, at column: Int) {
    pad(to: column)
    for (index, run) in line.runs.enumerated() {
      var run = run
      if index == 0 { run.column = column }
      runs.append(run)
    }
    width = column + line.width
  }

  /// Exactly `target` columns: cut, with an ellipsis, or padded with spaces.
  func fitted(to target: Int) -> ScreenLine {
    var line = ScreenLine()
    for run in runs {
      let room = target - line.width
      let needed = run.text.shownWidth
      guard needed <= room else {
        line.add(run.text.withoutEnd(fitting: room), run.style)
        break
      }
      line.add(run.text, run.style)
    }
    line.pad(to: target)
    return line
  }

  /// The same text, all of it in a style changed by `change`.
  func restyled(_ change: (inout TextStyle) -> Void) -> ScreenLine {
    var line = self
    for index in line.runs.indices { change(&line.runs[index].style) }
    return line
  }
}
