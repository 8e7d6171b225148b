import CheckpointKit

/// The whole screen as lines: a function of the state and nothing else.
struct BrowserScreen {
  private let state: BrowserState
  private let layout: BrowserLayout

  init(_ state: BrowserState) {
    self.state = state
    layout = BrowserLayout(state)
  }

  /// One line per row of the terminal, none of them wider than it.
  var lines: [ScreenLine] {
    let size = state.size
    guard layout.isUsable else {
      let text = ScreenLine("the terminal is too small".withoutEnd(fitting: size.columns))
      return (0..<max(size.rows, 0)).map { $0 == 0 ? text : ScreenLine() }
    }
    let body = state.showsHelp ? help : panes
    let lines = [title] + (0..<layout.bodyRows).map { $0 < body.count ? body[$0] : ScreenLine() }
    return lines + [lastLine]
  }

  private var title: ScreenLine {
    let files = state.content.files
    var right = state.content.items.count.pluralized("tensor")
    if state.content.isComparison {
      let (differing, unknown) = state.differences(in: state.tree.nodes[0])
      right = "\(differing.grouped) of \(right) differ"
      if unknown > 0 { right += ", \(unknown.grouped) to compare" }
    }
    let room = state.size.columns - right.shownWidth - 4
    var line = ScreenLine(" ", .reversed)
    if files.count > 1 {
      let half = max((room - 3) / 2, 1)
      line.add(
        files.map { $0.name.withoutMiddle(fitting: half) }.joined(separator: " → "), .reversed)
    } else {
      line.add(files[0].name.withoutMiddle(fitting: max(room, 1)), .reversed)
    }
    line.pad(to: state.size.columns - right.shownWidth - 1, .reversed)
    line.add(right + " ", .reversed)
    return line.fitted(to: state.size.columns)
  }

  private var panes: [ScreenLine] {
    let tree = layout.treeColumns > 0 ? TreePane(state).lines : []
    let details = layout.detailColumns > 0 ? DetailPane(state).lines : []
    let scrolled = details.dropFirst(state.view == .summary ? state.detailTop : 0)
    return (0..<layout.bodyRows).map { row in
      let detail = row < scrolled.count ? scrolled[scrolled.startIndex + row] : ScreenLine()
      if layout.treeColumns == 0 { return detail.fitted(to: layout.detailColumns) }
      var line = (row < tree.count ? tree[row] : ScreenLine()).fitted(to: layout.treeColumns)
      if layout.detailColumns == 0 { return line }
      var right = ScreenLine(" │ ", state.pane == .details ? .bold : .dim)
      for run in detail.fitted(to: layout.detailColumns).runs { right.add(run.text, run.style) }
      line.place(right, at: layout.treeColumns)
      return line
    }
  }

  /// The search that is typed, a message, or the keys.
  private var lastLine: ScreenLine {
    let columns = state.size.columns
    if let search = state.search {
      let text = search.text.escapingControls
      var line = ScreenLine("/" + String(text.suffix(columns - 2)), .bold)
      line.add(" ", .reversed)
      return line.fitted(to: columns)
    }
    if let message = state.message {
      return ScreenLine(message, .color(.yellow)).fitted(to: columns)
    }
    var line = ScreenLine()
    for (keys, action) in footer {
      let item = (line.width > 0 ? 2 : 0) + keys.shownWidth + 1 + action.shownWidth
      // The last key, which leaves, is always there.
      if line.width + item > columns - (keys == "q" ? 0 : 8) { continue }
      if line.width > 0 { line.add("  ") }
      line.add(keys, .bold)
      line.add(" " + action, .dim)
    }
    return line
  }

  private var footer: [(keys: String, action: String)] {
    let difference = state.content.isComparison ? [("d", "next difference")] : []
    let move = state.pane == .tree ? [("↑↓", "move"), ("←→", "fold")] : [("↑↓←→", "scroll")]
    let view = ("v", state.view == .summary ? "values" : "summary")
    let rest = [
      view, ("tab", "pane"), ("/", "search"), ("n", "next"), ("?", "help"), ("q", "quit"),
    ]
    return move + difference + rest
  }

  /// What every key does.
  static let keys: [(keys: String, action: String)] = [
    ("↑ ↓  k j", "move, or scroll in the right pane"),
    ("← →  h l", "close or open a group, or scroll values sideways"),
    ("enter space", "open or close a group; on a tensor, show its values"),
    ("PgUp PgDn", "a screen up or down (also Ctrl-B Ctrl-F)"),
    ("g G", "first and last row (also Home End)"),
    ("tab", "switch between the tree and the right pane"),
    ("v", "switch between summary and values"),
    ("/", "search names; capitals in it must match"),
    ("n N", "next and previous match"),
    ("d D", "next and previous difference (two files)"),
    ("esc", "end the search, back to the tree"),
    ("Ctrl-L", "draw the screen again"),
    ("? q", "this help; quit"),
  ]

  private var help: [ScreenLine] {
    var lines = [ScreenLine()]
    for (keys, action) in Self.keys {
      var line = ScreenLine("  ")
      line.add(keys, .bold)
      line.pad(to: 16)
      line.add(action)
      lines.append(line)
    }
    if state.content.isComparison {
      lines += [
        ScreenLine(),
        ScreenLine("  ~ changed (yellow), or of another shape or type (cyan)"),
        ScreenLine("  + only in the second   - only in the first   = tied, missing by name only"),
        ScreenLine("  · not compared yet     ! cannot be read"),
      ]
    }
    return lines.map { $0.fitted(to: state.size.columns) }
  }
}
