import TensorCore

/// A glob: `*` is any number of characters, dots included, `?` one, `[34]` and `[!a-f]` one of some.
///
/// As Python's `fnmatch`, by which PEFT and the Hugging Face hub select; `**` means what `*` does.
/// Takes time in the order of the product of both lengths, whatever the pattern.
package struct Glob: Hashable, Sendable {
  private enum Token: Hashable {
    case one(Unicode.Scalar)
    case anyOne
    case oneOf([ClosedRange<UInt32>], negated: Bool)
  }

  /// What stands before, between, and after the stars.
  private let segments: [[Token]]

  init(_ text: [Unicode.Scalar]) {
    var segments: [[Token]] = [[]]
    var index = 0
    while index < text.count {
      var token = Token.one(text[index])
      switch text[index] {
      case "*":
        segments.append([])
        index += 1
        continue
      case "?": token = .anyOne
      case "[":
        if let (characters, end) = Self.characters(text, from: index) {
          token = characters
          index = end
        }
      default: break
      }
      segments[segments.count - 1].append(token)
      index += 1
    }
    // Empty segments inside come from stars in a row.
    self.segments = segments.enumerated().filter { index, segment in
      index == 0 || index == segments.count - 1 || !segment.isEmpty
    }.map(\.element)
  }

  package init(_ text: String) { self.init(Array(text.unicodeScalars)) }

  private static func characters(
    _ text: [Unicode.Scalar], from start: Int
  ) -> (token: Token, end: Int)? {
    guard let end = text[(start + 1)...].firstIndex(of: "]"), end > start + 1 else { return nil }
    var inside = text[(start + 1)..<end]
    let negated = inside.first == "!" || inside.first == "^"
    if negated { inside = inside.dropFirst() }
    var ranges: [ClosedRange<UInt32>] = []
    while let low = inside.popFirst() {
      if inside.count >= 2, inside.first == "-" {
        inside = inside.dropFirst()
        let high = inside.removeFirst()
        if low <= high { ranges.append(low.value...high.value) }
      } else {
        ranges.append(low.value...low.value)
      }
    }
    return (.oneOf(ranges, negated: negated), end)
  }

  /// Whether the glob matches the whole text.
  package func matches(_ text: String) -> Bool { matches(Array(text.unicodeScalars)) }

  /// Whether the glob matches the whole word.
  func matches(_ word: [Unicode.Scalar]) -> Bool { matches(word, endingAt: [word.count]) }

  /// Whether the glob matches a dotted name or a container of it: `a.b` of `a.b.c`.
  package func matchesInside(_ name: String) -> Bool { matches(name, dividedBy: ["."]) }

  /// Whether the glob matches a name in a file or a container of it, in which slashes divide as well.
  func matchesInside(stored name: TensorName) -> Bool {
    matches(name.text, dividedBy: [".", "/"])
  }

  private func matches(_ name: String, dividedBy marks: [Unicode.Scalar]) -> Bool {
    let word = Array(name.unicodeScalars)
    // Of the root, which has no name, only stars match.
    if word.isEmpty { return segments.count == 2 && segments.allSatisfy(\.isEmpty) }
    return matches(word, endingAt: word.indices.filter { marks.contains(word[$0]) } + [word.count])
  }

  /// Whether the glob matches the word up to one of `ends`, which ascend.
  ///
  /// A star that takes as little as it can leaves the most to what follows, so only the last
  /// segment has to try every end.
  private func matches(_ word: [Unicode.Scalar], endingAt ends: [Int]) -> Bool {
    guard let first = segments.first, let last = segments.last, fits(first, word, at: 0) else {
      return false
    }
    if segments.count == 1 { return ends.contains(first.count) }
    var position = first.count
    for segment in segments.dropFirst().dropLast() {
      while !fits(segment, word, at: position) {
        position += 1
        if position + segment.count > word.count { return false }
      }
      position += segment.count
    }
    return ends.contains { end in
      end - last.count >= position && fits(last, word, at: end - last.count)
    }
  }

  private func fits(_ segment: [Token], _ word: [Unicode.Scalar], at start: Int) -> Bool {
    guard start >= 0, start + segment.count <= word.count else { return false }
    return segment.indices.allSatisfy { fits(segment[$0], word[start + $0]) }
  }

  private func fits(_ token: Token, _ scalar: Unicode.Scalar) -> Bool {
    switch token {
    case .one(let wanted): wanted == scalar
    case .anyOne: true
    case .oneOf(let ranges, let negated):
      ranges.contains { $0.contains(scalar.value) } != negated
    }
  }
}
