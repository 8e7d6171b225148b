import CheckpointKit

/// Where things stand on the screen.
struct BrowserLayout {
  private let state: BrowserState
  /// Rows between the title and the keys.
  let bodyRows: Int
  /// Columns of the tree; 0 if it is not shown.
  let treeColumns: Int
  /// Columns of the right pane, the line before it left out; 0 if it is not shown.
  let detailColumns: Int

  /// Narrower terminals show one pane at a time.
  static let minTwoPanes = 60
  /// Smaller terminals show nothing but a sentence.
  static let smallest = ScreenSize(rows: 4, columns: 16)

  init(_ state: BrowserState) {
    self.state = state
    let columns = state.size.columns
    bodyRows = max(state.size.rows - 2, 0)
    if columns < Self.minTwoPanes {
      treeColumns = state.pane == .tree ? columns : 0
      detailColumns = state.pane == .tree ? 0 : columns
    } else {
      treeColumns = min(max(columns * 2 / 5, 28), 64)
      detailColumns = columns - treeColumns - 3
    }
  }

  /// Whether the terminal is large enough.
  var isUsable: Bool {
    state.size.rows >= Self.smallest.rows && state.size.columns >= Self.smallest.columns
  }

  /// How the selected tensor's values are laid out; `nil` if no tensor is selected, or none of its values is
  /// shown.
  var grid: ValueGrid? {
    guard let item = state.item, detailColumns > 0 else { return nil }
    return ValueGrid(state.content.items.info(item), width: detailColumns)
  }

  /// The values that are visible, whether they are known or not.
  var valueRequest: ValueRequest? {
    guard let item = state.item, let grid, grid.rowCount > 0 else { return nil }
    let rows: Range<Int>
    switch state.view {
    case .values:
      let first = min(state.valueRow, grid.rowCount - 1)
      rows = first..<min(first + max(bodyRows - DetailPane.valueHead, 1), grid.rowCount)
    case .summary: rows = 0..<min(DetailPane.previewRows, grid.rowCount)
    }
    let first = state.view == .values ? min(state.valueColumn, grid.pitch - 1) : 0
    let columns = first..<min(first + grid.shownColumns, grid.pitch)
    return ValueRequest(item: item, pitch: grid.pitch, rows: rows, columns: columns)
  }
}
