package import TensorCore

/// An initializer that depends on where it is used: on sizes, on the layer's own way, or on the
/// values that are there.
///
/// ``resolved(for:in:)`` makes a plain one of it for one tensor.
package struct InitializerFormula: Initializer {
  /// What makes the values first.
  package enum Head: Sendable {
    /// An initializer with arguments that may be computed from sizes.
    case syntax(InitializerSyntax, [InitializerSyntax.Argument?])
    /// The layer's own `reset_parameters`.
    case layerDefault
    /// The values that the tensor has; nothing is drawn.
    case current
  }

  let head: Head
  let operations: [ElementOperation]

  package let name = "formula"

  init(_ head: Head, _ operations: [ElementOperation]) {
    self.head = head
    self.operations = operations
  }

  /// What a formula comes down to for one tensor.
  enum Resolved {
    case initializer(any Initializer)
    /// Steps on the values that are there.
    case steps([ElementStep])
  }

  /// The plain initializer, if the place does not matter.
  func simplified() throws(CheckpointError) -> any Initializer {
    let steps = operations.compactMap(\.constant)
    guard case .syntax(let syntax, let arguments) = head, steps.count == operations.count,
      let constants = Self.constants(arguments)
    else { return self }
    let base = try syntax.make(.init(parameters: syntax.parameters, arguments: constants))
    return steps.isEmpty ? base : Arithmetic(base, steps)
  }

  /// Settles the formula for the tensor of a context, whose layer fills it as `initial` does.
  func resolved(
    initial: (any Initializer)?, in context: NumberContext
  ) throws(CheckpointError) -> Resolved {
    var steps: [ElementStep] = []
    for operation in operations { steps.append(try operation.step(in: context)) }
    let base: any Initializer
    switch head {
    case .current: return .steps(steps)
    case .layerDefault:
      guard let initial else {
        throw CheckpointError(.missing, "its default initialization is unknown; pass --rule")
      }
      base = initial
    case .syntax(let syntax, let arguments):
      var settled: [InitializerSyntax.Argument?] = []
      for argument in arguments {
        guard case .expression(let expression) = argument?.value else {
          settled.append(argument)
          continue
        }
        settled.append(
          .init(value: .number(try expression.value(in: context)), column: argument?.column ?? 1))
      }
      base = try syntax.make(.init(parameters: syntax.parameters, arguments: settled))
    }
    return .initializer(steps.isEmpty ? base : Arithmetic(base, steps))
  }

  /// Settles what needs no more than the tensor's own sizes.
  package func fill(for info: TensorInfo) throws -> TensorFill {
    guard
      case .initializer(let initializer) = try resolved(
        initial: nil, in: NumberContext(shape: info.shape))
    else { throw CheckpointError(.missing, "'current' needs a rule on a tensor that has values") }
    return try initializer.fill(for: info)
  }

  package var description: String {
    let text =
      switch head {
      case .layerDefault: "default"
      case .current: "current"
      case .syntax(let syntax, let arguments): Self.text(syntax, arguments)
      }
    return Self.text(text, operations.map(\.description))
  }

  /// An initializer and what is done to its values, with parentheses where a product follows a sum.
  static func text(_ initializer: String, _ operations: [String]) -> String {
    var (text, isSum) = (initializer, false)
    for operation in operations {
      if isSum, "*/".contains(operation.first ?? " ") { text = "(\(text))" }
      if "*/+-".contains(operation.first ?? " ") { isSum = "+-".contains(operation.first ?? " ") }
      text += " \(operation)"
    }
    return text
  }

  private static func constants(
    _ arguments: [InitializerSyntax.Argument?]
  ) -> [InitializerSyntax.Argument?]? {
    let isConstant = arguments.allSatisfy {
      if case .expression = $0?.value { false } else { true }
    }
    return isConstant ? arguments : nil
  }

  private static func text(
    _ syntax: InitializerSyntax, _ arguments: [InitializerSyntax.Argument?]
  ) -> String {
    let given = zip(syntax.parameters, arguments).compactMap { parameter, argument -> String? in
      guard let value = argument?.value, value != parameter.initial else { return nil }
      return switch value {
      case .number(let number): "\(parameter.name)=\(InitializerSyntax.text(number))"
      case .word(let word): "\(parameter.name)=\(word)"
      case .expression(let expression): "\(parameter.name)=\(expression)"
      }
    }
    return given.isEmpty ? syntax.name : "\(syntax.name)(\(given.joined(separator: ", ")))"
  }
}

/// A step on every element whose numbers may be computed from sizes.
enum ElementOperation: Hashable, Sendable, CustomStringConvertible {
  case binary(NumberExpression.Operation, NumberExpression)
  case clamp(NumberExpression, NumberExpression)
  case erfinv

  /// The step, if no sizes are needed.
  var constant: ElementStep? {
    switch self {
    case .binary(let operation, let number): number.constant.flatMap { Self.step(operation, $0) }
    case .clamp(let lower, let upper):
      lower.constant.flatMap { lower in upper.constant.map { .clamp(lower, $0) } }
    case .erfinv: .function(.erfinv)
    }
  }

  func step(in context: NumberContext) throws(CheckpointError) -> ElementStep {
    switch self {
    case .binary(let operation, let number):
      guard let step = Self.step(operation, try number.value(in: context)) else {
        throw CheckpointError(.malformed, "'\(operation.rawValue)' does not act on tensors here")
      }
      return step
    case .clamp(let lower, let upper):
      return .clamp(try lower.value(in: context), try upper.value(in: context))
    case .erfinv: return .function(.erfinv)
    }
  }

  private static func step(
    _ operation: NumberExpression.Operation, _ number: Double
  ) -> ElementStep? {
    switch operation {
    case .times: .times(number)
    case .over: .over(number)
    case .plus: .plus(number)
    case .minus: .minus(number)
    case .wholeOver, .power: nil
    }
  }

  var description: String {
    if let constant { return constant.description }
    return switch self {
    case .binary(let operation, let number): "\(operation.rawValue) (\(number))"
    case .clamp(let lower, let upper): "clamp(\(lower), \(upper))"
    case .erfinv: "erfinv"
    }
  }
}
