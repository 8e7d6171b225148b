/// Rows of text, aligned in columns two spaces apart.
struct Table {
  /// How a column stands.
  enum Alignment { case left, right }

  private let alignments: [Alignment]
  private var rows: [[String]] = []

  init(_ alignments: Alignment...) { self.alignments = alignments }

  mutating func add(_ cells: String...) { rows.append(cells) }

  /// The lines, without spaces at their ends.
  ///
  /// Widths count characters as a terminal shows them, colours not.
  var lines: [String] {
    let widths = alignments.indices.map { column in rows.map { $0[column].shownWidth }.max() ?? 0 }
    return rows.map { row in
      var line = ""
      for (column, cell) in row.enumerated() {
        let padding = String(repeating: " ", count: widths[column] - cell.shownWidth)
        line +=
          (column > 0 ? "  " : "")
          + (alignments[column] == .right ? padding + cell : cell + padding)
      }
      while line.hasSuffix(" ") { line.removeLast() }
      return line
    }
  }
}

extension String {
  /// Characters without the escape sequences of ``Style``.
  fileprivate var shownWidth: Int {
    if utf8.allSatisfy({ (0x20..<0x7f).contains($0) }) { return utf8.count }
    guard contains("\u{1b}") else { return count }
    var width = 0
    var isEscape = false
    for character in self {
      if character == "\u{1b}" { isEscape = true }
      if !isEscape { width += 1 }
      if isEscape && character == "m" { isEscape = false }
    }
    return width
  }
}

extension Int {
  /// With thin groups of three: `25,557,032`.
  var grouped: String {
    var text = ""
    for (index, digit) in String(magnitude).reversed().enumerated() {
      if index > 0 && index % 3 == 0 { text.append(",") }
      text.append(digit)
    }
    return (self < 0 ? "-" : "") + String(text.reversed())
  }

  /// With a noun: `1 tensor`, `320 tensors`.
  func counted(_ noun: String) -> String { "\(grouped) \(noun)\(self == 1 ? "" : "s")" }

  /// As a size in bytes: `97.8 MiB`.
  var byteText: String {
    if self < 1024 { return "\(self) B" }
    var value = Double(self) / 1024
    for unit in ["KiB", "MiB", "GiB", "TiB"] {
      if value < 1023.95 { return "\(value.rounded(toPlaces: 1)) \(unit)" }
      value /= 1024
    }
    return "\(value.rounded(toPlaces: 1)) PiB"
  }
}

extension Double {
  func rounded(toPlaces places: Int) -> Double {
    let scale = (0..<places).reduce(1.0) { scale, _ in scale * 10 }
    return (self * scale).rounded() / scale
  }

  /// Four significant digits as C's `%.4g` has them, for reports; `show` prints values in full.
  var short: String {
    guard isFinite else { return description }
    guard self != 0 else { return "0" }
    var scale = 1.0
    var exponent = 0
    while abs(self) / scale >= 10 { (scale, exponent) = (scale * 10, exponent + 1) }
    while abs(self) / scale < 1 && exponent > -320 {
      (scale, exponent) = (scale / 10, exponent - 1)
    }
    guard !(-4..<6).contains(exponent) else {
      return rounded(toPlaces: Swift.max(3 - exponent, 0)).withoutFraction
    }
    return "\((self / scale).rounded(toPlaces: 3).withoutFraction)e\(exponent)"
  }

  /// The description, of a whole number without `.0`.
  private var withoutFraction: String {
    let text = description
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }
}
