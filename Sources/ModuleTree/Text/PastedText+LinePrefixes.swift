import TensorCore

extension PastedText {
  /// What stands before every line of a paste: line numbers, times, quote signs, `# `, `[rank0]:`.
  ///
  /// Any digits stand for the digits of the first one, and blanks before them may differ.
  struct LinePrefix {
    private enum Part: Equatable {
      case digits
      case blanks
      case byte(UInt8)
    }

    private let parts: [Part]

    init(_ text: ArraySlice<UInt8>) {
      var parts: [Part] = []
      for byte in text {
        let part: Part = byte.isDigit ? .digits : byte.isBlank ? .blanks : .byte(byte)
        if part != parts.last || !(part == .digits || part == .blanks) { parts.append(part) }
      }
      if parts.first == .blanks { parts.removeFirst() }
      while parts.last == .blanks { parts.removeLast() }
      self.parts = parts
    }

    var isEmpty: Bool { parts.isEmpty }

    /// Offset of what follows the prefix in a line; `nil` if the line does not begin with it.
    func end(in line: ArraySlice<UInt8>) -> Int? {
      var rest = line.drop(while: \.isBlank)
      for part in parts {
        switch part {
        case .digits:
          guard rest.first?.isDigit == true else { return nil }
          rest = rest.drop(while: \.isDigit)
        case .blanks:
          guard rest.first?.isBlank == true else { return nil }
          rest = rest.drop(while: \.isBlank)
        case .byte(let byte):
          guard rest.first == byte else { return nil }
          rest = rest.dropFirst()
        }
      }
      return rest.startIndex
    }
  }

  /// The second stage: the text without the prefix that the model's lines have, if they have one.
  func withoutLinePrefixes() -> PastedText {
    guard let prefix = linePrefix() else { return self }
    var kept: [Range<Int>] = []
    var start = 0
    while start < bytes.count {
      let end = lineEnd(start)
      let first = prefix.end(in: bytes[start..<end]) ?? start
      kept.append(first..<min(end + 1, bytes.count))
      start = end + 1
    }
    return keeping(kept)
  }

  /// The text without comments after parentheses, `Conv2d(…)  # 224 params`.
  func withoutComments() -> PastedText {
    var kept: [Range<Int>] = []
    var (start, from) = (0, 0)
    while let mark = bytes[from...].firstIndex(of: UInt8(ascii: "#")) {
      let code = bytes[start..<mark].lastIndex { !$0.isBlank } ?? mark
      from = mark + 1
      guard code + 1 < mark, "()".utf8.contains(bytes[code]) else { continue }
      kept.append(start..<(code + 1))
      start = lineEnd(mark)
      from = start
    }
    return kept.isEmpty ? self : keeping(kept + [start..<bytes.count])
  }

  /// The prefix of the first line that holds a child, if the line of its parent begins with it.
  private func linePrefix() -> LinePrefix? {
    var from = 0
    while let child = firstChild(from: from) {
      let start = lineStart(child)
      let prefix = LinePrefix(bytes[start..<child])
      if prefix.isEmpty || opening(within: start..<child) != nil { return nil }
      if let parent = parentLine(above: start), prefix.end(in: bytes[parent]) != nil {
        return prefix
      }
      from = lineEnd(child)
    }
    return nil
  }
}
