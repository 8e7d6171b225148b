internal import Glibc
package import TensorCore
internal import TorchRandom

/// Normally distributed values, none outside of bounds, by inverting the distribution function:
/// timm's `trunc_normal_` and `trunc_normal_tf_`, and `torch.nn.init.trunc_normal_` before 2.15.
///
/// Values are drawn evenly between the bounds' error functions, one word each (two in `float64`); then
/// `erfinv`, times std·√2, plus mean, and clamped. `trunc_normal_tf_` cuts the standard normal
/// distribution, and scales and shifts after that.
///
/// PyTorch's bytes in `float32`, `bfloat16`, and `float16` where the bounds lie 5.4 deviations or more
/// from the mean, or just 2; elsewhere, and in `float64`, within 1 unit in the last place of a `float32`: see
/// ``InverseErrorFunction``.
///
/// Source: timm 1.0.31 `layers/weight_init.py`.
package struct InvertedNormal: Initializer, Hashable {
  let mean: Double
  let standardDeviation: Double
  let lower: Double
  let upper: Double
  /// Whether the bounds are those of the standard normal distribution: `trunc_normal_tf_`.
  let isScaled: Bool

  package var name: String { isScaled ? "timm_trunc_normal_tf" : "timm_trunc_normal" }

  package init(
    mean: Double = 0, standardDeviation: Double = 1, lower: Double = -2, upper: Double = 2,
    isScaled: Bool = false
  ) {
    self.mean = mean
    self.standardDeviation = standardDeviation
    self.lower = lower
    self.upper = upper
    self.isScaled = isScaled
  }

  package func fill(for info: TensorInfo) throws -> TensorFill {
    guard standardDeviation > 0 || isScaled else {
      throw CheckpointError(
        .mismatched, "\(name): expected a standard deviation above 0, found \(standardDeviation)")
    }
    guard lower <= upper else {
      throw CheckpointError(
        .mismatched, "\(name): expected its lower bound first, found \(lower) to \(upper)")
    }
    let (middle, width) = isScaled ? (0, 1) : (mean, standardDeviation)
    func share(_ bound: Double) -> Double {
      let below = (1 + erf((bound - middle) / width / 2.0.squareRoot())) / 2
      return 2 * below - 1
    }
    var steps: [ElementStep] = [
      .function(.erfinv), .times(width * 2.0.squareRoot()), .plus(middle), .clamp(lower, upper),
    ]
    if isScaled { steps += [.times(standardDeviation), .plus(mean)] }
    try ElementStep.check(info.dtype)
    // No draw is -0, so adding 0 changes nothing.
    steps.removeAll { $0 == .plus(0) }
    return .mapped(
      try .random(.uniform(from: share(lower), to: share(upper)), for: info), steps)
  }

  package var description: String {
    (isScaled ? Self.scaledSyntax : Self.syntax).text(mean, standardDeviation, lower, upper)
  }

  static let syntax = syntax(isScaled: false)
  static let scaledSyntax = syntax(isScaled: true)

  private static func syntax(isScaled: Bool) -> InitializerSyntax {
    InitializerSyntax(
      InvertedNormal(isScaled: isScaled).name, .number("mean", default: 0),
      .number("std", default: 1), .number("a", default: -2), .number("b", default: 2)
    ) { values throws(CheckpointError) in
      InvertedNormal(
        mean: try values.number(0), standardDeviation: try values.number(1),
        lower: try values.number(2), upper: try values.number(3), isScaled: isScaled)
    }
  }
}
