import CheckpointKit

/// The right pane: what is known of the selected row.
struct DetailPane {
  private let state: BrowserState
  private let columns: Int

  /// Lines before the values where nothing else is shown.
  static let valueHead = 3
  /// Rows of values after the figures.
  static let previewRows = 8

  init(_ state: BrowserState) {
    self.state = state
    columns = BrowserLayout(state).detailColumns
  }

  /// All lines, of which the screen shows as many as it has room for.
  var lines: [ScreenLine] {
    guard let index = state.item else { return group }
    let item = state.content.items[index]
    if state.view == .values {
      return Array(heading(item).prefix(2)) + [ScreenLine()] + ValuePane(state, columns).lines
    }
    var lines = heading(item) + remarks(item)
    lines.append(ScreenLine())
    lines += FigurePane(state, columns).lines
    let values = ValuePane(state, columns).lines
    if !values.isEmpty { lines += [ScreenLine()] + values }
    return lines
  }

  /// Name, and type and shape in each file.
  private func heading(_ item: BrowserItem) -> [ScreenLine] {
    var lines = [ScreenLine(item.name.text.escapingControls.withoutMiddle(fitting: columns), .bold)]
    let infos = [item.first?.info, item.second?.info].compactMap { $0 }
    if infos.count == 2, infos[0] != infos[1] {
      lines.append(
        ScreenLine(
          infos.map { "\($0.dtype.rawValue) \($0.shape.listText)" }.joined(separator: " → "),
          .color(.cyan)))
    } else if let info = infos.first {
      let elements = info.elementCount.pluralized("element")
      lines.append(
        ScreenLine(
          "\(info.dtype.rawValue) \(info.shape.listText), \(elements), \(info.byteCount.byteText)"))
    }
    return lines
  }

  private func remarks(_ item: BrowserItem) -> [ScreenLine] {
    var lines: [ScreenLine] = []
    if let label = state.content.labels[TensorName(item.name.parentAndLeaf.parent)] {
      lines += text("in \(Self.text(of: label))", .dim)
    }
    let names = state.content.files.map(\.name)
    switch (item.first, item.second) {
    case (nil, .some): lines += text("only in \(names[names.count - 1])", .color(.green))
    case (.some, nil) where state.content.isComparison:
      lines += text("only in \(names[0])", .color(.red))
    case (let first?, let second?) where first.name != second.name:
      lines += text("called \(second.name.text.escapingControls) in the second", .dim)
    default: break
    }
    if let entry = item.shown {
      if let alias = entry.alias { lines += text("tied to \(alias.text.escapingControls)", .dim) }
      if let remark = entry.remark { lines += text(remark.escapingControls, .dim) }
    }
    return lines
  }

  /// A group or the file: what is inside.
  private var group: [ScreenLine] {
    let node = state.tree.node(at: state.row)
    let path = state.tree.path(at: state.row)
    var lines: [ScreenLine] = []
    if state.row == 0 {
      for file in state.content.files {
        lines += text(file.name, .bold) + text(file.format, .plain)
        for remark in file.remarks { lines += text(remark, .dim) }
      }
      lines.append(ScreenLine())
    } else {
      lines.append(ScreenLine(path.text.escapingControls.withoutMiddle(fitting: columns), .bold))
      if let label = state.content.labels[path] { lines += text(Self.text(of: label), .plain) }
    }
    let tally = BrowserTally(node.items, in: state.content.items)
    let counts = [
      node.items.count.pluralized("tensor"), tally.elements.pluralized("element"),
      tally.bytes.byteText,
    ]
    lines += text(counts.joined(separator: ", "), .plain)
    let types = tally.types.map { "\($0.dtype.rawValue) \($0.count.grouped)" }
    lines += text(types.joined(separator: ", "), .dim)
    if state.content.isComparison { lines += [ScreenLine()] + comparison(node) }
    return lines
  }

  private func comparison(_ node: BrowserTree.Node) -> [ScreenLine] {
    var counts: [BrowserMark: Int] = [:]
    for item in node.items { counts[state.marks[item], default: 0] += 1 }
    return BrowserMark.allCases.compactMap { mark in
      guard let count = counts[mark] else { return nil }
      let number = count.grouped
      let padding = String(repeating: " ", count: max(9 - number.count, 0))
      let word = mark == .unknown ? "not compared yet" : "\(mark)"
      return ScreenLine("\(padding)\(number)  \(word)", mark.style)
    }
  }

  private static func text(of label: ModuleLabel) -> String {
    let arguments = label.arguments.split(separator: "\n").joined(separator: " ")
    return "\(label.kind)(\(arguments))".escapingControls
  }

  /// Text over as many lines as it needs, up to four.
  private func text(_ text: String, _ style: TextStyle) -> [ScreenLine] {
    ScreenLine.wrapped(text, to: columns, limit: 4, style)
  }
}

extension ScreenLine {
  /// Lines of whole words, at most `limit`, the last of which is cut.
  static func wrapped(
    _ text: String, to columns: Int, limit: Int, _ style: TextStyle
  ) -> [ScreenLine] {
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ", omittingEmptySubsequences: false) {
      let longer = line.isEmpty ? String(word) : line + " " + word
      if longer.shownWidth > columns, !line.isEmpty, lines.count < limit - 1 {
        lines.append(line)
        line = String(word)
      } else {
        line = longer
      }
    }
    return (lines + [line]).map { ScreenLine($0.withoutEnd(fitting: columns), style) }
  }
}
