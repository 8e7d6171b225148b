import CheckpointKit

/// Rows and columns of a terminal.
struct ScreenSize: Equatable, Sendable {
  var rows: Int
  var columns: Int
}

/// All that the browser shows depends on: its screen is a function of it, and it changes with keys and with
/// what was read, never by itself.
struct BrowserState {
  /// What has the keys.
  enum Pane { case tree, details }
  /// What the right pane shows of a tensor.
  enum DetailView { case summary, values }

  /// A search that is being typed.
  struct Search {
    var text = ""
    /// The row that it began in, to which an abandoned search returns.
    let origin: Int
  }

  let content: BrowserContent
  var size: ScreenSize
  var tree: BrowserTree
  /// What is known of each tensor.
  private(set) var marks: [BrowserMark]
  /// The selected row, and the first one that is visible.
  private(set) var (row, top) = (0, 0)
  var pane = Pane.tree
  var view = DetailView.summary
  /// Lines of the right pane that have been scrolled away.
  var detailTop = 0
  /// The first row and the first column of the values that are visible.
  var (valueRow, valueColumn) = (0, 0)
  var search: Search?
  /// What the last search looked for.
  var query = ""
  var showsHelp = false
  /// Replaces the keys in the last line until the next key.
  var message: String?
  private(set) var measured: [Int: BrowserMeasurement] = [:]
  /// How much of the tensor being measured has been read, 0 to 1.
  private(set) var progress = 0.0
  private(set) var values: ValueBlock?
  /// How many pairs are still to be compared.
  private(set) var pending: Int

  /// Measurements that are kept for those who go back.
  private static let maxMeasured = 1000

  init(_ content: BrowserContent, size: ScreenSize) {
    self.content = content
    self.size = size
    let title = content.files.map(\.name).joined(separator: " → ")
    tree = BrowserTree(content.items.names, title: title)
    marks = content.outlooks
    pending = marks.count { $0 == .unknown }
  }

  /// The selected tensor; `nil` if a group is selected.
  var item: Int? {
    let node = tree.node(at: row)
    return node.isTensor ? node.items.first : nil
  }

  /// Selects a row and scrolls as little as makes it visible.
  mutating func select(_ target: Int) {
    let old = item
    row = min(max(target, 0), tree.rows.count - 1)
    if item != old || item == nil {
      (detailTop, valueRow, valueColumn, values, progress) = (0, 0, 0, nil, 0)
    }
    scroll()
  }

  /// Selects a tensor, and opens the groups that it is inside of.
  mutating func reveal(_ item: Int) { select(tree.reveal(item)) }

  /// Keeps the selected row visible.
  mutating func scroll() {
    let height = max(BrowserLayout(self).bodyRows, 1)
    if row < top { top = row }
    if row >= top + height { top = row - height + 1 }
    top = max(min(top, tree.rows.count - height), 0)
  }

  /// Takes the terminal's new size.
  mutating func resize(to new: ScreenSize) {
    size = new
    values = nil
    scroll()
  }
}

/// What was read in the background.
enum BrowserEvent: Sendable {
  case measured(Int, BrowserMeasurement)
  case progress(Int, Double)
  case values(ValueBlock)
  case compared([(item: Int, mark: BrowserMark)])
}

extension BrowserState {
  /// Takes what was read; what nobody waits for any more changes nothing.
  mutating func apply(_ event: BrowserEvent) {
    switch event {
    case .measured(let item, let measurement):
      if measured.count >= Self.maxMeasured { measured = [:] }
      measured[item] = measurement
      progress = 0
    case .progress(let item, let share):
      if item == self.item { progress = share }
    case .values(let block):
      if block.request.item == item { values = block }
    case .compared(let found):
      for (item, mark) in found {
        if marks[item] == .unknown { pending -= 1 }
        marks[item] = mark
      }
    }
  }

  /// The tensor whose figures are shown and not known yet.
  var wantedMeasurement: Int? { item.flatMap { measured[$0] == nil ? $0 : nil } }

  /// The values that are visible and not read yet.
  var wantedValues: ValueRequest? {
    guard let request = BrowserLayout(self).valueRequest, values?.request != request else {
      return nil
    }
    return request
  }

  /// The pairs that are to be compared.
  var unknownPairs: [Int] { marks.indices.filter { marks[$0] == .unknown } }

  /// How many tensors of a group differ, and how many are not compared yet.
  func differences(in node: BrowserTree.Node) -> (differing: Int, unknown: Int) {
    var (differing, unknown) = (0, 0)
    for item in node.items {
      if marks[item].isDifference { differing += 1 }
      if marks[item] == .unknown { unknown += 1 }
    }
    return (differing, unknown)
  }
}
