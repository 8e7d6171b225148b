import TensorCore

extension PastedText {
  /// The first stage: line ends become `\n`, kinds of blank become spaces, and what is not shown
  /// is left out: terminal colors, zero-width characters, tags of a web page.
  ///
  /// If a line ends in `\n` spelled as two characters, as in a Python `repr`, escapes are resolved.
  static func characters(of text: String) -> PastedText {
    let source = Array(text.utf8)
    var reader = CharacterReader(source)
    reader.read()
    return reader.text
  }
}

private struct CharacterReader {
  private let source: [UInt8]
  private let isMarkup: Bool
  private let isEscaped: Bool
  private let isColored: Bool
  private var index = 0
  private var start = 0
  private(set) var text: PastedText

  init(_ source: [UInt8]) {
    self.source = source
    isMarkup = ["<pre", "<br", "<code", "<div", "<span", "<p>"].contains { source.holds($0) }
    // After the model's opening parenthesis.
    isEscaped = source.holds("(\\n")
    isColored = source.holds("[0m")
    text = PastedText(from: source)
  }

  mutating func read() {
    while index < source.count {
      let byte = source[index]
      switch byte {
      case UInt8(ascii: "\r"):
        let isPair = index + 1 < source.count && source[index + 1] == UInt8(ascii: "\n")
        replace(isPair ? 2 : 1, by: UInt8(ascii: "\n"), changes: false)
      case 0x0b, 0x0c: replace(1, by: UInt8(ascii: "\n"), changes: false)
      case 0x1b: leaveOut(controlSequence, changes: false)
      case 0..<0x09, 0x0e..<0x20, 0x7f: leaveOut(1, changes: true)
      case UInt8(ascii: "&"): entity()
      case UInt8(ascii: "<") where isMarkup: tag()
      case UInt8(ascii: "[") where isColored, UInt8(ascii: "^") where isColored: color()
      case UInt8(ascii: "\\") where isEscaped: escape()
      case 0x80...: scalar()
      default: index += 1
      }
    }
    text.copy(start..<index)
  }

  private mutating func replace(_ count: Int, by byte: UInt8, changes: Bool) {
    text.copy(start..<index)
    text.append(byte, for: index, changes: changes)
    index += count
    start = index
  }

  private mutating func leaveOut(_ count: Int, changes: Bool) {
    text.copy(start..<index)
    if changes { text.leaveOut() }
    index += count
    start = index
  }

  /// Length of a terminal's control sequence (ECMA-48): `ESC [ … letter`, `ESC ] … BEL`, `ESC x`.
  private var controlSequence: Int {
    var end = index + 1
    guard end < source.count else { return 1 }
    switch source[end] {
    case UInt8(ascii: "["):
      end += 1
      while end < source.count, (0x20..<0x40).contains(source[end]) { end += 1 }
    case UInt8(ascii: "]"):
      while end < source.count, source[end] != 0x07, source[end] != 0x1b, source[end] != 10 {
        end += 1
      }
      if end < source.count, source[end] == 0x1b { end += 1 }
    default: break
    }
    return min(end + 1, source.count) - index
  }

  /// A color that has lost its ESC, `[1m`, or shows it as `^[[1m`.
  private mutating func color() {
    let start = source[index...].starts(with: "^[[".utf8) ? index + 3 : index + 1
    var end = start
    while end < source.count, source[end].isDigit || source[end] == UInt8(ascii: ";") { end += 1 }
    guard end > start, end < source.count, source[end] == UInt8(ascii: "m"),
      source[start - 1] == UInt8(ascii: "[")
    else { return index += 1 }
    leaveOut(end + 1 - index, changes: false)
  }

  private static let entities: [(name: String, byte: UInt8)] = [
    ("&lt;", UInt8(ascii: "<")), ("&gt;", UInt8(ascii: ">")), ("&amp;", UInt8(ascii: "&")),
    ("&quot;", UInt8(ascii: "\"")), ("&apos;", UInt8(ascii: "'")), ("&#39;", UInt8(ascii: "'")),
    ("&#x27;", UInt8(ascii: "'")), ("&#34;", UInt8(ascii: "\"")), ("&nbsp;", UInt8(ascii: " ")),
    ("&#160;", UInt8(ascii: " ")), ("&#40;", UInt8(ascii: "(")), ("&#41;", UInt8(ascii: ")")),
  ]

