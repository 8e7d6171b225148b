internal import TensorCore

/// How an initializer is written: its name, its parameters in PyTorch's order with their
/// defaults, and what the values make.
package struct InitializerSyntax: Sendable {
  /// A parameter's name, what it takes and its default.
  struct Parameter: Sendable {
    enum Kind: Sendable {
      case number
      /// A number, or the name of a nonlinearity for its gain.
      case gain
      case word
    }

    let name: String
    let kind: Kind
    let initial: Value?
    let isRequired: Bool

    static func number(_ name: String, default initial: Double) -> Self {
      Self(name: name, kind: .number, initial: .number(initial), isRequired: false)
    }
    static func gain(_ name: String) -> Self {
      Self(name: name, kind: .gain, initial: .number(1), isRequired: false)
    }
    static func word(_ name: String, default initial: String) -> Self {
      Self(name: name, kind: .word, initial: .word(initial), isRequired: false)
    }
    static func required(_ name: String) -> Self {
      Self(name: name, kind: .number, initial: nil, isRequired: true)
    }
    static func optional(_ name: String) -> Self {
      Self(name: name, kind: .number, initial: nil, isRequired: false)
    }
  }

  enum Value: Sendable, Hashable {
    case number(Double)
    case word(String)
    /// A number that is computed from sizes.
    case expression(NumberExpression)
  }

  /// A value as it was written, with the column where it begins.
  package struct Argument: Sendable {
    let value: Value
    let column: Int

    init(value: Value, column: Int) {
      self.value = value
      self.column = column
    }

    /// A number, at once if no sizes are needed.
    init(_ number: NumberExpression, at column: Int) {
      self.init(value: number.constant.map { .number($0) } ?? .expression(number), column: column)
    }
  }

  /// One argument for each parameter, `nil` where an optional one was left out.
  struct Values {
    let parameters: [Parameter]
    let arguments: [Argument?]

    func number(_ index: Int) throws(CheckpointError) -> Double {
      guard let number = try optionalNumber(index) else {
        throw InitializerText.error(1, "\(parameters[index].name) is missing")
      }
      return number
    }

    func integer(_ index: Int, atLeast least: Int) throws(CheckpointError) -> Int {
      let number = try number(index)
      guard let integer = Int(exactly: number), integer >= least else {
        throw InitializerText.error(
          arguments[index]?.column ?? 1,
          "\(parameters[index].name): expected a whole number of \(least) or more, found "
            + text(number))
      }
      return integer
    }

    func optionalInteger(_ index: Int, atLeast least: Int) throws(CheckpointError) -> Int? {
      arguments[index] == nil ? nil : try integer(index, atLeast: least)
    }

    /// The case of `choices` that a word names, in either letter case, as PyTorch takes it.
    func word<Choice: RawRepresentable<String> & CaseIterable>(
      _ index: Int, _ choices: Choice.Type
    ) throws(CheckpointError) -> Choice {
      let parameter = parameters[index].name
      let column = arguments[index]?.column ?? 1
      let names = Choice.allCases.map(\.rawValue)
      switch arguments[index]?.value {
      case .word(let word):
        if let choice = Choice(rawValue: word) ?? Choice(rawValue: word.lowercased()) {
          return choice
        }
        throw InitializerText.error(
          column, "\(parameter) has no value '\(word)'", suggesting: word, among: names)
      case .number(let number):
        throw InitializerText.error(
          column,
          "\(parameter): expected one of \(names.joined(separator: ", ")), found \(text(number))")
      case .expression(let expression):
        throw InitializerText.error(
          column,
          "\(parameter): expected one of \(names.joined(separator: ", ")), found \(expression)")
      case nil:
        throw InitializerText.error(column, "\(parameter) is missing")
      }
    }

    private func optionalNumber(_ index: Int) throws(CheckpointError) -> Double? {
      guard let argument = arguments[index] else { return nil }
      switch (argument.value, parameters[index].kind) {
      case (.number(let number), _): return number
      case (.word(let word), .gain):
        guard let nonlinearity = Nonlinearity(rawValue: word) else {
          throw InitializerText.error(
            argument.column, "\(parameters[index].name) has no value '\(word)'", suggesting: word,
            among: Nonlinearity.allCases.map(\.rawValue))
        }
        return nonlinearity.gain()
      case (.word(let word), _):
        throw InitializerText.error(
          argument.column, "\(parameters[index].name): expected a number, found '\(word)'")
      case (.expression(let expression), _):
        throw InitializerText.error(
          argument.column,
          "\(parameters[index].name): expected a number without sizes, found \(expression)")
      }
    }

    private func text(_ number: Double) -> String { InitializerSyntax.text(number) }
  }

  let name: String
  let parameters: [Parameter]
  let make: @Sendable (Values) throws(CheckpointError) -> any Initializer

  init(
    _ name: String, _ parameters: Parameter...,
    make: @escaping @Sendable (Values) throws(CheckpointError) -> any Initializer
  ) {
    self.name = name
    self.parameters = parameters
    self.make = make
  }

  /// A number's shortest text that reads back equal, whole numbers without a fraction.
  static func text(_ number: Double) -> String {
    let text = number.description
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  /// `name(parameter=value, …)` with the values, in the order of the parameters, that are not the
  /// default; just `name` if all are.
  func text(_ values: Double?...) -> String {
    let written = zip(parameters, values).compactMap { parameter, value in
      value.flatMap {
        .number($0) == parameter.initial ? nil : "\(parameter.name)=\(Self.text($0))"
      }
    }
    return written.isEmpty ? name : "\(name)(\(written.joined(separator: ", ")))"
  }
}
