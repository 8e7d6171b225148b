import CheckpointKit

/// Tensors by the dotted parts of their names; the children of a group are made when it is first opened, so that the
/// first screen of a large file does not wait for them.
struct BrowserTree: Sendable {
  /// A group of tensors, or one tensor.
  struct Node: Sendable {
    /// The part of the name that the row shows.
    let label: String
    let parent: Int?
    /// 0 for the root, which stands for the file.
    let depth: Int
    /// Indices of the tensors inside, in order; of a tensor its own.
    let items: [Int]
    let isTensor: Bool
    /// Bytes of UTF-8 that the names inside share, the dot after them included.
    fileprivate let prefixLength: Int
    fileprivate var children: [Int]?
    fileprivate(set) var isOpen = false
  }

  private let names: [TensorName]
  private(set) var nodes: [Node]
  /// The nodes that are shown, from top to bottom.
  private(set) var rows: [Int] = [0]

  /// Opens the root, and what is inside as long as it is a single group.
  init(_ names: [TensorName], title: String) {
    self.names = names
    nodes = [
      Node(
        label: title, parent: nil, depth: 0, items: Array(names.indices), isTensor: false,
        prefixLength: 0)
    ]
    open(row: 0)
    while rows.count > 1, rows.count == nodes[rows[rows.count - 1]].depth + 1,
      !nodes[rows[rows.count - 1]].isTensor
    {
      open(row: rows.count - 1)
    }
  }

  /// The node of a row.
  func node(at row: Int) -> Node { nodes[rows[row]] }

  /// The dotted name of the module or tensor in a row; empty for the root.
  func path(at row: Int) -> TensorName {
    let node = node(at: row)
    guard let first = node.items.first, node.depth > 0 else { return "" }
    if node.isTensor { return names[first] }
    let text = names[first].text
    return TensorName(
      String(text[..<text.utf8.index(text.startIndex, offsetBy: node.prefixLength - 1)]))
  }

  /// Shows what is inside a group.
  mutating func open(row: Int) {
    let id = rows[row]
    guard !nodes[id].isTensor, !nodes[id].isOpen else { return }
    nodes[id].isOpen = true
    rows.insert(contentsOf: shownInside(id), at: row + 1)
  }

  /// Hides what is inside a group; the root stays open.
  mutating func close(row: Int) {
    guard row > 0, nodes[rows[row]].isOpen else { return }
    nodes[rows[row]].isOpen = false
    rows.removeSubrange(row + 1..<end(ofRow: row))
  }

  /// The row of the group that a row is inside of; `nil` for the root.
  func parent(ofRow row: Int) -> Int? {
    guard let parent = node(at: row).parent else { return nil }
    return rows[..<row].lastIndex(of: parent)
  }

  /// The row of a tensor, after all groups around it are opened.
  mutating func reveal(_ item: Int) -> Int {
    var row = 0
    while !nodes[rows[row]].isTensor {
      open(row: row)
      let id = rows[row]
      let next = (nodes[id].children ?? []).first { nodes[$0].contains(item) }
      guard let next, let found = rows[row...].firstIndex(of: next) else { return row }
      row = found
    }
    return row
  }

  /// The first row after those inside a row.
  private func end(ofRow row: Int) -> Int {
    let depth = node(at: row).depth
    return rows[(row + 1)...].firstIndex { nodes[$0].depth <= depth } ?? rows.count
  }

  /// The nodes to show inside of one, those of open groups included.
  private mutating func shownInside(_ id: Int) -> [Int] {
    var shown: [Int] = []
    var pending = [id]
    while let next = pending.popLast() {
      if next != id { shown.append(next) }
      if nodes[next].isOpen { pending += children(of: next).reversed() }
    }
    return shown
  }

  private mutating func children(of id: Int) -> [Int] {
    if let known = nodes[id].children { return known }
    let (node, start) = (nodes[id], nodes[id].prefixLength)
    var parts: [(label: String, items: [Int], length: Int?)] = []
    var groups: [TensorName: Int] = [:]
    // Names of one group mostly stand together, and are not looked up one by one.
    var last: (index: Int, item: Int)?
    for item in node.items {
      if let last, let end = parts[last.index].length,
        isInside(item, of: last.item, from: start, to: end)
      {
        parts[last.index].items.append(item)
        continue
      }
      let text = names[item].text
      let from = text.utf8.index(text.startIndex, offsetBy: start)
      guard let dot = text.utf8[from...].firstIndex(of: UInt8(ascii: ".")) else {
        parts.append((String(text[from...]), [item], nil))
        continue
      }
      let label = TensorName(String(text[from..<dot]))
      let index = groups[label] ?? parts.count
      if index == parts.count {
        groups[label] = index
        parts.append((label.text, [], start + label.text.utf8.count + 1))
      }
      parts[index].items.append(item)
      last = (index, item)
    }
    let first = nodes.count
    nodes += parts.map { part in
      Node(
        label: part.label, parent: id, depth: node.depth + 1, items: part.items,
        isTensor: part.length == nil, prefixLength: part.length ?? 0)
    }
    let made = Array(first..<nodes.count)
    nodes[id].children = made
    return made
  }

  /// Whether a name has the same bytes as another, of which the last is a dot.
  private func isInside(_ item: Int, of other: Int, from start: Int, to end: Int) -> Bool {
    let (text, otherText) = (names[item].text, names[other].text)
    let (name, otherName) = (text.utf8Span.span, otherText.utf8Span.span)
    guard name.count >= end else { return false }
    for index in start..<end where name[index] != otherName[index] { return false }
    return true
  }
}

extension BrowserTree.Node {
  /// Whether a tensor is inside; indices ascend.
  fileprivate func contains(_ item: Int) -> Bool {
    var (low, high) = (0, items.count)
    while low < high {
      let middle = (low + high) / 2
      if items[middle] < item { low = middle + 1 } else { high = middle }
    }
    return low < items.count && items[low] == item
  }
}
