/// Lines of text that fit a terminal.
extension [String] {
  /// The clauses of a sentence, `; ` between them, in lines of a width; further lines are indented.
  func wrapped(to width: Int?) -> [String] {
    guard let width else { return [joined(separator: "; ")] }
    var lines: [String] = []
    for (index, clause) in enumerated() {
      let text = index == count - 1 ? clause : clause + ";"
      if let last = lines.last, last.shownWidth + 1 + text.shownWidth <= width {
        lines[lines.count - 1] = "\(last) \(text)"
      } else {
        lines.append(lines.isEmpty ? text : "  \(text)")
      }
    }
    return lines.flatMap { $0.wrappedAtSpaces(to: width) }
  }
}

extension StandardOutput {
  /// Adds a sentence: in lines as wide as the terminal, elsewhere in one.
  mutating func sentence(_ text: String) throws {
    for line in Terminal.columns.map({ text.wrappedAtSpaces(to: $0) }) ?? [text] {
      try self.line(line)
    }
  }
}

extension String {
  /// The line as a terminal shows it, cut at its end where it is too long; as it is elsewhere.
  var fittingTerminal: String { Terminal.columns.map { withoutEnd(fitting: $0) } ?? self }

  /// The line in lines of a width, divided between words; a word that is longer goes on in the next line.
  func wrappedAtSpaces(to width: Int) -> [String] {
    if shownWidth <= width { return [self] }
    var lines: [String] = [""]
    for word in split(separator: " ", omittingEmptySubsequences: false) {
      let last = lines[lines.count - 1]
      let longer = last.isEmpty ? String(word) : "\(last) \(word)"
      if longer.shownWidth <= width {
        lines[lines.count - 1] = longer
      } else {
        lines += "    \(word)".divided(into: width)
      }
    }
    return lines
  }

  /// Parts of a width, of which at least one scalar is in each.
  private func divided(into width: Int) -> [String] {
    var parts: [String] = []
    var rest = self
    while rest.shownWidth > width, case let part = rest.prefix(columns: width), !part.isEmpty {
      parts.append(part)
      rest.unicodeScalars.removeFirst(part.unicodeScalars.count)
    }
    return parts + [rest.withoutEnd(fitting: width)]
  }
}
