import CheckpointKit

/// A long table: cells are kept as bytes until the widths of all columns are known.
///
/// Making each cell once, without a `String` of its own, is most of what listing many tensors costs.
struct AlignedRows {
  private let alignments: [Columns.Alignment]
  private var widths: [Int]
  private var bytes: [UInt8] = []
  /// Where each cell ends in the bytes, and how many columns of a terminal it takes.
  private var cells: [(end: Int, width: Int)] = []

  init(_ alignments: Columns.Alignment...) {
    self.alignments = alignments
    widths = alignments.map { _ in 0 }
  }

  /// Adds a cell, the next one of its row.
  mutating func add(_ text: String) {
    bytes.append(contentsOf: text.utf8)
    end(width: text.shownWidth)
  }

  /// Adds a shape: `[64, 3, 7, 7]`.
  mutating func add(_ shape: Shape) {
    let start = bytes.count
    bytes.append(UInt8(ascii: "["))
    for (index, size) in shape.sizes.enumerated() {
      if index > 0 { bytes.append(contentsOf: ", ".utf8) }
      append(size, inGroups: false)
    }
    bytes.append(UInt8(ascii: "]"))
    end(width: bytes.count - start)
  }

  /// Adds a number of 0 or more in groups of three digits: `25,557,032`.
  mutating func add(_ number: Int) {
    let start = bytes.count
    append(number, inGroups: true)
    end(width: bytes.count - start)
  }

  private mutating func append(_ number: Int, inGroups: Bool) {
    let start = bytes.count
    var (rest, digits) = (number, 0)
    repeat {
      if inGroups, digits > 0, digits % 3 == 0 { bytes.append(UInt8(ascii: ",")) }
      bytes.append(UInt8(ascii: "0") + UInt8(rest % 10))
      (rest, digits) = (rest / 10, digits + 1)
    } while rest > 0
    bytes[start...].reverse()
  }

  private mutating func end(width: Int) {
    let column = cells.count % widths.count
    if width <= Columns.maxWidth, width > widths[column] { widths[column] = width }
    cells.append((bytes.count, width))
  }

  /// Prints a line per row, without spaces at its end.
  func print(to output: inout StandardOutput) throws {
    var line: [UInt8] = []
    var (start, pending) = (0, 0)
    for (index, cell) in cells.enumerated() {
      let column = index % widths.count
      let padding = max(widths[column] - cell.width, 0)
      if alignments[column] == .right { pending += padding }
      if cell.end > start {
        for _ in 0..<pending { line.append(UInt8(ascii: " ")) }
        line.append(contentsOf: bytes[start..<cell.end])
        (start, pending) = (cell.end, 0)
      }
      pending += 2 + (alignments[column] == .left ? padding : 0)
      guard column == widths.count - 1 else { continue }
      while line.last == UInt8(ascii: " ") { line.removeLast() }
      try output.line(line)
      line.removeAll(keepingCapacity: true)
      pending = 0
    }
  }
}
