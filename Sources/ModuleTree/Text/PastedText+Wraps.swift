extension PastedText {
  /// The third stage: the lines that a terminal or a mail program has wrapped, joined again.
  ///
  /// A printed line is whole when it opens a module, `(key): Name(`, or all that it opens is closed
  /// again; what else a model's lines hold is indented deeper than the model.
  func withoutWraps() -> PastedText {
    var lines: [Range<Int>] = []
    var (start, width) = (0, 0)
    while start < bytes.count {
      let line = start..<lineEnd(start)
      lines.append(line)
      width = max(width, line.count)
      start = line.upperBound + 1
    }
    var joined = self
    var kept: [Range<Int>] = []
    var (index, depth, isChanged) = (0, 0, false)
    /// Columns before the line that opened the model.
    var margin = 0
    while index < lines.count {
      let line = PrintedLine(bytes[lines[index]])
      if depth == 0 { margin = line.indent }
      let isInside = depth > 0 && line.indent > margin
      let wrapped = WrappedLine(line, of: lines, from: index, width, isInside ? margin : nil, self)
      for blank in wrapped.blanks { joined.bytes[blank] = UInt8(ascii: " ") }
      kept += wrapped.kept
      isChanged = isChanged || wrapped.kept.count > 1
      depth = max(depth + wrapped.line.depth, 0)
      index += wrapped.count
    }
    return isChanged ? joined.keeping(kept) : self
  }
}

/// A line with those that go on from it.
private struct WrappedLine {
  /// The whole of it.
  private(set) var line: PrintedLine
  /// Its parts of the text.
  private(set) var kept: [Range<Int>] = []
  /// Line ends that stand for the blank at which it was wrapped.
  private(set) var blanks: [Int] = []
  /// How many lines of the text it is made of.
  private(set) var count = 1

  /// Most lines that are looked at for a parenthesis that closes another.
  private static let maxLines = 20

  /// `margin` is that of the model which the line is inside of.
  init(
    _ first: PrintedLine, of lines: [Range<Int>], from index: Int, _ width: Int, _ margin: Int?,
    _ text: PastedText
  ) {
    line = first
    var (start, end) = (lines[index].lowerBound, lines[index].upperBound)
    while count <= Self.maxLines, index + count < lines.count {
      let next = lines[index + count]
      let isFull = lines[index + count - 1].count + 1 >= width
      guard Self.continues(line, next, isFull: isFull, margin, text) else { break }
      let body = next.lowerBound + text.bytes[next].prefix { $0.isBlank }.count
      kept.append(start..<line.end)
      if line.needsBlank(before: text.bytes[body..<next.upperBound], body > next.lowerBound) {
        blanks.append(end)
        kept.append(end..<end + 1)
      }
      line.append(text.bytes[body..<next.upperBound])
      (start, end) = (body, next.upperBound)
      count += 1
    }
    // What is never closed is another kind of text.
    if count > 1, line.state == .open {
      (line, kept, blanks, count) = (first, [], [], 1)
      (start, end) = (lines[index].lowerBound, lines[index].upperBound)
    }
    kept.append(start..<min(end + 1, text.bytes.count))
  }

  /// Whether a line goes on in the next one.
  private static func continues(
    _ line: PrintedLine, _ next: Range<Int>, isFull: Bool, _ margin: Int?, _ text: PastedText
  ) -> Bool {
    guard line.isModel, let first = text.bytes[next].firstIndex(where: { !$0.isBlank }) else {
      return false
    }
    let isChild = text.key(at: first).map {
      text.module(at: $0.body) != nil || text.isNone(at: $0.body) || text.isParameter(at: $0.body)
    }
    if isChild ?? false { return false }
    // A parenthesis that closes is the line's own only if others follow for what is around it.
    let closes = text.bytes[first] == UInt8(ascii: ")")
    let closesLine =
      isFull && (margin == nil || text.skippingBlanks(first + 1, lines: true) < text.bytes.count)
    switch line.state {
    case .named: return !closes && (isFull || line.endsInKey)
    case .open: return (!closes || closesLine) && text.layer(in: next) == nil
    case .whole:
      guard let margin, !closes, text.layer(in: next) == nil else { return false }
      // A full line may also have been wrapped before a blank.
      let most = isFull ? margin + 1 : margin
      return line.endsInComma || text.bytes[next.lowerBound..<first].columns <= most
    }
  }
}

/// How far a line of a printed model has come.
private struct PrintedLine {
  enum State {
    /// It ends within a child's name or class.
    case named
    /// It ends within a module's arguments.
    case open
    /// It may end here.
    case whole
  }

  /// Columns of white space before it.
  let indent: Int
  /// Offset after its last byte that is not blank.
  private(set) var end: Int
  /// Whether it can be a line of a printed model that others follow.
  let isModel: Bool
  /// For each parenthesis that is open, whether a name stands before it.
  private var open: [Bool] = []
  private var openNames = 0
  /// How many more parentheses are closed than opened in it.
  private var closed = 0
  /// Whether the line begins with `(key` that is not yet closed, or no class follows yet.
  private var isKey: Bool
  private let beginsWithKey: Bool
  private var last = UInt8(ascii: "\n")
  private var lastOpens = false
  /// Whether the line ends in a blank that was left out.
  private var endsInBlank = false

  init(_ bytes: ArraySlice<UInt8>) {
    let blanks = bytes.prefix { $0.isBlank }
    let rest = bytes[blanks.endIndex...]
    indent = blanks.columns
    isKey = rest.first == UInt8(ascii: "(")
    beginsWithKey = isKey
    isModel =
      !rest.isEmpty && rest.first != UInt8(ascii: ")")
      && ![">>>", "In ["].contains { rest.starts(with: $0.utf8) }
    end = rest.startIndex
    append(rest)
  }

  /// Parentheses that the line opens more than it closes.
  var depth: Int { open.count - closed }

  /// Adds a line that belongs to it.
  mutating func append(_ bytes: ArraySlice<UInt8>) {
    for index in bytes.indices {
      let byte = bytes[index]
      if byte.isBlank { continue }
      let isOpening = byte == UInt8(ascii: "(")
      if isOpening {
        if isKey, open.isEmpty, last != UInt8(ascii: "\n") { isKey = false }
        let isNamed = last.isWord && (beginsWithKey || end == index)
        open.append(isNamed)
        if isNamed { openNames += 1 }
      } else if byte == UInt8(ascii: ")") {
        switch open.popLast() {
        case true?: openNames -= 1
        case nil: closed += 1
        default: break
        }
      } else if isKey, open.isEmpty, !byte.isWord, !":-.".utf8.contains(byte) {
        isKey = false
      }
      lastOpens = isOpening && last.isWord
      (last, end) = (byte, index + 1)
    }
    endsInBlank = end < bytes.endIndex
  }

  var state: State {
    if isKey { return .named }
    return openNames > 0 && !lastOpens ? .open : .whole
  }

  /// Whether it ends after a child's name.
  var endsInKey: Bool { isKey && open.isEmpty && last == UInt8(ascii: ":") }

  /// Whether it ends between two arguments.
  var endsInComma: Bool { !isKey && last == UInt8(ascii: ",") }

  /// Whether the blank at which a line was wrapped is to be put back.
  ///
  /// What a layer prints has blanks only after commas and colons, and around `->` and `x`.
  func needsBlank(before next: ArraySlice<UInt8>, _ hasBlank: Bool) -> Bool {
    switch last {
    case UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: ">"): true
    default:
      next.starts(with: "->".utf8) || state == .named && (hasBlank || endsInBlank)
        || state == .whole && hasBlank
    }
  }
}
