internal import TensorCore
internal import TorchRandom

/// One operation on every element of a tensor: `* 0.5`, `clamp(-2, 2)`.
///
/// As in PyTorch each step rounds to the tensor's type, 16-bit types being computed in `float32`,
/// and so are the numbers.
public enum ElementStep: Hashable, Sendable, CustomStringConvertible {
  case times(Double), over(Double), plus(Double), minus(Double)
  /// Replaces what is below the first number, or above the second, by it; NaN stays.
  case clamp(Double, Double)

  public var description: String {
    func text(_ number: Double) -> String { InitializerSyntax.text(number) }
    return switch self {
    case .times(let number): "* \(text(number))"
    case .over(let number): "/ \(text(number))"
    case .plus(let number): "+ \(text(number))"
    case .minus(let number): "- \(text(number))"
    case .clamp(let lower, let upper): "clamp(\(text(lower)), \(text(upper)))"
    }
  }
}

extension ElementStep {
  /// Refuses a type in which the step cannot be done.
  static func check(_ dtype: DType) throws(CheckpointError) {
    if dtype.isFloatingPoint, dtype.byteWidth > 1 { return }
    throw CheckpointError(
      .unsupported,
      "arithmetic needs float32, float64, float16, or bfloat16; the tensor is \(dtype.torchName)")
  }

  /// Changes the elements of a span of whole elements, step by step.
  static func apply(_ steps: [ElementStep], to bytes: inout MutableRawSpan, as dtype: DType) {
    if bytes.byteCount == 0 { return }
    var values: [Double] = []
    for step in steps {
      ElementConversion.decode(bytes.bytes, as: dtype, into: &values)
      step.apply(to: &values, of: dtype)
      _ = ElementConversion.encode(values.span, as: dtype, into: &bytes)
    }
  }

  /// In `float32`, the `Double` result of one operation on two floats rounds to the float's own.
  private func apply(to values: inout [Double], of dtype: DType) {
    let computed = dtype == .float64 ? DType.float64 : .float32
    func each(_ number: Double, _ operation: (Double, Double) -> Double) {
      let number = computed.rounded(number)
      for index in values.indices {
        let result = operation(values[index], number)
        values[index] = dtype == .float64 ? result : Double(Float(result))
      }
    }
    switch self {
    case .times(let number): each(number, *)
    case .over(let number): each(number, /)
    case .plus(let number): each(number, +)
    case .minus(let number): each(number, -)
    case .clamp(let lower, let upper):
      let (lower, upper) = (dtype.rounded(lower), dtype.rounded(upper))
      for index in values.indices {
        let value = values[index]
        // As torch.clamp does it: the upper bound wins where the two are reversed.
        values[index] = value.isNaN ? value : min(max(value, lower), upper)
      }
    }
  }
}

extension Moments {
  /// What the step makes of the moments; a clamp is taken to change few elements.
  func after(_ step: ElementStep) -> Moments {
    switch step {
    case .times(let number):
      Moments(mean: mean * number, standardDeviation: standardDeviation * abs(number))
    case .over(let number):
      Moments(mean: mean / number, standardDeviation: standardDeviation / abs(number))
    case .plus(let number): Moments(mean: mean + number, standardDeviation: standardDeviation)
    case .minus(let number): Moments(mean: mean - number, standardDeviation: standardDeviation)
    case .clamp: self
    }
  }
}
