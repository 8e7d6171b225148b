internal import TensorCore
internal import TorchRandom

/// One operation on each value of a tensor, with its text in a model description: `neg`, `* 0.5`,
/// `clamp(-1, 1)`, `float16`.
///
/// As in PyTorch each rounds to the tensor's type; 16-bit types are computed in `float32`, and so
/// are the numbers.
enum DerivedOperation: Hashable, Sendable {
  case cast(DType)
  case times(Double), over(Double), plus(Double), minus(Double)
  /// The number less the value, and the number divided by it.
  case from(Double), into(Double)
  case clamp(Double, Double)
  case negated, magnitude, squareRoot, reciprocal, squared, sign, floor, ceil, rounded
  case less(Double), lessOrEqual(Double), greater(Double), greaterOrEqual(Double), equal(Double)
  case different(Double)

  private static let plain: KeyValuePairs<String, DerivedOperation> = [
    "neg": .negated, "abs": .magnitude, "sqrt": .squareRoot, "reciprocal": .reciprocal,
    "square": .squared, "sign": .sign, "floor": .floor, "ceil": .ceil, "round": .rounded,
  ]

  /// Reads one operation.
  init(_ text: String) throws(CheckpointError) {
    let words = text.split(separator: " ", omittingEmptySubsequences: true).map(String.init)
    if words.count == 1, let known = Self.plain.first(where: { $0.key == words[0] }) {
      self = known.value
      return
    }
    if words.count == 1, let dtype = DType(named: words[0]), dtype.isComputable {
      self = .cast(dtype)
      return
    }
    let numbers = words.dropFirst().compactMap { Double($0) }
    switch (words.first, numbers.count, words.count) {
    case ("clamp", 2, 3): self = .clamp(numbers[0], numbers[1])
    case ("*", 1, 2): self = .times(numbers[0])
    case ("/", 1, 2): self = .over(numbers[0])
    case ("+", 1, 2): self = .plus(numbers[0])
    case ("-", 1, 2): self = .minus(numbers[0])
    case ("rsub", 1, 2): self = .from(numbers[0])
    case ("rdiv", 1, 2): self = .into(numbers[0])
    case ("<", 1, 2): self = .less(numbers[0])
    case ("<=", 1, 2): self = .lessOrEqual(numbers[0])
    case (">", 1, 2): self = .greater(numbers[0])
    case (">=", 1, 2): self = .greaterOrEqual(numbers[0])
    case ("==", 1, 2): self = .equal(numbers[0])
    case ("!=", 1, 2): self = .different(numbers[0])
    default:
      throw CheckpointError(
        .malformed,
        "unknown operation '\(text)': expected a dtype, clamp LOW HIGH, one of "
          + "\(Self.plain.map(\.key).joined(separator: ", ")), or one of "
          + "* / + - rsub rdiv < <= > >= == != and a number")
    }
  }

  var description: String {
    func text(_ sign: String, _ number: Double) -> String {
      "\(sign) \(InitializerSyntax.text(number))"
    }
    return switch self {
    case .cast(let dtype): dtype.torchName
    case .times(let number): text("*", number)
    case .over(let number): text("/", number)
    case .plus(let number): text("+", number)
    case .minus(let number): text("-", number)
    case .from(let number): text("rsub", number)
    case .into(let number): text("rdiv", number)
    case .clamp(let low, let high): text(text("clamp", low), high)
    case .less(let number): text("<", number)
    case .lessOrEqual(let number): text("<=", number)
    case .greater(let number): text(">", number)
    case .greaterOrEqual(let number): text(">=", number)
    case .equal(let number): text("==", number)
    case .different(let number): text("!=", number)
    case .negated, .magnitude, .squareRoot, .reciprocal, .squared, .sign, .floor, .ceil, .rounded:
      Self.plain.first { $0.value == self }?.key ?? ""
    }
  }

  /// The type of the result for values of a type.
  func type(after dtype: DType) -> DType {
    switch self {
    case .cast(let dtype): dtype
    case .less, .lessOrEqual, .greater, .greaterOrEqual, .equal, .different: .bool
    default: dtype
    }
  }

  /// Applies the operation to values of a type.
  func apply(to values: inout [Double], of dtype: DType) {
    let result = type(after: dtype)
    let computes = dtype.computingType
    let round = { (value: Double) in result.settled(computes.settled(value)) }
    let number = { (number: Double) in computes.settled(number) }
    func each(_ body: (Double) -> Double) {
      for index in values.indices { values[index] = body(values[index]) }
    }
    switch self {
    case .cast: each { result.settled($0) }
    case .times(let factor): each { [factor = number(factor)] in round($0 * factor) }
    case .over(let divisor): each { [divisor = number(divisor)] in round($0 / divisor) }
    case .plus(let term): each { [term = number(term)] in round($0 + term) }
    case .minus(let term): each { [term = number(term)] in round($0 - term) }
    case .from(let term): each { [term = number(term)] in round(term - $0) }
    // PyTorch multiplies by the reciprocal, which has been rounded.
    case .into(let term): each { [term = number(term)] in round(round(1 / $0) * term) }
    case .clamp(let low, let high):
      let (low, high) = (result.settled(low), result.settled(high))
      each { $0.isNaN ? $0 : min(max($0, low), high) }
    case .negated: each { -$0 }
    case .magnitude: each { abs($0) }
    case .squareRoot: each { round($0.squareRoot()) }
    case .reciprocal: each { round(1 / $0) }
    case .squared: each { round($0 * $0) }
    case .sign: each { $0 > 0 ? 1 : $0 < 0 ? -1 : $0.isNaN ? $0 : 0 }
    case .floor: each { $0.rounded(.down) }
    case .ceil: each { $0.rounded(.up) }
    case .rounded: each { $0.rounded(.toNearestOrEven) }
    case .less(let bound): each { [bound = number(bound)] in $0 < bound ? 1 : 0 }
    case .lessOrEqual(let bound): each { [bound = number(bound)] in $0 <= bound ? 1 : 0 }
    case .greater(let bound): each { [bound = number(bound)] in $0 > bound ? 1 : 0 }
    case .greaterOrEqual(let bound): each { [bound = number(bound)] in $0 >= bound ? 1 : 0 }
    case .equal(let bound): each { [bound = number(bound)] in $0 == bound ? 1 : 0 }
    case .different(let bound): each { [bound = number(bound)] in $0 != bound ? 1 : 0 }
    }
  }
}

extension DType {
  /// Whether values are numbers that `Double` can compute with.
  var isComputable: Bool { isDrawable || isWhole || self == .bool }

  private var isWhole: Bool {
    [.uint8, .int8, .int16, .uint16, .int32, .uint32, .int64, .uint64].contains(self)
  }

  /// The type in which arithmetic runs: `float32` for the 16-bit types.
  var computingType: DType { self == .float16 || self == .bfloat16 ? .float32 : self }

  /// The nearest value of the type; whole numbers drop the fraction, as a cast in PyTorch does.
  func settled(_ value: Double) -> Double {
    if isDrawable { return rounded(value) }
    return self == .bool ? (value != 0 ? 1 : 0) : value.rounded(.towardZero)
  }
}
