import TensorCore

/// One assignment of a rule as text: `weight[0:4, :]=normal`, `*=xavier_uniform if dim > 1`.
extension Rule.Assignment: CustomStringConvertible {
  /// Reads what stands between two commas of a rule; `column` is where it begins.
  init(_ text: String, column: Int) throws(CheckpointError) {
    let scalars = Array(text.unicodeScalars)
    let words = text.trimmed
    if ["_reset_parameters", "reset_parameters"].contains(words.withoutCall) {
      self.init(words.withoutCall, nil)
      isCall = true
      return
    }
    var depth = 0
    let equals = scalars.firstIndex { scalar in
      if scalar == "[" { depth += 1 }
      if scalar == "]" { depth -= 1 }
      return scalar == "=" && depth == 0
    }
    guard let equals, case var name = Rule.string(scalars[..<equals]).trimmed, !name.isEmpty else {
      throw InitializerText.error(
        column, "expected PARAMETER=INITIALIZER, found '\(words)'")
    }
    var part: TensorPart?
    if name.hasSuffix("]"), let open = name.lastIndex(of: "["),
      case let inside = name[name.index(after: open)...].dropLast(),
      inside.contains(where: { ":,.".contains($0) }) || Int(String(inside).trimmed) != nil
    {
      part = try TensorPart(String(inside), column: column)
      name = String(name[..<open]).trimmed
    }
    var value = Rule.string(scalars[(equals + 1)...])
    var condition: Rule.Condition?
    if let place = value.firstRange(of: " if ") {
      condition = try Rule.Condition(
        String(value[place.upperBound...]),
        column: column + equals + 1 + value[..<place.upperBound].unicodeScalars.count)
      value = String(value[..<place.lowerBound])
    }
    if value.trimmed == "default" {
      self.init(name, nil)
    } else {
      self.init(name, try InitializerText.parse(value, column: column + equals + 1))
    }
    self.part = part
    self.condition = condition
  }

  /// What is assigned to.
  var target: String {
    parameter + (part.map { "[\($0)]" } ?? "") + (condition.map { " if \($0)" } ?? "")
  }

  /// The text from which an equal assignment is parsed.
  public var description: String {
    if isCall { return parameter }
    return parameter + (part.map { "[\($0)]" } ?? "") + "="
      + (initializer.map { "\($0)" } ?? "default") + (condition.map { " if \($0)" } ?? "")
  }
}

extension Rule {
  /// What must hold for a tensor to be taken: `dim > 1`.
  package struct Condition: Hashable, Sendable, CustomStringConvertible {
    private enum Comparison: String, CaseIterable {
      case atMost = "<="
      case atLeast = ">="
      case equal = "=="
      case unequal = "!="
      case less = "<"
      case more = ">"
    }

    private let left: NumberExpression
    private let comparison: Comparison
    private let right: NumberExpression

    init(_ text: String, column: Int) throws(CheckpointError) {
      for comparison in Comparison.allCases {
        guard let place = text.firstRange(of: comparison.rawValue) else { continue }
        left = try InitializerText.number(String(text[..<place.lowerBound]), column: column)
        right = try InitializerText.number(String(text[place.upperBound...]), column: column)
        self.comparison = comparison
        return
      }
      throw InitializerText.error(
        column, "expected a comparison as dim > 1, found '\(text.trimmed)'")
    }

    func holds(in context: NumberContext) throws(CheckpointError) -> Bool {
      let (left, right) = (try left.value(in: context), try right.value(in: context))
      return switch comparison {
      case .atMost: left <= right
      case .atLeast: left >= right
      case .equal: left == right
      case .unequal: left != right
      case .less: left < right
      case .more: left > right
      }
    }

    package var description: String { "\(left) \(comparison.rawValue) \(right)" }
  }
}

extension String {
  /// Without the parentheses of a call.
  fileprivate var withoutCall: String { hasSuffix("()") ? String(dropLast(2)) : self }
}
