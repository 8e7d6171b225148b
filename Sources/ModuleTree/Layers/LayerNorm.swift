/// Normalization over the last dimensions: `weight` 1 and `bias` 0, both of that shape.
///
/// Source: PyTorch 2.15 `torch/nn/modules/normalization.py`, class `LayerNorm`; older versions
/// print no `bias`, which then follows `elementwise_affine`.
public struct LayerNorm: Layer {
  /// Sizes of the dimensions that are normalized over.
  package let shape: [Int]
  /// Whether there is a weight.
  package let isAffine: Bool
  /// Whether there is a bias.
  package let hasBias: Bool
  private let epsilon: Double

  /// Describes `nn.LayerNorm(shape, eps=…, elementwise_affine=…, bias=…)`.
  public init(_ shape: Int..., epsilon: Double = 1e-5, affine: Bool = true, bias: Bool = true) {
    self.init(shape: shape, epsilon: epsilon, affine: affine, bias: bias)
  }

  package init(shape: [Int], epsilon: Double = 1e-5, affine: Bool, bias: Bool) {
    self.shape = shape
    self.epsilon = epsilon
    self.isAffine = affine
    self.hasBias = affine && bias
  }

  public var kind: String { "LayerNorm" }

  public var arguments: String {
    """
    \(shape.printedTuple), eps=\(epsilon.printed), elementwise_affine=\(isAffine.printed), \
    bias=\(hasBias.printed)
    """
  }

  public var optionalParameters: [String] { ["weight", "bias"] }

  public var parameters: [Parameter] {
    Parameter.scaleAndShift(shape: shape, scale: isAffine, shift: hasBias)
  }
}

extension LayerNorm: PrintedLayer {
  package static let classes: [String: [String]] = ["LayerNorm": []]

  package static func prints(_ printed: PrintedModule) -> Bool {
    printed.shows(1...1, ["eps", "elementwise_affine"], optional: ["bias"])
  }

  package init(printed: PrintedModule) throws(ArgumentError) {
    let affine = try printed.arguments.flag("elementwise_affine", default: true)
    self.init(
      shape: try printed.arguments.sizes(at: 0, called: "normalized_shape"),
      epsilon: printed.arguments.number("eps", default: 1e-5) ?? 1e-5, affine: affine,
      bias: try printed.arguments.flag("bias", default: affine))
  }

  package static let suggestions = ["LayerNorm"]

  package static func likelyClass(of printed: PrintedModule) -> String? {
    guard printed.has(positional: 1, "eps", "elementwise_affine"),
      RunningNorm.likelyClass(of: printed) == nil, !printed.kind.hasPrefix("FrozenBatchNorm")
    else { return nil }
    return printed.kind.lowercased().contains("rms") ? nil : "LayerNorm"
  }

  package static func inferred(from tensors: OwnTensors) -> [LayerNorm] {
    guard let weight = tensors.shape("weight"), !weight.isEmpty else { return [] }
    let hasBias = tensors.shape("bias") != nil
    // A weight of 4 dimensions or more without a bias is a convolution's: such norms are not made.
    guard hasBias || weight.count < 4 else { return [] }
    return [LayerNorm(shape: weight, affine: true, bias: hasBias)]
  }

  package func likelihood(moduleName name: String) -> Likelihood {
    shape.count > 1 && !hasBias ? .rare : .usual
  }
}