  private mutating func entity() {
    for (name, byte) in Self.entities where source[index...].starts(with: name.utf8) {
      return replace(name.utf8.count, by: byte, changes: true)
    }
    index += 1
  }

  private static let breaks: Set<String> = ["br", "p", "div", "li", "tr", "pre"]
  private static let tags: Set<String> = breaks.union([
    "code", "span", "b", "i", "em", "strong", "font", "samp", "tt", "html", "head", "body", "td",
    "table", "tbody", "ul", "ol", "a", "blockquote", "section", "article", "meta", "h1", "h2", "h3",
  ])
  /// Longest tag that is recognized, in bytes.
  private static let maxTagLength = 1_000

  private mutating func tag() {
    let isEnd = index + 1 < source.count && source[index + 1] == UInt8(ascii: "/")
    let rest = source[(index + (isEnd ? 2 : 1))...].prefix(12)
    let name = String(decoding: rest.prefix { $0.isWord }, as: UTF8.self).lowercased()
    let area = source[index...].prefix(Self.maxTagLength)
    guard Self.tags.contains(name), let end = area.firstIndex(of: UInt8(ascii: ">")) else {
      index += 1
      return
    }
    if name == "br" || (isEnd && Self.breaks.contains(name)) {
      replace(end + 1 - index, by: UInt8(ascii: "\n"), changes: false)
    } else {
      leaveOut(end + 1 - index, changes: false)
    }
  }

  private mutating func escape() {
    guard index + 1 < source.count else { return index += 1 }
    switch source[index + 1] {
    case UInt8(ascii: "n"): replace(2, by: UInt8(ascii: "\n"), changes: false)
    case UInt8(ascii: "t"): replace(2, by: UInt8(ascii: "\t"), changes: false)
    case UInt8(ascii: "r"): leaveOut(2, changes: false)
    case UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "\\"):
      leaveOut(1, changes: false)
      index += 1
    default: index += 1
    }
  }

  /// A character outside ASCII.
  private mutating func scalar() {
    let count = min(source[index].sequenceLength, source.count - index)
    var iterator = String(decoding: source[index..<(index + count)], as: UTF8.self)
      .unicodeScalars.makeIterator()
    guard let scalar = iterator.next() else { return index += 1 }
    switch scalar {
    case "（": return replace(count, by: UInt8(ascii: "("), changes: true)
    case "）": return replace(count, by: UInt8(ascii: ")"), changes: true)
    case "：": return replace(count, by: UInt8(ascii: ":"), changes: true)
    case "，": return replace(count, by: UInt8(ascii: ","), changes: true)
    case "＝": return replace(count, by: UInt8(ascii: "="), changes: true)
    case "‘", "’": return replace(count, by: UInt8(ascii: "'"), changes: true)
    case "“", "”": return replace(count, by: UInt8(ascii: "\""), changes: true)
    case "×": return replace(count, by: UInt8(ascii: "x"), changes: true)
    // Frames, and guides of indentation.
    case "\u{2500}"..."\u{257f}", "\u{2800}":
      return replace(count, by: UInt8(ascii: " "), changes: true)
    // Invisible, and not of the general category of the others.
    case "\u{34f}", "\u{fe00}"..."\u{fe0f}": return leaveOut(count, changes: true)
    default: break
    }
    switch scalar.properties.generalCategory {
    case .spaceSeparator: replace(count, by: UInt8(ascii: " "), changes: true)
    case .lineSeparator, .paragraphSeparator:
      replace(count, by: UInt8(ascii: "\n"), changes: true)
    case .format, .control: leaveOut(count, changes: true)
    default: index += count
    }
  }
}

extension UInt8 {
  /// Number of bytes of the character that begins with this one in UTF-8.
  fileprivate var sequenceLength: Int { self >= 0xf0 ? 4 : self >= 0xe0 ? 3 : self >= 0xc0 ? 2 : 1 }
}

extension [UInt8] {
  /// Whether the bytes of a text occur.
  func holds(_ text: String) -> Bool {
    let wanted = Array(text.utf8)
    guard let first = wanted.first else { return true }
    var index = startIndex
    while let found = self[index...].firstIndex(of: first) {
      if self[found...].starts(with: wanted) { return true }
      index = found + 1
    }
    return false
  }
}
