package import TensorCore

/// Initializers as text: `xavier_uniform(gain=2)`, `normal(0, 0.02)`, `0.25`.
///
/// Names, parameters, their order and defaults are those of `torch.nn.init`; a trailing underscore
/// and a module prefix (`nn.init.`) may stand or not. Values are numbers, `sqrt(5)`, products and
/// quotients of these, or words with or without quotes; a gain may be the name of its nonlinearity
/// or `calculate_gain('leaky_relu', 0.2)`. A bare number is a constant. Sums and products with
/// numbers may follow, `normal * 0.02`, and `clamp(-2, 2)` and `erfinv`, which act on the values:
/// ``Arithmetic``.
/// `default` is the layer's own way, and `current` the values that are there. Numbers may be computed
/// from sizes, ``NumberExpression``: `uniform(-1/sqrt(fan_in), 1/sqrt(fan_in))`.
package enum InitializerText {
  /// Every initializer that can be written; a new one is one file and one word here.
  static let known: [InitializerSyntax] =
    [
      Uniform.syntax, Normal.syntax, TruncatedNormal.syntax, XavierUniform.syntax,
      XavierNormal.syntax, KaimingUniform.syntax, KaimingNormal.syntax, Orthogonal.syntax,
      Sparse.syntax, Eye.syntax, Dirac.syntax, RandomInteger.syntax, Bernoulli.syntax,
      RandomOrder.syntax, InvertedNormal.syntax, InvertedNormal.scaledSyntax,
    ] + Constant.syntaxes

  /// What descriptions of library models hold besides: tables that nobody would ask for by a rule.
  static let stored: [InitializerSyntax] = [RelativePositions.syntax, SinusoidalPositions.syntax]

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
    try scanner.end("the end of the initializer")
    return initializer
  }

  /// Parses a number, which may be computed from sizes.
  package static func number(
    _ text: String, column: Int = 1
  ) throws(CheckpointError) -> NumberExpression {
    var scanner = InitializerScanner(text, column: column)
    let number = try scanner.sum()
    try scanner.end("the end of the number")
    return number
  }

  /// Parses operations on the values that are there: `* 0.5 clamp(-2, 2)`.
  package static func steps(_ text: String) throws(CheckpointError) -> [ElementStep] {
    guard let formula = try parse("current " + text) as? InitializerFormula,
      case let steps = formula.operations.compactMap(\.constant), !steps.isEmpty,
      steps.count == formula.operations.count
    else { throw error(1, "expected operations as '* 0.5' or 'clamp(-2, 2)', found '\(text)'") }
    return steps
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
