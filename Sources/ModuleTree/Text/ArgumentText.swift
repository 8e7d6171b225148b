import TensorCore

/// What a printed module shows of itself, before its children: its `extra_repr()`, collected line
/// by line, without the indentation of the module.
struct ArgumentText {
  /// The text, its lines joined by `\n`; blank lines are left out.
  private(set) var text = ""
  /// Where the lines begin, here and in the pasted text.
  private var lines: [(offset: Int, source: Int)] = []
  /// Columns of the module's own line, and how many more its children have.
  private let margin: Int
  private let unit: Int?

  /// `unit` is `nil` where no other module shows it.
  init(margin: Int, unit: Int?) {
    self.margin = margin
    self.unit = unit
  }

  /// Adds a part of the pasted text.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` if it holds a layer, which would be a child that is lost.
  mutating func append(_ range: Range<Int>, of pasted: PastedText) throws(CheckpointError) {
    var start = range.lowerBound
    while start <= range.upperBound {
      // Not to the end of the line: on one line, that would be all modules that follow.
      let rest = pasted.bytes[start..<range.upperBound]
      let end = rest.firstIndex(of: UInt8(ascii: "\n")) ?? range.upperBound
      try append(line: start..<end, isFirst: start == range.lowerBound, of: pasted)
      start = end + 1
    }
  }

  private mutating func append(
    line: Range<Int>, isFirst: Bool, of pasted: PastedText
  ) throws(CheckpointError) {
    let bytes = pasted.bytes
    guard let last = bytes[line].lastIndex(where: { !$0.isBlank }) else { return }
    var first = line.lowerBound
    while bytes[first].isBlank { first += 1 }
    try Self.check(first..<(last + 1), of: pasted)
    let blanks = bytes[line.lowerBound..<first]
    var lead = String(decoding: blanks, as: UTF8.self)
    if !isFirst {
      let unit = unit ?? (blanks.contains(UInt8(ascii: "\t")) ? 8 : 2)
      let deeper = max(blanks.columns - margin - unit, 0)
      lead = String(repeating: " ", count: min(deeper * 2 / max(unit, 1), blanks.count * 8))
    } else if bytes[first] != UInt8(ascii: "(") && text.isEmpty {
      lead = ""
    } else if !text.isEmpty {
      // What follows a module that is an argument begins with a comma.
      lead = ""
      while first < last, bytes[first].isBlank || bytes[first] == UInt8(ascii: ",") { first += 1 }
      if bytes[first] == UInt8(ascii: ",") { return }
    }
    if !text.isEmpty { text += "\n" }
    lines.append((text.utf8.count + lead.utf8.count, first))
    text += lead + pasted.text(first..<(last + 1))
  }

  /// Offset in the pasted text of a byte of ``text``; `nil` where there is no text.
  func source(of offset: Int) -> Int? {
    let line = lines.last { $0.offset <= offset } ?? lines.first
    return line.map { $0.source + max(offset - $0.offset, 0) }
  }

  /// A line must not hold a layer, with or without a name before it.
  private static func check(
    _ line: Range<Int>, of pasted: PastedText
  ) throws(CheckpointError) {
    var index = line.lowerBound
    while index < line.upperBound,
      let open = pasted.bytes[index..<line.upperBound].firstIndex(of: UInt8(ascii: "("))
    {
      index = open + 1
      let word = pasted.word(before: open, from: line.lowerBound)
      let name = word.lowerBound
      guard !word.isEmpty, !pasted.isParameter(at: name) else { continue }
      let kind = pasted.text(word)
      let isLayer =
        parenthesis(after: index, in: line, of: pasted).map {
          KnownLayers.isOwner(kind, printed: pasted.text(index..<$0))
        } ?? false
      if isLayer || isNamed(line.lowerBound..<name, of: pasted) {
        throw pasted.error(
          at: line.lowerBound, expected: "'(name): ' before a child, and no layer in other text",
          found: "'\(pasted.start(line.lowerBound))'")
      }
    }
  }

  /// Longest arguments of a layer that are looked for in other text, in bytes.
  private static let maxLayerLength = 300

  /// The parenthesis that closes the one before an offset; `nil` if it is not near.
  private static func parenthesis(
    after offset: Int, in line: Range<Int>, of pasted: PastedText
  ) -> Int? {
    var depth = 0
    for index in offset..<min(line.upperBound, offset + maxLayerLength) {
      switch pasted.bytes[index] {
      case UInt8(ascii: "("): depth += 1
      case UInt8(ascii: ")") where depth == 0: return index
      case UInt8(ascii: ")"): depth -= 1
      default: break
      }
    }
    return nil
  }

  /// Whether a text before a class is that of a child: one word and a colon.
  private static func isNamed(_ range: Range<Int>, of pasted: PastedText) -> Bool {
    guard range.count <= maxLayerLength else { return false }
    let text = pasted.bytes[range].split { $0.isBlank }
    return text.count == 1 && text[0].last == UInt8(ascii: ":")
  }
}
