import TensorCore

extension PastedText {
  /// The third stage: offset of the name of the model among the text around it.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` with code `malformed` where there is no model, saying what
  ///   the text seems to be.
  func root() throws(CheckpointError) -> Int {
    let found = try candidate()
    var blank = found
    while blank > 0, bytes[blank - 1].isBlank || bytes[blank - 1] == 10 { blank -= 1 }
    if blank > 0, blank < found, bytes[blank - 1].isWord, isChanged(in: blank..<found) {
      throw error(
        at: found, expected: "a class name",
        found: "'\(start(found))' after an unusual blank, which may divide the name")
    }
    return found
  }

  private func candidate() throws(CheckpointError) -> Int {
    var from = 0
    while let child = firstChild(from: from) {
      let start = lineStart(child)
      if let root = opening(within: start..<child) { return root }
      if indent(child) != nil {
        guard let parent = parentLine(above: start), let root = opening(within: parent) else {
          throw error(
            at: child, expected: "'Name(' in a line above it, where the printed model begins",
            found: "'\(self.start(child))'")
        }
        return root
      }
      from = lineEnd(child)
    }
    return try leaf()
  }

  /// Whether there is a model in the text, one that can be read or not.
  var holdsModel: Bool {
    firstChild(from: 0) != nil || !layerLines(in: 0..<bytes.count).isEmpty
  }

  /// A model of one module: the text itself, or its one line that is a layer.
  private func leaf() throws(CheckpointError) -> Int {
    let first = skippingBlanks(0, lines: true)
    if first == bytes.count {
      throw error(at: 0, expected: "a printed model, 'Name(…)'", found: "no text")
    }
    let kind = otherKind
    if kind == nil, let opener = openingLine() { return opener }
    let lines = layerLines(in: 0..<bytes.count)
    if lines.count > 1 {
      throw error(
        at: lines[1], expected: "one model", found: "a second one, '\(start(lines[1]))'")
    }
    if let line = lines.first { return line }
    if let kind {
      throw error(at: first, expected: "the text that print(model) shows", found: kind)
    }
    if module(at: first) != nil { return first }
    throw error(
      at: first, expected: "a module, 'Name(…)' or 'None'", found: "'\(start(first))'")
  }

  /// The module that the first line ending in `Name(` opens.
  private func openingLine() -> Int? {
    var line = 0
    while line < bytes.count {
      let end = lineEnd(line)
      if bytes[line..<end].last(where: { !$0.isBlank }) == UInt8(ascii: "("),
        let name = opening(within: line..<end)
      {
        return name
      }
      line = end + 1
    }
    return nil
  }

  /// What must not be around a model: a second one, or a layer that belongs to none.
  func checkOutside(_ model: Range<Int>) throws(CheckpointError) {
    let next = skippingBlanks(model.upperBound, lines: true)
    if next < bytes.count, bytes[next] == UInt8(ascii: ")") {
      throw error(
        at: next, expected: "the end of the model of line \(position(of: model.lowerBound).line)",
        found: "')' of another one around it")
    }
    var found = firstChild(from: model.upperBound)
    if found == nil {
      found =
        layerLines(in: model.upperBound..<bytes.count).first
        ?? layerLines(in: 0..<lineStart(model.lowerBound)).first
    }
    guard let found else { return }
    let line = position(of: model.lowerBound).line
    throw error(
      at: found, expected: "only the model of line \(line), '\(start(model.lowerBound))'",
      found: "'\(start(found))' outside it; keep one model in the text")
  }

  /// The lines that are layers of `torch.nn` which own tensors, each the offset of its name.
  private func layerLines(in range: Range<Int>) -> [Int] {
    var found: [Int] = []
    var line = range.lowerBound
    while line < range.upperBound, found.count < 2 {
      let end = lineEnd(line)
      if let layer = layer(in: line..<end) { found.append(layer) }
      line = end + 1
    }
    return found
  }

  func layer(in line: Range<Int>) -> Int? {
    let name = skippingBlanks(line.lowerBound, lines: false)
    guard name < line.upperBound, !bytes[name...].starts(with: ">>>".utf8),
      !bytes[name...].starts(with: "In [".utf8),
      let last = bytes[line].lastIndex(where: { !$0.isBlank }), bytes[last] == UInt8(ascii: ")"),
      let open = bytes[line].firstIndex(of: UInt8(ascii: "("))
    else { return nil }
    // A prefix, `Out[3]: ` or `fc = `, ends in a blank.
    let kind = word(before: open, from: name)
    let begin = kind.lowerBound
    guard !kind.isEmpty, begin == name || bytes[begin - 1].isBlank else { return nil }
    return KnownLayers.isOwner(text(kind), printed: text((open + 1)..<last)) ? begin : nil
  }

  /// The range of the nearest line above that opens a module.
  func parentLine(above start: Int) -> Range<Int>? {
    var (end, tries) = (start, 0)
    while end > 0, tries < Self.maxArgumentLines {
      let begin = lineStart(end - 1)
      let line = begin..<(end - 1)
      if opening(within: line) != nil { return line }
      end = begin
      tries += 1
    }
    return nil
  }

  /// Most lines between the model's own and its first child.
  private static let maxArgumentLines = 100

  /// The name of the outermost module that is opened in a part of a line, and not closed in it.
  func opening(within part: Range<Int>) -> Int? {
    var open: [Int] = []
    for index in part {
      if bytes[index] == UInt8(ascii: "(") {
        open.append(index)
      } else if bytes[index] == UInt8(ascii: ")") {
        _ = open.popLast()
      }
    }
    // Where one module is an argument of another, `GINConv(nn=Sequential(`, the first is the model.
    for parenthesis in open {
      let word = word(before: parenthesis, from: part.lowerBound)
      let name = word.lowerBound
      if !word.isEmpty, !bytes[name].isDigit,
        name == part.lowerBound || bytes[name - 1] != UInt8(ascii: ".")
      {
        return name
      }
    }
    return nil
  }

  /// The first `(key): Name(` from an offset on.
  func firstChild(from offset: Int) -> Int? {
    var index = offset
    while let found = bytes[index...].firstIndex(of: UInt8(ascii: "(")) {
      if found == 0 || !bytes[found - 1].isWord, simpleChild(at: found) { return found }
      index = found + 1
    }
    return nil
  }

  /// Whether `(key): Name(` is at an offset; only keys without parentheses, so that it takes linear time.
  private func simpleChild(at offset: Int) -> Bool {
    var end = offset + 1
    while end < bytes.count, bytes[end] != UInt8(ascii: ")") {
      if bytes[end] == UInt8(ascii: "(") || bytes[end] == 10 { return false }
      end += 1
    }
    return key(at: offset).map { module(at: $0.body) != nil } ?? false
  }

  /// An error at an offset of the text.
  func error(at offset: Int, expected: String, found: String) -> CheckpointError {
    let (line, column) = position(of: offset)
    return CheckpointError(
      .malformed, "line \(line), column \(column): expected \(expected), found \(found)")
  }
}
