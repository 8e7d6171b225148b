import TensorCore

/// Which modules and tensors are meant: a predicate that is parsed from text and prints back.
///
/// `Linear` is a class, with those that derive from it; `layer2` is a container, which selects
/// everything inside it; `*.bias` is a glob on dotted names, in which `*` matches any characters,
/// dots included; `/conv\d/` is a regular expression found anywhere in a name; `kind:` and `name:` say
/// which is meant. `&`, `|`, `!` and parentheses combine, `&` before `|`.
///
/// A class selects its modules' own tensors; a class of containers, which have none, everything
/// inside them.
public struct Selector: Sendable, CustomStringConvertible {
  indirect enum Node: Sendable {
    case word(String)
    case kind(String)
    case name(String)
    case expression(RegularExpression)
    case not(Node)
    case and(Node, Node)
    case or(Node, Node)
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

  /// Its classes and names as they were written, from left to right.
  var words: [String] {
    func words(_ node: Node) -> [String] {
      switch node {
      case .word(let text), .kind(let text), .name(let text): [text]
      case .expression: []
      case .not(let inner): words(inner)
      case .and(let left, let right), .or(let left, let right): words(left) + words(right)
      }
    }
    return words(root)
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
    case .expression(let expression): "/\(expression.pattern)/"
    case .not(let inner): "!" + Self.text(inner, within: 2)
    case .and(let left, let right):
      wrapped(Self.text(left, within: 1) + " & " + Self.text(right, within: 2), 1)
    case .or(let left, let right):
      wrapped(Self.text(left, within: 0) + " | " + Self.text(right, within: 1), 0)
    }
  }
}
