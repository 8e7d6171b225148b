import CheckpointKit

/// Prints a slice as nested brackets, row by row, so that memory does not grow with the tensor.
struct SlicePrinter {
  let entry: Checkpoint.Entry
  let slice: TensorSlice
  let isFull: Bool
  /// Significant digits of real numbers; `nil` for as many as tell values apart.
  var precision: Int?
  /// What errors call the file.
  let path: String
  /// Columns that a line may take; `nil` for a line of each row.
  var columns: Int?

  /// More values than this are shortened, as NumPy and PyTorch do.
  private static let threshold = 1000
  /// Values kept at each end of a shortened dimension.
  private static let edge = 3
  /// Most values printed in short, enough for five shortened dimensions; of further dimensions, the
  /// outermost, only the first position is printed.
  private static let maxShown = 10_000
  /// Values read and printed at once.
  private static let batch = 4096

  func print(to output: inout StandardOutput, asJSON: Bool) throws {
    if isFull, slice.shape.elementCount == 0, rowCount > Budget.current.maxEmptyRows {
      throw CheckpointError(
        .unsupported, "has \(rowCount) empty rows; pass --allow-large to print them",
        path: path, tensor: entry.name.text)
    }
    try dimension(0, of: slice.ranges, shown: shown, asJSON: asJSON, to: &output)
  }

  /// Number of values, or of empty rows where one dimension has none, up to `Int.max`.
  private var rowCount: Int {
    slice.ranges.reduce(1) { product, axis in
      let (count, overflows) = product.multipliedReportingOverflow(by: max(axis.count, 1))
      return overflows ? .max : count
    }
  }

  /// The positions that are printed of every dimension.
  private var shown: [[Range<Int>]] {
    let counts = slice.ranges.map(\.count)
    if isFull || rowCount <= Self.threshold { return counts.map { [0..<$0] } }
    var total = 1
    let shown = counts.reversed().map { count -> [Range<Int>] in
      let isCut = count > 2 * Self.edge
      let added = isCut ? 2 * Self.edge : max(count, 1)
      if total * added > Self.maxShown { return [0..<1] }
      total *= added
      return isCut ? [0..<Self.edge, count - Self.edge..<count] : [0..<count]
    }
    return shown.reversed()
  }

  private func dimension(
    _ axis: Int, of positions: [TensorSlice.Positions], shown: [[Range<Int>]], asJSON: Bool,
    prefix: [Int] = [], to output: inout StandardOutput
  ) throws {
    guard axis < positions.count else {
      return try output.text(try texts(prefix, nil, 1, asJSON)[0])
    }
    let here = positions[axis]
    if here.isIndex {
      return try dimension(
        axis + 1, of: positions, shown: shown, asJSON: asJSON, prefix: prefix + [0], to: &output)
    }
    let isInnermost = !positions[(axis + 1)...].contains { !$0.isIndex }
    let depth = positions[..<axis].count { !$0.isIndex }
    let indent = String(repeating: " ", count: depth + 1)
    if isInnermost {
      var row = WrappedRow(indent: indent, columns: asJSON ? nil : columns)
      try output.text("[")
      for (part, range) in shown[axis].enumerated() {
        if part > 0 { try output.text(row.adding(["..."])) }
        for first in stride(from: range.lowerBound, to: range.upperBound, by: Self.batch) {
          let count = min(Self.batch, range.upperBound - first)
          try output.text(row.adding(try texts(prefix, first, count, asJSON)))
        }
      }
      if let last = shown[axis].last, last.upperBound < here.count {
        try output.text(row.adding(["..."]))
      }
      return try output.text("]")
    }
    let separator = ",\n" + indent
    try output.text("[")
    for (part, range) in shown[axis].enumerated() {
      if part > 0 { try output.text(separator + "...") }
      for position in range {
        if position > 0 { try output.text(separator) }
        try dimension(
          axis + 1, of: positions, shown: shown, asJSON: asJSON, prefix: prefix + [position],
          to: &output)
      }
    }
    if let last = shown[axis].last, last.upperBound < here.count {
      try output.text(separator + "...")
    }
    try output.text("]")
  }

  /// Texts of `count` values from `first` on along the last sliced dimension.
  private func texts(
    _ prefix: [Int], _ first: Int?, _ count: Int, _ asJSON: Bool
  ) throws -> [String] {
    var texts = try slice.elementTexts(of: entry, at: prefix, from: first, count: count)
    if let precision, entry.info.dtype.isFloatingPoint || entry.info.dtype.isComplex {
      texts = texts.map { $0.rounded(toDigits: precision) }
    }
    guard asJSON else { return texts }
    return texts.map { text in
      switch text {
      case "nan", "-nan": "\"NaN\""
      case "inf": "\"Infinity\""
      case "-inf": "\"-Infinity\""
      default: text.hasSuffix("j") ? "\"\(text)\"" : text
      }
    }
  }
}

/// The values of a row, separated by commas, and by ends of lines where a line has no place for the next.
private struct WrappedRow {
  let indent: String
  let columns: Int?
  private var column: Int
  private var isEmpty = true

  init(indent: String, columns: Int?) {
    (self.indent, self.columns, column) = (indent, columns, indent.utf8.count)
  }

  /// What is printed to add values, all of them ASCII; in a row of several lines they stand in columns.
  mutating func adding(_ values: [String]) -> String {
    let size = ([column] + values.map { $0.utf8.count + 2 }).saturatedSum()
    let isLong = columns.map { size > $0 } ?? false
    let width = isLong ? values.lazy.map(\.utf8.count).max() ?? 0 : 0
    var text = ""
    for value in values {
      let value = String(repeating: " ", count: max(width - value.utf8.count, 0)) + value
      if !isEmpty { text += "," }
      // A comma, or a bracket of each dimension, follows the value.
      if let columns, !isEmpty, column + 1 + value.utf8.count + indent.utf8.count > columns {
        text += "\n" + indent
        column = indent.utf8.count
      } else if !isEmpty {
        text += " "
        column += 1
      }
      text += value
      column += value.utf8.count + 1
      isEmpty = false
    }
    return text
  }
}
