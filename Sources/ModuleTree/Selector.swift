import TensorCore

/// Which modules and tensors are meant: a predicate that is parsed from text and prints back.
///
/// `Linear` is a class, with those that derive from it; `layer2.**` and `**.bias` are globs on
/// dotted names, `/conv\d/` a regular expression found anywhere in one; `kind:`
/// and `name:` say which is meant. `&`, `|`, `!` and parentheses combine, `&` before `|`.
///
/// A module that matches selects its own tensors, not those of modules below it.
public struct Selector: Sendable, CustomStringConvertible {
  indirect enum Node: Sendable {
    case word(String)
    case kind(String)
    case name(String)
    case expression(Expression)
    case not(Node)
    case and(Node, Node)
    case or(Node, Node)
  }

  /// A regular expression, which is compiled where it is used, because `Regex` is not `Sendable`.
  struct Expression: Sendable {
    let text: String
  }

  let root: Node
  private let written: String?

  init(root: Node, written: String? = nil) {
    self.root = root
    self.written = written
  }

  /// The text that the selector was parsed from, spelled as its author did.
  package var source: String { written ?? description }

  /// Everything.
  public static var all: Selector { Selector(root: .name("**")) }

  /// The selector that means what either means.
  public func union(_ other: Selector) -> Selector { Selector(root: .or(root, other.root)) }

  /// The selector that means what this one means and the other does not.
  public func subtracting(_ other: Selector) -> Selector {
    Selector(root: .and(root, .not(other.root)))
  }

  /// Whether a class may be meant, so that it matters whose module tree is asked.
  package var mayMeanClasses: Bool {
    func may(_ node: Node) -> Bool {
      switch node {
      case .word(let text): !text.utf8.contains(UInt8(ascii: ".")) && text != "*" && text != "**"
      case .kind: true
      case .name, .expression: false
      case .not(let inner): may(inner)
      case .and(let left, let right), .or(let left, let right): may(left) || may(right)
      }
    }
    return may(root)
  }

  /// The text from which an equal selector is parsed.
  public var description: String { Self.text(root, within: 0) }

  /// Binding strength: `|` 0, `&` 1, `!` 2.
  private static func text(_ node: Node, within strength: Int) -> String {
    func wrapped(_ text: String, _ own: Int) -> String {
      own < strength ? "(\(text))" : text
    }
    return switch node {
    case .word(let text): text
    case .kind(let text): "kind:\(text)"
    case .name(let text): "name:\(text)"
    case .expression(let expression): "/\(expression.text)/"
    case .not(let inner): "!" + Self.text(inner, within: 2)
    case .and(let left, let right):
      wrapped(Self.text(left, within: 1) + " & " + Self.text(right, within: 2), 1)
    case .or(let left, let right):
      wrapped(Self.text(left, within: 0) + " | " + Self.text(right, within: 1), 0)
    }
  }
}

/// A selector that has been settled against one tree: each bare word is a class or a name.
package struct ResolvedSelector {
  private indirect enum Node {
    case kind(Glob)
    case name(NamePattern)
    case expression(Regex<AnyRegexOutput>)
    case not(Node)
    case and(Node, Node)
    case or(Node, Node)
  }

  private let root: Node
  private let bases: [String: String]

  /// Settles what each word of `selector` means in `tree`.
  ///
  /// A word with a dot, or `*`, `**`, is a name; any other is a class if a class of the tree matches
  /// and no name does, a name if it is the other way round.
  /// - Throws: ``TensorCore/CheckpointError``: `malformed` for a word that matches both, or an expression that
  ///   cannot be read; `missing` for a word that matches neither.
  package init(_ selector: Selector, in tree: Module) throws {
    try self.init(selector, modules: tree.namedModules(removeDuplicates: false))
  }

  init(_ selector: Selector, modules: [NamedModule]) throws {
    var bases: [String: String] = [:]
    for node in modules {
      if let base = node.module.base { bases[node.module.kind] = base }
    }
    self.bases = bases
    root = try Resolution(modules: modules, bases: bases).node(selector.root)
  }

  /// Whether the module at `path` of class `kind` matches, or, with `parameter`, that own tensor.
  package func matches(path: String, kind: String, parameter: String? = nil) -> Bool {
    let lineage = Self.lineage(of: kind, bases)
    let full = parameter.map { path.isEmpty ? $0 : "\(path).\($0)" }
    func matches(_ node: Node) -> Bool {
      switch node {
      case .kind(let glob): lineage.contains { glob.matches(Array($0.unicodeScalars)) }
      case .name(let pattern):
        pattern.matches(path) || full.map { pattern.matches($0) } ?? false
      case .expression(let regex):
        (!path.isEmpty && path.contains(regex)) || full.map { $0.contains(regex) } ?? false
      case .not(let inner): !matches(inner)
      case .and(let left, let right): matches(left) && matches(right)
      case .or(let left, let right): matches(left) || matches(right)
      }
    }
    return matches(root)
  }

  private static func lineage(of kind: String, _ bases: [String: String]) -> [String] {
    [kind] + KnownLayers.lineage(of: bases[kind] ?? kind)
  }

  private struct Resolution {
    let modules: [NamedModule]
    let bases: [String: String]

    func node(_ node: Selector.Node) throws -> Node {
      switch node {
      case .word(let text): try word(text)
      case .kind(let text): .kind(Glob(Array(text.unicodeScalars)))
      case .name(let text): .name(NamePattern(text))
      case .expression(let expression): .expression(try expression.compiled())
      case .not(let inner): .not(try self.node(inner))
      case .and(let left, let right): .and(try self.node(left), try self.node(right))
      case .or(let left, let right): .or(try self.node(left), try self.node(right))
      }
    }

    private func word(_ text: String) throws -> Node {
      // As a class and as a name `*` matches, which would be ambiguous in every tree.
      if text == "*" { return .name(NamePattern("**")) }
      let pattern = NamePattern(text)
      if text == "**" || text.utf8.contains(UInt8(ascii: ".")) { return .name(pattern) }
      let glob = Glob(Array(text.unicodeScalars))
      let isKind = modules.contains { node in
        ResolvedSelector.lineage(of: node.module.kind, bases)
          .contains { glob.matches(Array($0.unicodeScalars)) }
      }
      let isName = modules.contains { node in
        pattern.matches(node.path)
          || node.module.ownParameters.contains { pattern.matches(node.name(of: $0.name)) }
          || node.module.ownBuffers.contains { pattern.matches(node.name(of: $0.name)) }
      }
      switch (isKind, isName) {
      case (true, false): return .kind(glob)
      case (false, true): return .name(pattern)
      case (true, true):
        throw CheckpointError(
          .malformed,
          "selector '\(text)' matches both a class and a name; write kind:\(text) or name:\(text)")
      case (false, false):
        throw CheckpointError(
          .missing, "selector '\(text)' matches no class or name" + advice(text))
      }
    }

    private func advice(_ text: String) -> String {
      let kinds = Set(modules.map(\.module.kind))
      if let nearest = nearestName(to: text, among: kinds.sorted()) {
        return "; did you mean \(nearest)?"
      }
      let known = kinds.sorted().prefix(12).joined(separator: ", ")
      return "; the classes are \(known)\(kinds.count > 12 ? ", …" : "")"
    }
  }
}

extension Selector.Expression {
  /// The expression, reading scalar by scalar, so that combining marks count.
  func compiled() throws -> Regex<AnyRegexOutput> {
    do {
      return try Regex(text).matchingSemantics(.unicodeScalar)
    } catch {
      throw CheckpointError(.malformed, "selector /\(text)/ is not a regular expression: \(error)")
    }
  }
}
