package import TensorCore

/// Initializers as text: `xavier_uniform(gain=2)`, `normal(0, 0.02)`, `0.25`.
///
/// Names, parameters, their order and defaults are those of `torch.nn.init`; a trailing underscore
/// and a module prefix (`nn.init.`) may stand or not. Values are numbers, `sqrt(5)`, products and
/// quotients of these, or words with or without quotes; a gain may be the name of its nonlinearity
/// or `calculate_gain('leaky_relu', 0.2)`. A bare number is a constant. Sums and products with
/// numbers may follow, `normal * 0.02`, which act on the values: ``Arithmetic``.
package enum InitializerText {
  /// Every initializer that can be written; a new one is one file and one word here.
  static let known: [InitializerSyntax] =
    [
      Uniform.syntax, Normal.syntax, TruncatedNormal.syntax, XavierUniform.syntax,
      XavierNormal.syntax, KaimingUniform.syntax, KaimingNormal.syntax, Orthogonal.syntax,
      Sparse.syntax, Eye.syntax, Dirac.syntax,
    ] + Constant.syntaxes

  /// Names of all initializers, as they are written.
  package static var names: [String] { known.map(\.name) }

  /// One text for every initializer, with a value for each parameter that has no default.
  package static var examples: [String] {
    known.map { syntax in
      let required = syntax.parameters.filter(\.isRequired).map { "\($0.name)=0.3" }
      return required.isEmpty
        ? syntax.name : "\(syntax.name)(\(required.joined(separator: ", ")))"
    }
  }

  /// Parses one initializer; `column` is where the text begins in its line, counted from 1.
  ///
  /// - Throws: ``TensorCore/CheckpointError``, `malformed`, with the column, what was found there
  ///   and the
  ///   nearest name.
  package static func parse(
    _ text: String, column: Int = 1
  ) throws(CheckpointError) -> any Initializer {
    var scanner = InitializerScanner(text, column: column)
    let initializer = try scanner.initializer()
    try scanner.end()
    return initializer
  }

  static func error(
    _ column: Int, _ message: String, suggesting text: String? = nil, among names: [String] = []
  ) -> CheckpointError {
    var message = "column \(column): \(message)"
    if let nearest = text.flatMap({ nearestName(to: $0, among: names) }) {
      message += "; did you mean \(nearest)?"
    } else if !names.isEmpty {
      message += ": expected one of \(names.joined(separator: ", "))"
    }
    return CheckpointError(.malformed, message)
  }
}

/// Reads the text of one initializer from left to right.
private struct InitializerScanner {
  private let characters: [Character]
  private let firstColumn: Int
  private var position = 0
  private var depth = 0

  /// Deepest nesting of signs and functions, so that no text can exhaust the stack.
  private static let maxDepth = 100

  init(_ text: String, column: Int) {
    characters = Array(text)
    firstColumn = column
  }

  mutating func initializer() throws(CheckpointError) -> any Initializer {
    skipSpaces()
    let column = column
    guard let next, next.isLetter || next == "_", !isNumberWord else {
      return Constant(try number())
    }
    let word = identifier()
    var name = word.split(separator: ".").last.map(String.init) ?? word
    // `nn.init.xavier_uniform_`: the module prefix and PyTorch's mark of in-place functions may
    // stand.
    if name.hasSuffix("_") { name.removeLast() }
    guard let syntax = InitializerText.known.first(where: { $0.name == name }) else {
      throw InitializerText.error(
        column, "unknown initializer '\(word)'", suggesting: name,
        among: InitializerText.names)
    }
    let initializer = try syntax.make(try arguments(of: syntax, at: column))
    let steps = try steps()
    return steps.isEmpty ? initializer : Arithmetic(initializer, steps)
  }

  /// Arithmetic that is applied to the values: `* 0.02 + 1`.
  private mutating func steps() throws(CheckpointError) -> [Arithmetic.Step] {
    var steps: [Arithmetic.Step] = []
    while true {
      if accept("*") {
        steps.append(.times(try factor()))
      } else if accept("/") {
        steps.append(.over(try factor()))
      } else if accept("+") {
        steps.append(.plus(try factor()))
      } else if accept("-") {
        steps.append(.minus(try factor()))
      } else {
        return steps
      }
    }
  }

  mutating func end() throws(CheckpointError) {
    skipSpaces()
    if next != nil { throw unexpected("the end of the initializer") }
  }

