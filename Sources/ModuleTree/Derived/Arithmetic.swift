package import TensorCore
internal import TorchRandom

/// Another initializer's values, then sums and products with numbers: `normal * 0.02 + 1`.
///
/// As in PyTorch each step rounds to the tensor's type, 16-bit types being computed in `float32`,
/// and so are the numbers.
package struct Arithmetic: Initializer {
  /// One step.
  package enum Step: Hashable, Sendable, CustomStringConvertible {
    case times(Double), over(Double), plus(Double), minus(Double)

    package var description: String {
      switch self {
      case .times(let number): "* \(InitializerSyntax.text(number))"
      case .over(let number): "/ \(InitializerSyntax.text(number))"
      case .plus(let number): "+ \(InitializerSyntax.text(number))"
      case .minus(let number): "- \(InitializerSyntax.text(number))"
      }
    }
  }

  /// What makes the values first.
  package let base: any Initializer
  /// What is done to them, in order.
  package let steps: [Step]

  package let name = "arithmetic"

  /// Makes the initializer of its parts.
  package init(_ base: any Initializer, _ steps: [Step]) {
    self.base = base
    self.steps = steps
  }

  package func fill(for info: TensorInfo) throws -> TensorFill {
    guard info.dtype.isDrawable else {
      throw CheckpointError(
        .unsupported,
        "arithmetic needs \(DType.drawable.alternatives); the tensor is \(info.dtype.torchName)")
    }
    let fill = try base.fill(for: info)
    if case .nothing = fill { return .nothing }
    var moments =
      fill.isDeterministic ? nil : fill.moments ?? Moments(mean: 0, standardDeviation: 0)
    for step in steps { moments = moments?.after(step) }
    return .whole(moments) { [base, steps] info, generator in
      // The base is drawn from here; the generator itself only has to be moved past it.
      let start = generator
      switch fill {
      case .random(let distribution, _):
        try Sampling(distribution, dtype: info.dtype, count: info.elementCount).skip(&generator)
      case .whole(_, let make): _ = try make(info, &generator)
      case .constant, .ones, .nothing: break
      }
      var bytes = try TensorValues(info: info, initializer: base, fill: fill, start: start).bytes()
      guard !bytes.isEmpty else { return bytes }
      var values: [Double] = []
      bytes.withRawSpan { ElementConversion.decode($0, as: info.dtype, into: &values) }
      let computes = info.dtype == .float64 ? DType.float64 : .float32
      for step in steps {
        let result = step.applied(to: values, in: computes)
        bytes.withMutableRawSpan {
          _ = ElementConversion.encode(result.span, as: info.dtype, into: &$0)
        }
        bytes.withRawSpan { ElementConversion.decode($0, as: info.dtype, into: &values) }
      }
      return bytes
    }
  }

  package var description: String {
    "\(base) " + steps.map(\.description).joined(separator: " ")
  }
}

extension Arithmetic.Step {
  /// In `float32`, the `Double` result of one operation on two floats rounds to the float's own.
  fileprivate func applied(to values: [Double], in dtype: DType) -> [Double] {
    let round = dtype.rounded
    return switch self {
    case .times(let number): values.map { round($0 * round(number)) }
    case .over(let number): values.map { round($0 / round(number)) }
    case .plus(let number): values.map { round($0 + round(number)) }
    case .minus(let number): values.map { round($0 - round(number)) }
    }
  }
}

extension Moments {
  fileprivate func after(_ step: Arithmetic.Step) -> Moments {
    switch step {
    case .times(let number):
      Moments(mean: mean * number, standardDeviation: standardDeviation * abs(number))
    case .over(let number):
      Moments(mean: mean / number, standardDeviation: standardDeviation / abs(number))
    case .plus(let number): Moments(mean: mean + number, standardDeviation: standardDeviation)
    case .minus(let number): Moments(mean: mean - number, standardDeviation: standardDeviation)
    }
  }
}
