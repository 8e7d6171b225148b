internal import Glibc

/// A function of one number that scripts apply to what they have drawn: `torch.abs`, `torch.exp`.
///
/// The value is computed in `float64` and rounded to the type. From `exp` on, and for `sqrt`, PyTorch's
/// own functions, of Intel's MKL and Sleef, are within 1 unit in the last place of that, and their bytes
/// differ from machine to machine: what is computed by them is near PyTorch's, not equal to it. `rsqrt`
/// is exact but for 16-bit types: a square root and a quotient, each rounded. Of `erfinv` see
/// `InverseErrorFunction`.
public enum ElementFunction: String, CaseIterable, Sendable {
  /// `torch`'s function of this name; all but `sqrt`, `rsqrt`, and `erfinv` are exact.
  case neg, abs, sqrt, reciprocal, square, sign, floor, ceil, round, rsqrt, erfinv
  /// `torch`'s function of this name, to which values are near.
  case exp, exp2, expm1, log, log2, log10, log1p, sin, cos, tan, sinh, cosh, tanh, sigmoid, erf

  func callAsFunction(_ value: Double) -> Double {
    switch self {
    case .neg: -value
    case .abs: value.magnitude
    case .sqrt: value.squareRoot()
    case .reciprocal: 1 / value
    case .square: value * value
    case .sign: value > 0 ? 1 : value < 0 ? -1 : value.isNaN ? value : 0
    case .floor: value.rounded(.down)
    case .ceil: value.rounded(.up)
    case .round: value.rounded(.toNearestOrEven)
    case .rsqrt: 1 / value.squareRoot()
    case .erfinv: InverseErrorFunction.value(value)
    case .exp: Glibc.exp(value)
    case .exp2: Glibc.exp2(value)
    case .expm1: Glibc.expm1(value)
    case .log: Glibc.log(value)
    case .log2: Glibc.log2(value)
    case .log10: Glibc.log10(value)
    case .log1p: Glibc.log1p(value)
    case .sin: Glibc.sin(value)
    case .cos: Glibc.cos(value)
    case .tan: Glibc.tan(value)
    case .sinh: Glibc.sinh(value)
    case .cosh: Glibc.cosh(value)
    case .tanh: Glibc.tanh(value)
    case .sigmoid: 1 / (1 + Glibc.exp(-value))
    case .erf: Glibc.erf(value)
    }
  }
}
