import TensorCore

/// Numbers in the text of an initializer, as Python reads them.
extension InitializerScanner {
  /// Deepest nesting of signs and functions, so that no text can exhaust the stack.
  private static let maxDepth = 100
  /// Most operations in a row, for the same reason: they nest to the left.
  private static let maxTerms = 100

  private static let modules: Set<Substring> = ["math", "np", "numpy", "torch"]

  static func isNumberName(_ word: String) -> Bool {
    word == "shape" || word == "math.pi" || word == "pi" || NumberExpression.names.contains(word)
  }

  /// Whether a word is the name of a function of numbers.
  static func isFunction(_ word: String) -> Bool {
    let parts = word.split(separator: ".")
    guard let name = parts.last,
      parts.dropLast().allSatisfy({ modules.contains($0) || $0 == "nn" || $0 == "init" })
    else { return false }
    return name == "size" || name == "calculate_gain"
      || NumberExpression.Function(rawValue: String(name)) != nil
  }

  /// Sums of products.
  mutating func sum() throws(CheckpointError) -> NumberExpression {
    var value = try product()
    for _ in 0..<Self.maxTerms {
      if accept("+") {
        value = .folded(.plus, value, try product())
      } else if accept("-") {
        value = .folded(.minus, value, try product())
      } else {
        return value
      }
    }
    throw unexpected("at most \(Self.maxTerms) terms")
  }

  /// A factor, or several with `*`, `/`, and `//` between them.
  ///
  /// Stops after a `*` that an initializer follows.
  mutating func product() throws(CheckpointError) -> NumberExpression {
    var value = try power()
    for _ in 0..<Self.maxTerms {
      if accept("*") {
        if isWordOfInitializer { return value }
        value = .folded(.times, value, try power())
      } else if accept("/") {
        value =
          accept("/")
          ? .folded(.wholeOver, value, try power()) : .folded(.over, value, try power())
      } else {
        return value
      }
    }
    throw unexpected("at most \(Self.maxTerms) factors")
  }

  /// A sign binds less than a power: `-2**2` is -4.
  mutating func power() throws(CheckpointError) -> NumberExpression {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.maxDepth else {
      throw InitializerText.error(column, "expected at most \(Self.maxDepth) levels, found more")
    }
    if accept("-") {
      let inner = try power()
      return inner.constant.map { .number(-$0) } ?? .negative(inner)
    }
    if accept("+") { return try power() }
    let base = try factor()
    guard acceptPower() else { return base }
    return .folded(.power, base, try power())
  }

  private mutating func acceptPower() -> Bool {
    skipSpaces()
    guard position + 1 < characters.count, characters[position] == "*",
      characters[position + 1] == "*"
    else { return false }
    position += 2
    return true
  }

  private mutating func factor() throws(CheckpointError) -> NumberExpression {
    if accept("(") {
      let inner = try sum()
      guard accept(")") else { throw unexpected("')'") }
      return inner
    }
    skipSpaces()
    let (start, column) = (position, column)
    let word = identifier()
    if !word.isEmpty {
      if word == "shape" {
        guard accept("["), let index = try sum().constant.flatMap({ Int(exactly: $0) }),
          accept("]")
        else { throw unexpected("shape[INDEX]") }
        return .size(index)
      }
      if word == "pi" || word == "math.pi" { return .number(.pi) }
      if Self.isNumberName(word), Double(word) == nil { return .name(word) }
      if accept("(") { return try call(word, at: column) }
    }
    position = start
    while let next, next.isLetter || next.isNumber || next == "." || next == "_" || isExponentSign {
      position += 1
    }
    if let value = Double(String(characters[start..<position])) { return .number(value) }
    position = start
    if !word.isEmpty {
      let near = nearestName(to: word, among: NumberExpression.names)
      throw InitializerText.error(
        column, "unknown number '\(word)'" + (near.map { "; did you mean \($0)?" } ?? ""))
    }
    throw unexpected("an initializer or a number")
  }

  private mutating func call(
    _ word: String, at column: Int
  ) throws(CheckpointError) -> NumberExpression {
    let name = word.split(separator: ".").last.map(String.init) ?? word
    let value: NumberExpression
    if name == "calculate_gain" {
      let choice = try argument(of: .word("nonlinearity", default: ""))
      let slope = accept(",") ? try sum().constant : nil
      let nonlinearity = try InitializerSyntax.Values(
        parameters: [.word("nonlinearity", default: "")], arguments: [choice]
      ).word(0, Nonlinearity.self)
      value = .number(nonlinearity.gain(slope))
    } else if name == "size" {
      guard let index = try sum().constant.flatMap({ Int(exactly: $0) }) else {
        throw unexpected("size(INDEX)")
      }
      value = .size(index)
    } else if let function = NumberExpression.Function(rawValue: name), Self.isFunction(word) {
      var arguments = [try sum()]
      while accept(",") { arguments.append(try sum()) }
      guard arguments.count == function.arity else {
        throw InitializerText.error(
          column,
          "\(name): expected \(function.arity == 1 ? "1 number" : "2 numbers"), found \(arguments.count)"
        )
      }
      let call = NumberExpression.call(function, arguments)
      value = call.constant.map { .number($0) } ?? call
    } else {
      throw InitializerText.error(
        column,
        "unknown function '\(word)(…)': expected sqrt or calculate_gain, or one of "
          + NumberExpression.Function.allCases.dropFirst().map(\.rawValue).joined(separator: ", "))
    }
    guard accept(")") else { throw unexpected("')'") }
    return value
  }

  /// Whether the next character is the sign in `1e-5`.
  private var isExponentSign: Bool {
    guard let next, next == "-" || next == "+", position > 1 else { return false }
    return "eE".contains(characters[position - 1]) && characters[position - 2].isNumber
      || "eE".contains(characters[position - 1]) && characters[position - 2] == "."
  }
}

extension NumberExpression {
  /// The operation, done at once if no sizes are needed.
  static func folded(
    _ operation: Operation, _ left: NumberExpression, _ right: NumberExpression
  ) -> NumberExpression {
    let whole = NumberExpression.binary(operation, left, right)
    return whole.constant.map { .number($0) } ?? whole
  }
}
