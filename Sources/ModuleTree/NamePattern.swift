/// A glob on dotted names: `*` and `?` within one component, `[34]` one of some characters, `**`
/// any number of whole components.
///
/// `layer2.**` is all below `layer2`, but not itself; `**.bias` is every `bias` at any depth.
/// Takes time in the order of the product of both lengths, whatever the pattern.
package struct NamePattern: Sendable, Hashable {
  /// The pattern as it was written.
  package let text: String
  private let components: [Component]

  private enum Component: Hashable {
    case any
    case glob(Glob)
  }

  /// Takes the pattern as it is; every text is one.
  package init(_ text: String) {
    self.text = text
    components = text.unicodeScalars.split(separator: ".", omittingEmptySubsequences: false).map {
      $0.elementsEqual("**".unicodeScalars) ? .any : .glob(Glob(Array($0)))
    }
  }

  /// Whether the text has a character with a special meaning.
  package static func isPattern(_ text: String) -> Bool {
    text.unicodeScalars.contains { "*?[".unicodeScalars.contains($0) }
  }

  /// Whether the whole name fits.
  package func matches(_ name: String) -> Bool {
    if name.isEmpty { return false }
    let parts = name.unicodeScalars.split(separator: ".", omittingEmptySubsequences: false)
      .map { Array($0) }
    // reached[n]: the pattern so far fits the first n parts of the name.
    var reached = [Bool](repeating: false, count: parts.count + 1)
    reached[0] = true
    for (index, component) in components.enumerated() {
      var next = [Bool](repeating: false, count: parts.count + 1)
      switch component {
      case .any:
        // At the end `**` takes one part or more, so that `layer2.**` is not `layer2`; elsewhere
        // none or more.
        let isLast = index == components.count - 1
        var seen = false
        for position in reached.indices {
          next[position] = seen || (reached[position] && !isLast)
          seen = seen || reached[position]
        }
      case .glob(let glob):
        for position in parts.indices where reached[position] {
          next[position + 1] = glob.matches(parts[position])
        }
      }
      reached = next
    }
    return reached[parts.count]
  }
}

/// A glob on one word.
struct Glob: Hashable, Sendable {
  private enum Token: Hashable {
    case one(Unicode.Scalar)
    case anyOne
    case anyRun
    case oneOf([ClosedRange<UInt32>], negated: Bool)
  }
  private let tokens: [Token]

  init(_ text: [Unicode.Scalar]) {
    var tokens: [Token] = []
    var index = 0
    while index < text.count {
      switch text[index] {
      case "*": if tokens.last != .anyRun { tokens.append(.anyRun) }
      case "?": tokens.append(.anyOne)
      case "[":
        if let (token, end) = Self.characters(text, from: index) {
          tokens.append(token)
          index = end
        } else {
          tokens.append(.one("["))
        }
      case let scalar: tokens.append(.one(scalar))
      }
      index += 1
    }
    self.tokens = tokens
  }

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

  func matches(_ word: [Unicode.Scalar]) -> Bool {
    var (token, position) = (0, 0)
    var retry: (token: Int, position: Int)?
    while position < word.count {
      if token < tokens.count, tokens[token] == .anyRun {
        retry = (token, position)
        token += 1
      } else if token < tokens.count, fits(tokens[token], word[position]) {
        token += 1
        position += 1
      } else if let last = retry {
        // The last run takes one more character. Going back further is never needed: what an earlier
        // run could take more of, this one can as well.
        retry = (last.token, last.position + 1)
        (token, position) = (last.token + 1, last.position + 1)
      } else {
        return false
      }
    }
    return tokens[token...].allSatisfy { $0 == .anyRun }
  }

  private func fits(_ token: Token, _ scalar: Unicode.Scalar) -> Bool {
    switch token {
    case .one(let wanted): wanted == scalar
    case .anyOne, .anyRun: true
    case .oneOf(let ranges, let negated):
      ranges.contains { $0.contains(scalar.value) } != negated
    }
  }
}
