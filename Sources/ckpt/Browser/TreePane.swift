import CheckpointKit

/// The left pane: the visible rows of the tree.
struct TreePane {
  private let state: BrowserState
  private let columns: Int
  private let height: Int

  init(_ state: BrowserState) {
    self.state = state
    let layout = BrowserLayout(state)
    columns = layout.treeColumns
    height = layout.bodyRows
  }

  var lines: [ScreenLine] {
    let rows = state.tree.rows
    return (state.top..<min(state.top + height, rows.count)).map { line(row: $0) }
  }

  private func line(row: Int) -> ScreenLine {
    let node = state.tree.node(at: row)
    var line = ScreenLine()
    // Deep trees keep half of the pane for names.
    line.pad(to: min(node.depth.saturated(times: 2), columns / 2))
    if !node.isTensor { line.add(node.isOpen ? "▾ " : "▸ ", .dim) }
    let (symbol, style) = mark(of: node)
    if state.content.isComparison { line.add(symbol + " ", style) }
    let note = self.note(node)
    let label = node.label.isEmpty ? "''" : node.label.escapingControls
    let room = max(columns - line.width, 1)
    // A note goes before the name is shortened, unless a few columns more hold the name.
    let isNoted = label.shownWidth + 2 + note.width <= room
    line.add(label.withoutMiddle(fitting: room), row == 0 ? .bold : style)
    if isNoted, !node.isTensor, let kind = state.content.labels[state.tree.path(at: row)]?.kind {
      let name = "  " + kind.escapingControls
      if line.width + name.shownWidth + 2 + note.width <= columns { line.add(name, .dim) }
    }
    if isNoted, note.width > 0 {
      line.pad(to: columns - note.width)
      for run in note.runs { line.add(run.text, run.style) }
    }
    guard row == state.row else { return line }
    let isActive = state.pane == .tree
    return line.fitted(to: columns).restyled {
      $0.isReversed = true
      $0.isDim = !isActive
    }
  }

  private func mark(of node: BrowserTree.Node) -> (String, TextStyle) {
    guard state.content.isComparison else { return ("", .plain) }
    if node.isTensor, let item = node.items.first {
      return (state.marks[item].symbol, state.marks[item].style)
    }
    let (differing, unknown) = state.differences(in: node)
    if differing > 0 {
      // All that is inside was added, or removed.
      if differing == node.items.count, let first = node.items.first {
        let mark = state.marks[first]
        let isWhole = mark == .added || mark == .removed
        if isWhole, node.items.allSatisfy({ state.marks[$0] == mark }) {
          return (mark.symbol, mark.style)
        }
      }
      return ("~", .color(.yellow))
    }
    return unknown > 0 ? ("·", .dim) : (" ", .plain)
  }

  /// What stands at the right of a row: a shape, or how many tensors are inside.
  private func note(_ node: BrowserTree.Node) -> ScreenLine {
    if node.isTensor {
      guard let item = node.items.first else { return ScreenLine() }
      let info = state.content.items.info(item)
      return ScreenLine("\(info.dtype.rawValue) \(info.shape.listText)", .dim)
    }
    if node.depth == 0 { return ScreenLine() }
    var line = ScreenLine()
    let (differing, _) = state.content.isComparison ? state.differences(in: node) : (0, 0)
    if differing > 0 { line.add("\(differing.grouped) of ", .color(.yellow)) }
    line.add(node.items.count.grouped, .dim)
    return line
  }
}