  private mutating func arguments(
    of syntax: InitializerSyntax, at start: Int
  ) throws(CheckpointError) -> InitializerSyntax.Values {
    let parameters = syntax.parameters
    var given = [InitializerSyntax.Argument?](repeating: nil, count: parameters.count)
    var count = 0
    var keywordSeen = false
    if accept("(") {
      while !accept(")") {
        if count > 0, !accept(",") { throw unexpected("',' or ')'") }
        if count > 0, accept(")") { break }
        skipSpaces()
        let column = column
        var index = count
        if let keyword = keyword() {
          keywordSeen = true
          guard let found = parameters.firstIndex(where: { $0.name == keyword }) else {
            throw InitializerText.error(
              column, "\(syntax.name) has no argument '\(keyword)'", suggesting: keyword,
              among: parameters.map(\.name))
          }
          index = found
        } else if keywordSeen {
          throw InitializerText.error(column, "positional value after a named one")
        } else if index >= parameters.count {
          throw InitializerText.error(
            column, "\(syntax.name) takes \(parameters.count) values, found more")
        }
        if given[index] != nil {
          throw InitializerText.error(column, "\(parameters[index].name) is given twice")
        }
        given[index] = try argument(of: parameters[index])
        count += 1
      }
    }
    for (index, parameter) in parameters.enumerated() where given[index] == nil {
      if parameter.isRequired {
        throw InitializerText.error(start, "\(syntax.name): expected a value for \(parameter.name)")
      }
      given[index] = parameter.initial.map { .init(value: $0, column: start) }
    }
    return .init(parameters: parameters, arguments: given)
  }

  /// A name and the `=` after it; nothing is read if there is no `=`.
  private mutating func keyword() -> String? {
    let start = position
    let word = identifier()
    if !word.isEmpty, accept("=") { return word }
    position = start
    return nil
  }

  private mutating func argument(
    of parameter: InitializerSyntax.Parameter
  ) throws(CheckpointError) -> InitializerSyntax.Argument {
    skipSpaces()
    let column = column
    if let quote = next, quote == "'" || quote == "\"" {
      position += 1
      let start = position
      while let next, next != quote { position += 1 }
      guard next != nil else {
        throw InitializerText.error(column, "the quote \(quote) is not closed")
      }
      position += 1
      return .init(value: .word(String(characters[start..<position - 1])), column: column)
    }
    let start = position
    let word = identifier()
    if !word.isEmpty, !accept("("), Double(word) == nil {
      return .init(value: .word(word), column: column)
    }
    position = start
    return .init(value: .number(try number()), column: column)
  }

  /// A factor, or several with `*` and `/` between them.
  private mutating func number() throws(CheckpointError) -> Double {
    var value = try factor()
    while true {
      if accept("*") {
        value *= try factor()
      } else if accept("/") {
        value /= try factor()
      } else {
        return value
      }
    }
  }

  private mutating func factor() throws(CheckpointError) -> Double {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.maxDepth else {
      throw InitializerText.error(column, "expected at most \(Self.maxDepth) levels, found more")
    }
    if accept("-") { return -(try factor()) }
    if accept("+") { return try factor() }
    skipSpaces()
    let (start, column) = (position, column)
    let function = identifier()
    if !function.isEmpty, accept("(") {
      return try call(function, at: column)
    }
    position = start
    while let next, next.isLetter || next.isNumber || next == "." || next == "_" || isExponentSign {
      position += 1
    }
    if let value = Double(String(characters[start..<position])) { return value }
    position = start
    throw unexpected("an initializer or a number")
  }

  private mutating func call(
    _ function: String, at column: Int
  ) throws(CheckpointError) -> Double {
    let value: Double
    switch function.split(separator: ".").last {
    case "sqrt": value = try number().squareRoot()
    case "calculate_gain":
      let word = try argument(of: .word("nonlinearity", default: ""))
      let slope = accept(",") ? try number() : nil
      let choice = try InitializerSyntax.Values(
        parameters: [.word("nonlinearity", default: "")], arguments: [word]
      ).word(0, Nonlinearity.self)
      value = choice.gain(slope)
    default:
      throw InitializerText.error(
        column, "unknown function '\(function)(…)': expected sqrt or calculate_gain")
    }
    guard accept(")") else { throw unexpected("')'") }
    return value
  }

  private var next: Character? { position < characters.count ? characters[position] : nil }
  private var column: Int { firstColumn + position }

  /// Whether what follows is a number's name (`inf`, `nan`) or a function of numbers.
  private var isNumberWord: Bool {
    var ahead = self
    let word = ahead.identifier()
    return Double(word) != nil || ["sqrt", "math.sqrt"].contains(word)
  }

  /// Whether the next character is the sign in `1e-5`.
  private var isExponentSign: Bool {
    guard let next, next == "-" || next == "+", position > 1 else { return false }
    return "eE".contains(characters[position - 1]) && characters[position - 2].isNumber
      || "eE".contains(characters[position - 1]) && characters[position - 2] == "."
  }

  private mutating func identifier() -> String {
    skipSpaces()
    guard let first = next, first.isLetter || first == "_" else { return "" }
    let start = position
    while let next, next.isLetter || next.isNumber || next == "_" || next == "." { position += 1 }
    return String(characters[start..<position])
  }

  private mutating func accept(_ character: Character) -> Bool {
    skipSpaces()
    guard next == character else { return false }
    position += 1
    return true
  }

  private mutating func skipSpaces() {
    while let next, next.isWhitespace { position += 1 }
  }

  private func unexpected(_ wanted: String) -> CheckpointError {
    let found = next.map { "'\($0)'" } ?? "the end"
    return InitializerText.error(column, "expected \(wanted), found \(found)")
  }
}
