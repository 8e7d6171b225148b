import CheckpointKit

/// What the keys do.
extension BrowserState {
  /// What the session has to do after a key.
  enum Request { case quit, interrupt, suspend, redraw }

  /// Does what a key asks for.
  mutating func handle(_ key: Key) -> Request? {
    message = nil
    switch key {
    case .interrupt: return .interrupt
    case .suspend: return .suspend
    case .redraw: return .redraw
    default: break
    }
    if search != nil {
      type(key)
      return nil
    }
    if showsHelp {
      showsHelp = false
      return nil
    }
    switch key {
    case .character("q"), .character("Q"): return .quit
    case .character("?"): showsHelp = true
    case .character("/"): search = Search(origin: row)
    case .character("n"): findAgain(forward: true)
    case .character("N"): findAgain(forward: false)
    case .character("d"): nextDifference(forward: true)
    case .character("D"): nextDifference(forward: false)
    case .character("v"):
      view = view == .summary ? .values : .summary
      detailTop = 0
    case .tab: pane = pane == .tree ? .details : .tree
    case .escape:
      query = ""
      pane = .tree
    default:
      let page = max(BrowserLayout(self).bodyRows - 1, 1)
      if pane == .tree { moveInTree(key, page: page) } else { scrollDetails(key, page: page) }
    }
    scroll()
    return nil
  }

  private mutating func moveInTree(_ key: Key, page: Int) {
    switch key {
    case .up, .character("k"): select(row - 1)
    case .down, .character("j"): select(row + 1)
    case .pageUp: select(row - page)
    case .pageDown: select(row + page)
    case .home, .character("g"): select(0)
    case .end, .character("G"): select(tree.rows.count - 1)
    case .right, .character("l"):
      if tree.node(at: row).isOpen { select(row + 1) } else { tree.open(row: row) }
    case .left, .character("h"):
      if row > 0, tree.node(at: row).isOpen {
        tree.close(row: row)
      } else if let parent = tree.parent(ofRow: row) {
        select(parent)
      }
    case .enter, .character(" "):
      if item != nil {
        view = view == .summary ? .values : .summary
      } else if tree.node(at: row).isOpen {
        tree.close(row: row)
      } else {
        tree.open(row: row)
      }
    default: break
    }
  }

  private mutating func scrollDetails(_ key: Key, page: Int) {
    let (down, right): (Int, Int)
    switch key {
    case .up, .character("k"): (down, right) = (-1, 0)
    case .down, .character("j"): (down, right) = (1, 0)
    case .pageUp: (down, right) = (-page, 0)
    case .pageDown, .character(" "): (down, right) = (page, 0)
    case .left, .character("h"): (down, right) = (0, -1)
    case .right, .character("l"): (down, right) = (0, 1)
    case .home, .character("g"): (down, right) = (-Shape.limit, -Shape.limit)
    case .end, .character("G"): (down, right) = (Shape.limit, 0)
    default: return
    }
    let layout = BrowserLayout(self)
    guard view == .values, let grid = layout.grid else {
      let last = max(DetailPane(self).lines.count - layout.bodyRows, 0)
      detailTop = min(max(detailTop + down, 0), last)
      return
    }
    // The last row may come to the top, so that a page never shows the same rows twice.
    valueRow = min(max(valueRow + down, 0), max(grid.rowCount - 1, 0))
    let step = right.saturated(times: max(grid.shownColumns - 1, 1))
    let lastColumn = max(grid.pitch - grid.shownColumns, 0)
    valueColumn = min(max(valueColumn + (abs(right) == 1 ? step : right), 0), lastColumn)
  }
}

/// Searching names, and finding what differs.
extension BrowserState {
  private mutating func type(_ key: Key) {
    guard var typed = search else { return }
    switch key {
    case .character(let scalar): typed.text.unicodeScalars.append(scalar)
    case .backspace:
      if typed.text.isEmpty { return abandonSearch() }
      typed.text.unicodeScalars.removeLast()
    case .enter:
      if !typed.text.isEmpty { query = typed.text }
      search = nil
      if query.isEmpty { return }
      select(typed.origin)
      return find(query, after: position(ofRow: typed.origin) - 1, forward: true)
    case .escape: return abandonSearch()
    default: return
    }
    search = typed
    select(typed.origin)
    if !typed.text.isEmpty, let found = match(typed.text, after: position(ofRow: row) - 1) {
      reveal(found)
    }
  }

  private mutating func abandonSearch() {
    if let search { select(search.origin) }
    search = nil
  }

  private mutating func findAgain(forward: Bool) {
    if query.isEmpty {
      message = "nothing to search for: / begins a search"
    } else {
      let here = position(ofRow: row)
      find(query, after: forward && item == nil ? here - 1 : here, forward: forward)
    }
  }

  private mutating func find(_ text: String, after position: Int, forward: Bool) {
    guard let found = match(text, after: position, forward: forward) else {
      message = "no name contains '\(text.escapingControls)'"
      return
    }
    if forward ? found <= position : found >= position { message = "search wrapped" }
    reveal(found)
  }

  private func match(_ text: String, after position: Int, forward: Bool = true) -> Int? {
    let pattern = NameSearch(text)
    return next(after: position, forward: forward) { pattern.matches(content.items.names[$0]) }
  }

  private mutating func nextDifference(forward: Bool) {
    guard content.isComparison else {
      message = "one file is open: ckpt browse A B shows differences"
      return
    }
    let here = position(ofRow: row)
    let start = forward && item == nil ? here - 1 : here
    let found = next(after: start, forward: forward) { marks[$0].isDifference }
    guard let found else {
      message =
        pending > 0
        ? "no difference so far: \(pending.pluralized("tensor")) left to compare"
        : "the tensors do not differ"
      return
    }
    if forward ? found <= start : found >= start { message = "wrapped to the first difference" }
    reveal(found)
  }

  /// The first tensor in a row's group, or the tensor itself.
  private func position(ofRow row: Int) -> Int { tree.node(at: row).items.first ?? 0 }

  /// The next tensor in the files' order that is wanted, from the other end if none is left.
  private func next(after position: Int, forward: Bool, where isWanted: (Int) -> Bool) -> Int? {
    let count = content.items.count
    if count == 0 { return nil }
    for step in 1...count {
      let index = (position + (forward ? step : -step) % count + count) % count
      if isWanted(index) { return index }
    }
    return nil
  }
}

/// Looks for a text in names; small letters stand for capitals as well.
struct NameSearch {
  private let wanted: [UInt8]
  private let isExact: Bool

  init(_ text: String) {
    wanted = Array(text.utf8)
    isExact = wanted.contains { (0x41...0x5a).contains($0) }
  }

  /// Whether a name contains the text.
  func matches(_ name: TensorName) -> Bool {
    let bytes = name.text.utf8Span.span
    guard wanted.count <= bytes.count else { return false }
    if wanted.isEmpty { return true }
    for start in 0...bytes.count - wanted.count {
      var length = 0
      while length < wanted.count, folded(bytes[start + length]) == wanted[length] { length += 1 }
      if length == wanted.count { return true }
    }
    return false
  }

  private func folded(_ byte: UInt8) -> UInt8 {
    !isExact && (0x41...0x5a).contains(byte) ? byte | 0x20 : byte
  }
}
