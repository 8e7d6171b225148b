import TensorCore

/// What a user pasted, as the plain text of a printed model.
///
/// Terminals, mail programs, web pages, and notebooks change a text that is copied. Three stages
/// undo that: characters (``characters(of:)``), prefixes that every line has
/// (``withoutLinePrefixes()``), and the search for the model among other text (``root()``).
/// Every byte keeps the place that it has in the user's own text, for errors.
struct PastedText {
  /// UTF-8 with `\n` line ends, and no blanks but spaces and tabs.
  var bytes: [UInt8] = []
  /// Where runs of bytes come from, ascending.
  private var marks: [(offset: Int, source: Int)] = []
  /// Places where a character of the user's text was replaced or left out, ascending: twice the
  /// offset of the byte before which one is missing, or, plus 1, of the byte that stands for one.
  private var changes: [Int] = []
  /// The user's text, of which line and column are told.
  let source: [UInt8]

  /// An empty text to be filled from `source`.
  init(from source: [UInt8]) { self.source = source }

  /// Adds bytes of the source as they are.
  mutating func copy(_ range: Range<Int>) {
    guard !range.isEmpty else { return }
    mark(range.lowerBound)
    bytes += source[range]
  }

  /// Adds a byte that stands for one of another kind; names must not contain such.
  mutating func append(_ byte: UInt8, for offset: Int, changes isChange: Bool) {
    mark(offset)
    if isChange { changes.append(2 * bytes.count + 1) }
    bytes.append(byte)
  }

  /// Notes that a character was left out.
  mutating func leaveOut() { changes.append(2 * bytes.count) }

  private mutating func mark(_ offset: Int) {
    if let last = marks.last, last.source + bytes.count - last.offset == offset { return }
    if marks.isEmpty, offset == 0 { return }
    marks.append((bytes.count, offset))
  }

  /// The text made of these ranges of it.
  func keeping(_ ranges: [Range<Int>]) -> PastedText {
    var kept = PastedText(from: source)
    kept.bytes.reserveCapacity(bytes.count)
    var (mark, change) = (0, 0)
    for range in ranges {
      while mark < marks.count, marks[mark].offset <= range.lowerBound { mark += 1 }
      kept.marks.append((kept.bytes.count, sourceOffset(range.lowerBound)))
      let shift = kept.bytes.count - range.lowerBound
      while mark < marks.count, marks[mark].offset < range.upperBound {
        kept.marks.append((marks[mark].offset + shift, marks[mark].source))
        mark += 1
      }
      while change < changes.count, changes[change] < 2 * range.lowerBound { change += 1 }
      while change < changes.count, changes[change] < 2 * range.upperBound {
        kept.changes.append(changes[change] + 2 * shift)
        change += 1
      }
      kept.bytes += bytes[range]
    }
    return kept
  }

  /// Whether a character within or at either end of the range was left out, or one within replaced.
  func isChanged(in range: Range<Int>) -> Bool {
    let index = changes.partitioningIndex { $0 >= 2 * range.lowerBound }
    return index < changes.count && changes[index] <= 2 * range.upperBound
  }

  /// Offset in the user's text.
  private func sourceOffset(_ offset: Int) -> Int {
    let index = marks.partitioningIndex { $0.offset > offset }
    return index == 0 ? offset : marks[index - 1].source + offset - marks[index - 1].offset
  }

  /// Line and column, from 1 and in bytes, that a byte has in the user's text.
  func position(of offset: Int) -> (line: Int, column: Int) {
    let end = min(sourceOffset(offset), source.count)
    var (line, start, index) = (1, 0, 0)
    while index < end {
      let isReturn = source[index] == UInt8(ascii: "\r")
      let isPair = isReturn && index + 1 < source.count && source[index + 1] == UInt8(ascii: "\n")
      if source[index] == UInt8(ascii: "\n") || (isReturn && !isPair) {
        line += 1
        start = index + 1
      }
      index += 1
    }
    return (line, end - start + 1)
  }

  /// Offset of the end of the line that holds a byte.
  func lineEnd(_ offset: Int) -> Int {
    var end = offset
    while end < bytes.count, bytes[end] != UInt8(ascii: "\n") { end += 1 }
    return end
  }

  /// Offset of the beginning of the line that holds a byte.
  func lineStart(_ offset: Int) -> Int {
    var start = offset
    while start > 0, bytes[start - 1] != UInt8(ascii: "\n") { start -= 1 }
    return start
  }

  /// Columns of white space before a byte if it is the first on its line, tabs going to multiples
  /// of 8; `nil` if it is not.
  func indent(_ offset: Int) -> Int? {
    var start = offset
    while start > 0, bytes[start - 1].isBlank { start -= 1 }
    guard start == 0 || bytes[start - 1] == UInt8(ascii: "\n") else { return nil }
    return bytes[start..<offset].columns
  }

  /// The first characters from a byte on in its line, for an error.
  func start(_ offset: Int) -> String {
    let end = min(lineEnd(offset), offset + 41)
    let text = String(decoding: bytes[offset..<min(end, offset + 40)], as: UTF8.self)
    return end > offset + 40 ? text + "…" : text
  }

  /// The bytes of a range as text.
  func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

  /// The first byte from `offset` on that is neither a blank nor, if `lines`, a line end.
  func skippingBlanks(_ offset: Int, lines: Bool) -> Int {
    var index = offset
    while index < bytes.count, bytes[index].isBlank || (lines && bytes[index] == 10) { index += 1 }
    return index
  }
}

extension UInt8 {
  /// Whether it is a space or a tab.
  var isBlank: Bool { self == UInt8(ascii: " ") || self == UInt8(ascii: "\t") }
  /// Whether it can be part of a Python identifier.
  var isWord: Bool { isDigit || isLetter || self >= 0x80 }
}

extension ArraySlice<UInt8> {
  /// Width of blanks, tabs going to multiples of 8.
  var columns: Int { reduce(0) { $1 == UInt8(ascii: "\t") ? ($0 / 8 + 1) * 8 : $0 + 1 } }
}
