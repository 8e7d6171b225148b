internal import TensorCore

/// The text of steps: in rules sums, products, and `clamp`; in a model description all of them.
extension ElementStep: CustomStringConvertible {
  private static let signs: KeyValuePairs<String, @Sendable (Double) -> ElementStep> = [
    "*": { .times($0) }, "/": { .over($0) }, "+": { .plus($0) }, "-": { .minus($0) },
    "rsub": { .from($0) }, "rdiv": { .into($0) }, "pow": { .power($0) },
  ]

  /// Reads one step of a model description.
  init(_ text: String) throws(CheckpointError) {
    let words = text.split { " (),".contains($0) }.map(String.init)
    let numbers = words.dropFirst().compactMap { Double($0) }
    if let word = words.first, numbers.count == words.count - 1 {
      if numbers.isEmpty, let function = ElementFunction(rawValue: word) {
        self = .function(function)
        return
      }
      if numbers.isEmpty, let dtype = DType(named: word),
        dtype.isComputable || dtype.isFloatingPoint
      {
        self = .cast(dtype)
        return
      }
      if numbers.count == 1, let make = Self.signs.first(where: { $0.key == word })?.value {
        self = make(numbers[0])
        return
      }
      if numbers.count == 1, let comparison = Comparison(rawValue: word) {
        self = .compare(comparison, numbers[0])
        return
      }
      if word == "clamp", numbers.count == 2 {
        self = .clamp(numbers[0], numbers[1])
        return
      }
    }
    throw CheckpointError(
      .malformed,
      "unknown operation '\(text)': expected a dtype, clamp LOW HIGH, one of "
        + "\(ElementFunction.allCases.map(\.rawValue).joined(separator: ", ")), or one of "
        + "\((Self.signs.map(\.key) + Comparison.allCases.map(\.rawValue)).joined(separator: " ")) "
        + "and a number")
  }

  public var description: String {
    func text(_ number: Double) -> String { InitializerSyntax.text(number) }
    return switch self {
    case .times(let number): "* \(text(number))"
    case .over(let number): "/ \(text(number))"
    case .plus(let number): "+ \(text(number))"
    case .minus(let number): "- \(text(number))"
    case .from(let number): "rsub \(text(number))"
    case .into(let number): "rdiv \(text(number))"
    case .power(let number): "pow \(text(number))"
    case .clamp(let lower, let upper): "clamp(\(text(lower)), \(text(upper)))"
    case .function(let function): function.rawValue
    case .compare(let comparison, let number): "\(comparison.rawValue) \(text(number))"
    case .cast(let dtype): dtype.torchName
    }
  }
}
