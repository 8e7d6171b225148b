internal import Glibc

/// The function that follows a layer, for the gain that makes up for it.
///
/// Source: PyTorch 2.15 `torch.nn.init.calculate_gain`; raw values are PyTorch's names.
public enum Nonlinearity: String, Sendable, CaseIterable {
  /// None; gain 1, as for convolutions and `sigmoid`.
  case linear
  /// A convolution: gain 1.
  case conv1d
  /// A convolution: gain 1.
  case conv2d
  /// A convolution: gain 1.
  case conv3d
  /// A transposed convolution: gain 1.
  case convTranspose1d = "conv_transpose1d"
  /// A transposed convolution: gain 1.
  case convTranspose2d = "conv_transpose2d"
  /// A transposed convolution: gain 1.
  case convTranspose3d = "conv_transpose3d"
  /// Gain 1.
  case sigmoid
  /// Gain 5/3.
  case tanh
  /// Gain √2.
  case relu
  /// Gain √(2 / (1 + a²)) for a negative slope *a*.
  case leakyReLU = "leaky_relu"
  /// Gain 3/4.
  case selu

  /// The recommended gain; `parameter` is the negative slope of `leakyReLU` (0.01 if `nil`) and
  /// means nothing to the others.
  public func gain(_ parameter: Double? = nil) -> Double {
    switch self {
    case .linear, .conv1d, .conv2d, .conv3d, .convTranspose1d, .convTranspose2d, .convTranspose3d,
      .sigmoid:
      1
    case .tanh: 5.0 / 3
    case .relu: 2.0.squareRoot()
    // The C library's pow, as Python's **: it may differ from a product in the last bit.
    case .leakyReLU: (2.0 / (1 + pow(parameter ?? 0.01, 2))).squareRoot()
    case .selu: 0.75
    }
  }
}
