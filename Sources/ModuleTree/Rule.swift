import TensorCore

/// What some modules' tensors are filled with: `Linear: weight=xavier_uniform(gain=2), bias=1`.
///
/// `default` stands for the layer's own `reset_parameters`.
public struct Rule: Sendable, CustomStringConvertible {
  /// One tensor's new values, or a method of the module that is called.
  public struct Assignment: Sendable {
    /// The tensor's name within its module, or a glob on names of parameters, which are then taken
    /// in order of registration; for a method, its name.
    public let parameter: String
    /// How it is filled; `nil` for the layer's own way.
    public let initializer: (any Initializer)?
    /// The part that is filled; `nil` for the whole tensor.
    package var part: TensorPart?
    /// Which tensors are meant of those that have the name; `nil` for all.
    package var condition: Condition?
    /// Whether a method is called: `_reset_parameters`.
    package var isCall = false

    /// Pairs a name with an initializer.
    public init(_ parameter: String, _ initializer: (any Initializer)?) {
      self.parameter = parameter
      self.initializer = initializer
    }

    /// Whether the name is a glob.
    var isPattern: Bool { parameter.unicodeScalars.contains { "*?[".unicodeScalars.contains($0) } }

    /// Whether the name is that of a tensor, or matches it.
    func names(_ own: String) -> Bool {
      isPattern ? Glob(parameter).matches(own) : parameter.isSameText(own)
    }
  }

  /// The modules or tensors meant.
  public let selector: Selector
  /// What they get, in the order of drawing.
  public let assignments: [Assignment]

  /// Makes a rule of its parts.
  public init(_ selector: Selector, _ assignments: [Assignment]) {
    self.selector = selector
    self.assignments = assignments
  }

  /// Reads a rule.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` with code `malformed`, saying what was expected and found.
  public init(_ text: String) throws {
    let scalars = Array(text.unicodeScalars)
    guard let colon = Self.colon(in: scalars) else {
      throw CheckpointError(
        .malformed,
        "rule '\(text)': expected 'SELECTOR: PARAMETER=INITIALIZER, …', found no ': '")
    }
    let selector = try Selector(Self.string(scalars[..<colon]).trimmed)
    var assignments: [Assignment] = []
    for part in Self.divided(scalars, from: colon + 1) {
      do {
        let assignment = try Assignment(Self.string(scalars[part]), column: part.lowerBound + 1)
        guard !assignments.contains(where: { $0.target == assignment.target }) else {
          throw CheckpointError(.malformed, "rule '\(text)' gives '\(assignment.target)' twice")
        }
        assignments.append(assignment)
      } catch let error as CheckpointError where !error.message.hasPrefix("rule '") {
        throw CheckpointError(error.code, "rule '\(text)', \(error.message)")
      }
    }
    self.init(selector, assignments)
  }

  /// The text from which an equal rule is parsed.
  public var description: String {
    "\(selector): \(assignments.map(\.description).joined(separator: ", "))"
  }

  /// The colon that ends the selector: outside an expression, and not that of a prefix.
  private static func colon(in scalars: [Unicode.Scalar]) -> Int? {
    var inExpression = false
    for (index, scalar) in scalars.enumerated() {
      if scalar == "/" {
        let before = scalars[..<index].last { !$0.properties.isWhitespace }
        // A slash inside a word is a part of it; one that begins a word begins an expression.
        let begins = before.map { "&|!(".unicodeScalars.contains($0) } ?? true
        inExpression = inExpression ? scalars[index - 1] == "\\" : begins
      }
      guard scalar == ":", !inExpression else { continue }
      let word = scalars[..<index].reversed().prefix { $0.properties.isAlphabetic }
      let prefix = string(word.reversed()[...])
      let isSpaced = index + 1 < scalars.count && scalars[index + 1].properties.isWhitespace
      if isSpaced || !["kind", "name"].contains(prefix) { return index }
    }
    return nil
  }

  /// The parts between commas that stand outside of brackets.
  private static func divided(_ scalars: [Unicode.Scalar], from start: Int) -> [Range<Int>] {
    var parts: [Range<Int>] = []
    var (begin, depth) = (start, 0)
    for index in start..<scalars.count {
      switch scalars[index] {
      case "(", "[": depth += 1
      case ")", "]": depth -= 1
      case "," where depth == 0:
        parts.append(begin..<index)
        begin = index + 1
      default: break
      }
    }
    parts.append(begin..<scalars.count)
    return parts
  }

  static func string(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
    var text = String.UnicodeScalarView()
    text.append(contentsOf: scalars)
    return String(text)
  }
}

extension Rule {
  /// The order in which a loop over a model reaches its modules.
  public enum Order: String, Sendable, CaseIterable {
    /// `for m in model.modules()`: parents before children, each module once.
    case modules
    /// `model.apply(f)`: children before their parent.
    case apply
    /// A loop for each rule: the first walks the whole model before the second begins.
    case rules

    /// Finds an order by its name.
    ///
    /// - Throws: ``TensorCore/CheckpointError`` with code `malformed`, naming both.
    package init(named name: String) throws {
      guard let order = Self(rawValue: name) else {
        throw CheckpointError(
          .malformed, "unknown order '\(name)': expected modules, apply, or rules")
      }
      self = order
    }
  }
}
