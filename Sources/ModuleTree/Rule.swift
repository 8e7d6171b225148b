import TensorCore

/// What some modules' tensors are filled with: `Linear: weight=xavier_uniform(gain=2), bias=1`.
///
/// `default` stands for the layer's own `reset_parameters`.
public struct Rule: Sendable, CustomStringConvertible {
  /// One tensor's new values.
  public struct Assignment: Sendable {
    /// The tensor's name within its module.
    public let parameter: String
    /// How it is filled; `nil` for the layer's own way.
    public let initializer: (any Initializer)?

    /// Pairs a name with an initializer.
    public init(_ parameter: String, _ initializer: (any Initializer)?) {
      self.parameter = parameter
      self.initializer = initializer
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
      let piece = scalars[part]
      guard let equals = piece.firstIndex(of: "="),
        case let name = Self.string(piece[..<equals]).trimmed, !name.isEmpty
      else {
        throw CheckpointError(
          .malformed,
          "rule '\(text)', column \(part.lowerBound + 1): expected "
            + "PARAMETER=INITIALIZER, found '\(Self.string(piece).trimmed)'")
      }
      guard !assignments.contains(where: { $0.parameter.isSameText(name) }) else {
        throw CheckpointError(.malformed, "rule '\(text)' gives '\(name)' twice")
      }
      let value = Self.string(piece[(equals + 1)...])
      if value.trimmed == "default" {
        assignments.append(Assignment(name, nil))
      } else {
        do {
          let initializer = try InitializerText.parse(value, column: equals + 2)
          assignments.append(Assignment(name, initializer))
        } catch {
          throw CheckpointError(error.code, "rule '\(text)', \(error.message)")
        }
      }
    }
    self.init(selector, assignments)
  }

  /// The text from which an equal rule is parsed.
  public var description: String {
    let parts = assignments.map {
      "\($0.parameter)=\($0.initializer.map { "\($0)" } ?? "default")"
    }
    return "\(selector): \(parts.joined(separator: ", "))"
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

  /// The parts between commas that stand outside of parentheses.
  private static func divided(_ scalars: [Unicode.Scalar], from start: Int) -> [Range<Int>] {
    var parts: [Range<Int>] = []
    var (begin, depth) = (start, 0)
    for index in start..<scalars.count {
      switch scalars[index] {
      case "(": depth += 1
      case ")": depth -= 1
      case "," where depth == 0:
        parts.append(begin..<index)
        begin = index + 1
      default: break
      }
    }
    parts.append(begin..<scalars.count)
    return parts
  }

  private static func string(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
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

    /// Finds an order by its name.
    ///
    /// - Throws: ``TensorCore/CheckpointError`` with code `malformed`, naming both.
    package init(named name: String) throws {
      guard let order = Self(rawValue: name) else {
        throw CheckpointError(.malformed, "unknown order '\(name)': expected modules or apply")
      }
      self = order
    }
  }
}
