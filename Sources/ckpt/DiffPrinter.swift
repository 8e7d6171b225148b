import CheckpointKit

/// A comparison as text: the answer, then what was renamed, then a line per tensor or module.
struct DiffPrinter {
  let diff: CheckpointDiff
  let values: ValueDiff
  let first: String
  let second: String
  let view: DiffViewOptions
  let hasTolerance: Bool

  /// Renamings that are listed on a terminal.
  private static let maxRenamings = 6
  /// Lines of the list that are shown on however small a terminal.
  private static let minRows = 8

  var lines: [String] {
    let answer = diff.answer(values: values)
    var lines = answerLines(answer)
    if view.depth == 0 { return lines }
    let renamings = renamingLines
    let ties = tieLines
    let used = lines.count + renamings.count + ties.count + 3
    lines += renamings
    let (rows, omitted) = rows(leaving: used)
    lines += view.stat ? bars(rows) : table(rows)
    if omitted > 0 {
      let hint = view.top == nil ? "; --sort rel shows the largest first, --all everything" : ""
      lines.append("… and \(omitted.pluralized("more line"))\(hint)".fittingTerminal)
    }
    return lines + ties
  }

  private func answerLines(_ answer: DiffAnswer) -> [String] {
    let lines = answer.clauses.wrapped(to: Terminal.columns)
    switch answer.verdict {
    case .identical: return lines.map(Style.green)
    default: return answer.nanTensorCount > 0 ? lines.map(Style.red) : lines.map(Style.bold)
    }
  }

  // MARK: - Rows

  private var tree: DiffTree { DiffTree(diff) }

  private func isShown(_ index: Int) -> Bool {
    let tensor = diff.tensors[index]
    if view.all { return true }
    return tensor.kind != .identical && !isListedAsRenamed(tensor)
  }

  private func isListedAsRenamed(_ tensor: CheckpointDiff.Change) -> Bool {
    tensor.kind == .renamed && tensor.newName != nil
  }

  private func rows(leaving used: Int) -> (rows: [Row], omitted: Int) {
    let tree = tree
    let room = Terminal.size.map { max($0.lines - used, Self.minRows) }
    let depth =
      view.depth ?? (view.all || view.top != nil ? nil : room)
      .map { tree.depth(fitting: $0, where: isShown) } ?? Int.max
    var rows = tree.rows(depth: depth, where: isShown).map { Row($0, tree, diff) }
    rows = sorted(rows)
    let isFree = view.all || view.depth != nil || view.stat
    guard let limit = view.top ?? (isFree ? nil : room), rows.count > limit else {
      return (rows, 0)
    }
    return (Array(rows.prefix(limit)), rows.count - limit)
  }

  private func sorted(_ rows: [Row]) -> [Row] {
    func key(_ row: Row) -> Double {
      // What is not a number is larger than all that are.
      func size(_ number: Double?) -> Double { number.map { $0.isNaN ? .infinity : $0 } ?? -1 }
      return switch view.sort {
      case .rel: size(row.difference?.relativeL2)
      case .abs: size(row.difference?.maxAbsolute)
      default: Double(row.elements)
      }
    }
    switch view.sort ?? (view.top == nil ? nil : .rel) {
    case nil: return rows
    case .name: return rows.sorted { TensorName($0.name) < TensorName($1.name) }
    case .rel, .abs, .size:
      return rows.enumerated().map { (key: key($0.element), place: $0.offset, row: $0.element) }
        .sorted { ($1.key, $0.place) < ($0.key, $1.place) }.map(\.row)
    }
  }

  // MARK: - Text

  private func table(_ rows: [Row]) -> [String] {
    var table = FittedTable([
      .init(), .init(isFlexible: true), .init("tensors", .right, rank: 1),
      .init(rank: 5), .init("changed", .right), .init("rel L2", .right),
      .init("max abs", .right, rank: 2), .init("cosine", .right, rank: 3),
      .init("flips", .right, rank: 4), .init(isFlexible: true),
    ])
    for row in rows { table.add(cells(row)) }
    let lines = table.lines(fitting: Terminal.columns)
    return lines.map { line in
      switch line.first {
      case "+": Style.green(line)
      case "-": Style.red(line)
      default: line
      }
    }
  }

