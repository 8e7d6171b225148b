internal import Glibc
public import TensorCore
internal import TorchRandom

/// One operation on every element of a tensor, with its text: `* 0.5`, `clamp(-2, 2)`, `neg`, `float16`.
///
/// As in PyTorch each step rounds to the tensor's type, 16-bit types being computed in `float32`, and so
/// are the numbers.
public enum ElementStep: Hashable, Sendable {
  /// The value times the number, divided by it, plus it, or less it.
  case times(Double), over(Double), plus(Double), minus(Double)
  /// The number less the value, and the number divided by it: `torch.rsub`, `2 / x`.
  case from(Double), into(Double)
  /// `torch.pow`; near PyTorch's values but for -2, -1, 2, and 3, see ``ElementFunction``.
  case power(Double)
  /// Replaces what is below the first number, or above the second, by it; NaN stays.
  case clamp(Double, Double)
  /// A function of the value alone.
  case function(ElementFunction)
  /// Whether the value is less than the number, and so on; gives `bool`.
  case compare(Comparison, Double)
  /// Rounds to another type.
  case cast(DType)

  /// How a value is compared with a number.
  public enum Comparison: String, Sendable, CaseIterable {
    /// The value is less.
    case less = "<"
    /// The value is less, or equal.
    case lessOrEqual = "<="
    /// The value is greater.
    case greater = ">"
    /// The value is greater, or equal.
    case greaterOrEqual = ">="
    /// The value is equal.
    case equal = "=="
    /// The value is not equal, or NaN.
    case different = "!="
  }
}

extension ElementStep {
  /// Refuses a type in which rules do not compute.
  static func check(_ dtype: DType) throws(CheckpointError) {
    if dtype.isFloatingPoint, dtype.byteWidth > 1 { return }
    throw CheckpointError(
      .unsupported,
      "arithmetic needs float32, float64, float16, or bfloat16; the tensor is \(dtype.torchName)")
  }

  /// Changes the elements of a span of whole elements, step by step; none may change the type.
  package static func apply(
    _ steps: [ElementStep], to bytes: inout MutableRawSpan, as dtype: DType
  ) {
    if bytes.byteCount == 0 { return }
    var values: [Double] = []
    ElementConversion.decode(bytes.bytes, as: dtype, into: &values)
    for step in steps { step.apply(to: &values, of: dtype) }
    _ = ElementConversion.encode(values.span, as: dtype, into: &bytes)
  }

  /// The type of the result for values of a type.
  func type(after dtype: DType) -> DType {
    switch self {
    case .cast(let dtype): dtype
    case .compare: .bool
    case .times, .over, .plus, .minus, .from, .into, .power, .clamp, .function: dtype
    }
  }

  /// Applies the step to values of a type, which then are of ``type(after:)``.
  ///
  /// In `float32`, the `Double` result of one operation on two floats rounds to the float's own.
  func apply(to values: inout [Double], of dtype: DType) {
    let result = type(after: dtype)
    let computes = dtype.computingType
    let round = { (value: Double) in result.settled(computes.settled(value)) }
    func each(_ body: (Double) -> Double) {
      for index in values.indices { values[index] = body(values[index]) }
    }
    func each(_ number: Double, _ body: (Double, Double) -> Double) {
      let number = computes.settled(number)
      if result == .float32 {
        for index in values.indices { values[index] = Double(Float(body(values[index], number))) }
      } else {
        for index in values.indices { values[index] = round(body(values[index], number)) }
      }
    }
    switch self {
    case .times(let number): each(number, *)
    case .over(let number): each(number, /)
    case .plus(let number): each(number, +)
    case .minus(let number): each(number, -)
    case .from(let number): each(number) { $1 - $0 }
    // PyTorch multiplies by the reciprocal, which has been rounded.
    case .into(let number): each(number) { round(1 / $0) * $1 }
    case .power(let exponent):
      // PyTorch multiplies for these, in `bfloat16` with a rounding after each.
      let between = dtype == .bfloat16 ? dtype : computes
      switch exponent {
      case 3: each { round(between.settled(computes.settled($0 * $0)) * $0) }
      case -2: each { round(1 / between.settled(computes.settled($0 * $0))) }
      default: each { round(pow($0, exponent)) }
      }
    case .clamp(let lower, let upper):
      let (lower, upper) = (result.settled(lower), result.settled(upper))
      // As torch.clamp does it: the upper bound wins where the two are reversed.
      each { $0.isNaN ? $0 : min(max($0, lower), upper) }
    case .function(.rsqrt): each { round(computes.settled(1 / computes.settled($0.squareRoot()))) }
    case .function(.erfinv) where dtype != .float64:
      each { round(Double(InverseErrorFunction.value(Float($0)))) }
    case .function(let function): each { round(function($0)) }
    case .compare(let comparison, let number): each(number) { comparison($0, $1) ? 1 : 0 }
    case .cast: each { result.settled($0) }
    }
  }
}

extension ElementStep.Comparison {
  fileprivate func callAsFunction(_ left: Double, _ right: Double) -> Bool {
    switch self {
    case .less: left < right
    case .lessOrEqual: left <= right
    case .greater: left > right
    case .greaterOrEqual: left >= right
    case .equal: left == right
    case .different: left != right
    }
  }
}

extension Moments {
  /// What the step makes of the moments; those of a rule change them, others are taken to change few.
  func after(_ step: ElementStep) -> Moments {
    switch step {
    case .times(let number):
      Moments(mean: mean * number, standardDeviation: standardDeviation * abs(number))
    case .over(let number):
      Moments(mean: mean / number, standardDeviation: standardDeviation / abs(number))
    case .plus(let number): Moments(mean: mean + number, standardDeviation: standardDeviation)
    case .minus(let number): Moments(mean: mean - number, standardDeviation: standardDeviation)
    case .function(.erfinv): inverted
    case .from, .into, .power, .clamp, .function, .compare, .cast: self
    }
  }

  /// The moments of the inverse error function of values drawn evenly, by the midpoint rule.
  private var inverted: Moments {
    let (half, steps) = (standardDeviation * 3.0.squareRoot(), 2_000)
    let values = (0..<steps).map { step in
      InverseErrorFunction.value(mean + half * ((Double(step) + 0.5) * 2 / Double(steps) - 1))
    }
    let (sum, squares) = values.reduce((0.0, 0.0)) { ($0.0 + $1, $0.1 + $1 * $1) }
    let center = sum / Double(steps)
    return Moments(
      mean: center,
      standardDeviation: max(0, squares / Double(steps) - center * center).squareRoot())
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
    if isFloatingPoint { return rounded(value) }
    return self == .bool ? (value != 0 ? 1 : 0) : value.rounded(.towardZero)
  }
}
