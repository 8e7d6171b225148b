import CheckpointKit

/// What a checkpoint holds besides tensors, as `ls` and `show` print it.
struct ValueListing {
  /// A value that is shown on one line.
  struct Row: Encodable {
    let address: String
    let type: String
    let value: Value
  }

  private let values: [Checkpoint.Named]
  private static let width = Terminal.columns ?? 80
  private static let ending = "; --values lists them"

  /// Lists a checkpoint's own values, not this project's notes about it.
  init(_ checkpoint: Checkpoint) { values = checkpoint.ownValues.filter { !$0.value.isSkeleton } }

  /// Lists what one value holds, with addresses inside it.
  init(_ value: Value) {
    values =
      switch value {
      case .dictionary(let members), .opaque(_, let members):
        members.map { Checkpoint.Named($0.name, $0.value) }
      case .list(let elements), .tuple(let elements):
        elements.enumerated().map { Checkpoint.Named(String($0), $1) }
      default: []
      }
  }

  /// Number of values that are shown on one line each.
  var count: Int { values.lazy.map(\.value.leafCount).saturatedSum() }

  /// `also holds: epoch, optimizer (12 values); --values lists them`; `nil` if there is nothing.
  var summary: String? {
    if values.isEmpty { return nil }
    var line = "also holds: "
    for (index, named) in values.enumerated() {
      let count = named.value.leafCount
      let name = named.name.escapingControls
      let item =
        (index > 0 ? ", " : "") + (count == 1 ? name : "\(name) (\(count.pluralized("value")))")
      let rest = " and \((values.count - index).grouped) more"
      let isLast = index == values.count - 1
      let needed = line.shownWidth + item.shownWidth + (isLast ? 0 : rest.count) + Self.ending.count
      if needed > Self.width, index > 0 { return line + rest + Self.ending }
      line += item
    }
    return line + Self.ending
  }

  /// Calls `body` with each value that is shown on one line.
  func forEachRow(_ body: (Row) throws -> Void) rethrows {
    for named in values {
      try named.value.forEachLeaf(at: named.name) { address, value in
        try body(Row(address: address, type: value.kind.rawValue, value: value))
      }
    }
  }

  /// Prints a line per value: address, type, and the value, cut to the line if `isShort`.
  func print(to output: inout StandardOutput, isShort: Bool) throws {
    var columns = Columns([.left, .left, .left])
    func address(_ row: Row) -> String {
      let text = row.address.escapingControls
      return isShort ? Terminal.columns.map { text.withoutMiddle(fitting: $0 / 2) } ?? text : text
    }
    forEachRow { columns.measure([address($0), $0.type, ""]) }
    try forEachRow { row in
      var cells = [address(row), row.type, ""]
      // What is left of the line, but enough to recognize the value.
      let used = max(columns.line([cells[0], cells[1], "."]).shownWidth - 1, 0)
      let room = isShort ? max(Self.width - used, 16) : Int.max / 8
      cells[2] = row.value.shortText(limit: room)
      let line = columns.line(cells)
      try output.line(isShort ? line.fittingTerminal : line)
    }
  }
}