  private func cells(_ row: Row) -> [String] {
    let found = row.difference.flatMap { $0.differingCount > 0 || row.isModule ? $0 : nil }
    let isMeasured = found.map { $0.maxAbsolute != nil && $0.differingCount > 0 } == true
    func shown(_ number: Double?) -> String { isMeasured ? number?.short ?? "-" : "" }
    let share =
      found.map { $0.differingCount > 0 } == true
      ? row.share.percent : ""
    return [
      row.mark, row.shownName, row.isModule ? "\(row.changed.grouped)/\(row.tensors.grouped)" : "",
      row.shape, share, shown(found?.relativeL2), shown(found?.maxAbsolute),
      isMeasured ? found?.cosine.map(\.cosineText) ?? "-" : "",
      isMeasured
        ? found.map { Double($0.signFlipCount) / Double(max($0.elementCount, 1)) }?.percent ?? ""
        : "",
      notes(row),
    ]
  }

  private func notes(_ row: Row) -> String {
    var notes = row.remarks
    if let found = row.difference {
      if found.differingCount == 0, !row.isModule, row.kind == .retyped {
        notes.append(hasTolerance ? "values within the tolerance" : "values equal")
      } else if row.kind == .retyped, found.isCast {
        notes.append("rounded")
      }
      notes += TensorDifference.specials(in: [found])
      if !row.isModule, let ulp = found.maxULP, found.differingCount > 0, !found.changesSpecials,
        ulp <= TensorDifference.maxShownULP || view.ulp
      {
        notes.append("max ULP \(ulp.grouped)")
      }
    }
    return notes.joined(separator: ", ")
  }

  private func bars(_ rows: [Row]) -> [String] {
    var table = FittedTable([
      .init(), .init(isFlexible: true), .init("", .right), .init(),
    ])
    for row in rows {
      let (differing, elements) = (row.differing, row.elements)
      let width = elements > 0 ? Int((Double(differing) / Double(elements) * 20).rounded(.up)) : 0
      table.add([
        row.mark, row.shownName, differing.grouped,
        "|" + String(repeating: "#", count: width) + String(repeating: ".", count: 20 - width)
          + "|",
      ])
    }
    return table.lines(fitting: Terminal.columns)
  }

  /// A line for each part of names that several tensors have another for, and for single ones.
  private var renamingLines: [String] {
    var table = FittedTable([.init(), .init(isFlexible: true), .init(rank: 1)])
    var rows: [[String]] = []
    let renamings = diff.renamings
    // The answer says it.
    if renamings.count == 1, renamings[0].tensors.count > 1 { return [] }
    for renaming in renamings {
      let tensors = renaming.tensors.map { diff.tensors[$0] }.filter(isListedAsRenamed)
      guard let one = tensors.first, let newName = one.newName else { continue }
      rows.append(
        tensors.count > 1
          ? [">", "\(tensors.count.pluralized("name")) \(renaming.text)", ""]
          : [
            ">", "\(one.name.text.escapingControls) → \(newName.text.escapingControls)",
            one.info.map { "\($0.dtype.rawValue) \($0.shape.listText)" } ?? "",
          ])
    }
    let limit = Terminal.size == nil || view.all ? Int.max : Self.maxRenamings
    for row in rows.prefix(limit) { table.add(row) }
    let more =
      rows.count > limit ? ["> … and \(rows.count - limit) more renamings; --all lists them"] : []
    return table.lines(fitting: Terminal.columns) + more
  }

  private var tieLines: [String] {
    var table = FittedTable([.init(), .init(isFlexible: true), .init(isFlexible: true)])
    for tie in diff.tied {
      table.add([
        "=", tie.name.text.escapingControls,
        "tied to \(tie.original.text.escapingControls) in \((tie.isInSecond ? second : first).escapingControls)",
      ])
    }
    return table.lines(fitting: Terminal.columns)
  }
}
