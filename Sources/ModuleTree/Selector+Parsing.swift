import TensorCore

/// The text form of selectors.
extension Selector {
  /// Reads a selector.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` with code `malformed`, the column, what was expected and what was found.
  public init(_ text: String) throws {
    var parser = SelectorParser(text)
    self.init(root: try parser.whole(), written: text)
  }
}

/// Reads a selector from left to right: alternatives of conjunctions of factors.
private struct SelectorParser {
  private let scalars: [Unicode.Scalar]
  private var position = 0
  private var depth = 0

  /// Maximum nesting of parentheses and negations.
  private static let maxDepth = 200
  /// Maximum number of words and expressions: alternatives of alternatives are nested as deep.
  private static let maxTerms = 1000
  private var terms = 0

  init(_ text: String) { scalars = Array(text.unicodeScalars) }

  mutating func whole() throws -> Selector.Node {
    let node = try alternatives()
    skipBlanks()
    guard position == scalars.count else { throw error("'&', '|' or the end of the selector") }
    return node
  }

  private mutating func alternatives() throws -> Selector.Node {
    var node = try conjunction()
    while accept("|") { node = .or(node, try conjunction()) }
    return node
  }

  private mutating func conjunction() throws -> Selector.Node {
    var node = try factor()
    while accept("&") { node = .and(node, try factor()) }
    return node
  }

  private mutating func factor() throws -> Selector.Node {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.maxDepth else { throw error("fewer than \(Self.maxDepth) levels") }
    if accept("!") { return .not(try factor()) }
    if accept("(") {
      let node = try alternatives()
      guard accept(")") else { throw error("')'") }
      return node
    }
    skipBlanks()
    terms += 1
    guard terms <= Self.maxTerms else { throw error("at most \(Self.maxTerms) words") }
    if accept("/") { return try expression() }
    return try word()
  }

  private mutating func expression() throws -> Selector.Node {
    var text = String.UnicodeScalarView()
    while position < scalars.count, scalars[position] != "/" {
      if scalars[position] == "\\", position + 1 < scalars.count {
        text.append(scalars[position])
        position += 1
      }
      text.append(scalars[position])
      position += 1
    }
    guard accept("/") else { throw error("'/' at the end of the expression") }
    let pattern = String(text)
    return .expression(try RegularExpression(pattern, title: "selector /\(pattern)/"))
  }

  private mutating func word() throws -> Selector.Node {
    let start = position
    var inBrackets = false
    while position < scalars.count {
      let scalar = scalars[position]
      if scalar == "[" { inBrackets = true }
      if scalar == "]" { inBrackets = false }
      if !inBrackets, "&|!()".unicodeScalars.contains(scalar) { break }
      if scalar.properties.isWhitespace { break }
      position += 1
    }
    let text = string(start..<position)
    for (prefix, make) in [("kind:", Selector.Node.kind), ("name:", Selector.Node.name)]
    where text.hasPrefix(prefix) {
      let rest = string((start + prefix.unicodeScalars.count)..<position)
      if rest.isEmpty { throw error("a class or a name after '\(prefix)'") }
      return make(rest)
    }
    if text.isEmpty { throw error("a class, a name, '/', '!' or '('") }
    return .word(text)
  }

  private func string(_ range: Range<Int>) -> String {
    var text = String.UnicodeScalarView()
    text.append(contentsOf: scalars[range])
    return String(text)
  }

  private mutating func accept(_ scalar: Unicode.Scalar) -> Bool {
    skipBlanks()
    guard position < scalars.count, scalars[position] == scalar else { return false }
    position += 1
    return true
  }

  private mutating func skipBlanks() {
    while position < scalars.count, scalars[position].properties.isWhitespace { position += 1 }
  }

  private func error(_ expected: String) -> CheckpointError {
    let found = position < scalars.count ? "'\(scalars[position])'" : "the end"
    let shown = string(0..<min(scalars.count, 200)) + (scalars.count > 200 ? "…" : "")
    return CheckpointError(
      .malformed,
      "selector '\(shown)', column \(position + 1): expected "
        + "\(expected), found \(found)")
  }
}
