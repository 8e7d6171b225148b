import TensorCore

/// Reads the text of one initializer from left to right.
struct InitializerScanner {
  let characters: [Character]
  private let firstColumn: Int
  var position = 0
  var depth = 0

  init(_ text: String, column: Int) {
    characters = Array(text)
    firstColumn = column
  }

  mutating func initializer() throws(CheckpointError) -> any Initializer {
    skipSpaces()
    let start = position
    if !isWordOfInitializer {
      let factor = try product()
      if isWordOfInitializer, characters[..<position].last(where: { !$0.isWhitespace }) == "*" {
        // `0.02 * normal`: a product is the same in both orders.
        let formula = try formula()
        return try InitializerFormula(
          formula.head, [.binary(.times, factor)] + formula.operations
        ).simplified()
      }
      position = start
      let number = try sum()
      if let constant = number.constant { return Constant(constant) }
      return InitializerFormula(.syntax(Constant.syntaxes[0], [.init(number, at: start + 1)]), [])
    }
    return try formula().simplified()
  }

  /// An initializer's name and arguments, then what is done to its values.
  private mutating func formula() throws(CheckpointError) -> InitializerFormula {
    var open = 0
    while accept("(") { open += 1 }
    skipSpaces()
    let column = column
    let start = position
    let word = identifier()
    var parts = word.split(separator: ".").map(String.init)
    // `normal.clamp(-2, 2)`: the method is read among the operations.
    if parts.count > 1, let last = parts.last, Self.methods.contains(last) {
      parts.removeLast()
      position = start + word.count - last.count - 1
    }
    var name = parts.last ?? word
    // `nn.init.xavier_uniform_`: the module prefix and PyTorch's mark of in-place functions may
    // stand.
    if name.hasSuffix("_") { name.removeLast() }
    let head: InitializerFormula.Head
    switch name {
    case "default": head = .layerDefault
    case "current": head = .current
    default:
      let all = InitializerText.known + InitializerText.stored
      guard let syntax = all.first(where: { $0.name == name }) else {
        throw InitializerText.error(
          column, "unknown initializer '\(word)'", suggesting: name,
          among: InitializerText.names)
      }
      head = .syntax(syntax, try arguments(of: syntax, at: column))
    }
    var operations = try operations()
    for _ in 0..<open {
      guard accept(")") else { throw unexpected("')'") }
      operations += try self.operations()
    }
    return InitializerFormula(head, operations)
  }

  /// What is done to the values by name.
  private static let methods: Set<String> = ["clamp", "clamp_", "erfinv", "erfinv_"]

  /// What is done to the values: `* 0.02 + 1`, `clamp(-2, 2)`, `erfinv`.
  private mutating func operations() throws(CheckpointError) -> [ElementOperation] {
    var operations: [ElementOperation] = []
    while true {
      let start = position
      if accept("*") {
        operations.append(.binary(.times, try power()))
      } else if accept("/") {
        operations.append(.binary(.over, try power()))
      } else if accept("+") {
        operations.append(.binary(.plus, try product()))
      } else if accept("-") {
        operations.append(.binary(.minus, try product()))
      } else {
        _ = accept(".")
        let word = identifier()
        guard Self.methods.contains(word) else {
          position = start
          return operations
        }
        if word.hasPrefix("clamp") {
          operations.append(try clamp())
        } else {
          operations.append(.erfinv)
          if accept("("), !accept(")") { throw unexpected("')'") }
        }
      }
    }
  }

  private mutating func clamp() throws(CheckpointError) -> ElementOperation {
    guard accept("(") else { throw unexpected("'('") }
    var bounds: [NumberExpression?] = [nil, nil]
    var index = 0
    while !accept(")") {
      if index > 0, !accept(",") { throw unexpected("',' or ')'") }
      let keyword = keyword()
      let place = ["min": 0, "max": 1][keyword ?? ""] ?? index
      guard place < 2, keyword == nil || keyword == "min" || keyword == "max",
        bounds[place] == nil
      else { throw unexpected("clamp(min, max)") }
      bounds[place] = try sum()
      index += 1
    }
    return .clamp(
      bounds[0] ?? .number(-.infinity), bounds[1] ?? .number(.infinity))
  }

  mutating func end(_ wanted: String) throws(CheckpointError) {
    skipSpaces()
    if next != nil { throw unexpected(wanted) }
  }

  private mutating func arguments(
    of syntax: InitializerSyntax, at start: Int
  ) throws(CheckpointError) -> [InitializerSyntax.Argument?] {
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
    return given
  }

  /// A name and the `=` after it; nothing is read if there is no `=`.
  private mutating func keyword() -> String? {
    let start = position
    let word = identifier()
    if !word.isEmpty, accept("=") { return word }
    position = start
    return nil
  }

  mutating func argument(
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
    if !word.isEmpty, parameter.kind == .word || !accept("("), Double(word) == nil,
      parameter.kind == .word || !Self.isNumberName(word)
    {
      return .init(value: .word(word), column: column)
    }
    position = start
    return .init(try sum(), at: column)
  }

  var next: Character? { position < characters.count ? characters[position] : nil }
  var column: Int { firstColumn + position }

  /// Whether what follows is an initializer's name, not a number's or that of a function of numbers.
  var isWordOfInitializer: Bool {
    var ahead = self
    while ahead.accept("(") {}
    let word = ahead.identifier()
    if word.isEmpty || Double(word) != nil || Self.isNumberName(word) { return false }
    return !(Self.isFunction(word) && ahead.accept("("))
  }

  mutating func identifier() -> String {
    skipSpaces()
    guard let first = next, first.isWordStart else { return "" }
    let start = position
    while let next, next.isWordStart || next.isDigit || next == "." { position += 1 }
    return String(characters[start..<position])
  }

  mutating func accept(_ character: Character) -> Bool {
    skipSpaces()
    guard next == character else { return false }
    position += 1
    return true
  }

  mutating func skipSpaces() {
    while let next, next.isSpace { position += 1 }
  }

  func unexpected(_ wanted: String) -> CheckpointError {
    let found = next.map { "'\($0)'" } ?? "the end"
    return InitializerText.error(column, "expected \(wanted), found \(found)")
  }
}

/// Properties of characters without Unicode's tables where they are ASCII, as nearly all are.
extension Character {
  fileprivate var isSpace: Bool {
    guard let ascii = utf8.first, ascii < 128 else { return isWhitespace }
    return ascii == UInt8(ascii: " ") || (9...13).contains(ascii)
  }

  fileprivate var isWordStart: Bool {
    guard let ascii = asciiValue else { return isLetter }
    return (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(ascii | 32) || self == "_"
  }

  fileprivate var isDigit: Bool {
    guard let ascii = asciiValue else { return isNumber }
    return (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(ascii)
  }
}
