import CheckpointKit

/// The steps of a pack, as `ls` prints them.
extension RunPack {
  private struct Report: Encodable {
    struct Step: Encodable {
      let step: Int
      let name: String
      let tensors: Int
      let bytes: Int
      let storedBytes: Int
      let values: [ValueListing.Row]
    }
    let file: String
    let steps: [Step]
    let unfinishedBytes: Int
  }

  /// Columns of a terminal that are kept for a step's values.
  private static let valueWidth = 40

  /// Prints a line for each step, then a total.
  func list(_ path: String, isJSON: Bool, to output: inout StandardOutput) throws {
    var rows: [Report.Step] = []
    for (number, step) in steps.enumerated() {
      let checkpoint = try checkpoint(number)
      let entries = checkpoint.entries.filter { $0.alias == nil }
      var values: [ValueListing.Row] = []
      for named in checkpoint.ownValues where named.value.leafCount == 1 {
        if named.value.isNumber { values += ValueListing.rows(named) }
      }
      rows.append(
        Report.Step(
          step: number, name: step.name, tensors: checkpoint.entries.count,
          bytes: entries.map(\.info.byteCount).saturatedSum(), storedBytes: step.storedByteCount,
          values: values))
    }
    if isJSON {
      try output.line(
        try jsonText(Report(file: path, steps: rows, unfinishedBytes: unfinishedByteCount)))
    } else {
      var table = FittedTable([
        .init("", .right), .init(isFlexible: true), .init("", .right, rank: 1), .init("", .right),
        .init(isFlexible: true),
      ])
      for row in rows {
        table.add([
          "@\(row.step)", row.name.escapingControls, row.tensors.pluralized("tensor"),
          "\(row.bytes.byteText) in \(row.storedBytes.byteText)", Self.text(row.values),
        ])
      }
      for line in table.lines(fitting: Terminal.columns) { try output.line(line) }
      let (bytes, stored) = (rows.map(\.bytes), rows.map(\.storedBytes))
      try output.line(
        "\(rows.count.pluralized("checkpoint")), \(bytes.saturatedSum().byteText) in "
          + "\(stored.saturatedSum().byteText), pack")
      if unfinishedByteCount > 0 {
        try output.line("\(unfinishedByteCount.byteCountText) at the end were never finished")
      }
    }
  }

  /// `epoch 3, loss 0.25`, as many as there is room for.
  private static func text(_ values: [ValueListing.Row]) -> String {
    var text = ""
    for row in values {
      let item = "\(row.address.escapingControls) \(row.value.brief)"
      let longer = text.isEmpty ? item : text + ", " + item
      if longer.shownWidth > valueWidth { break }
      text = longer
    }
    return text
  }
}

extension Value {
  /// The value, a real number in four digits.
  fileprivate var brief: String {
    if case .real(let number) = self { number.short } else { shortText(limit: 24) }
  }

  /// Whether it is a single number.
  fileprivate var isNumber: Bool {
    switch self {
    case .integer, .real: true
    default: false
    }
  }
}

extension ValueListing {
  fileprivate static func rows(_ named: Checkpoint.Named) -> [Row] {
    [Row(address: named.name, type: named.value.kind.rawValue, value: named.value)]
  }
}
