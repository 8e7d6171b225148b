/// Normalization by the root of the mean square over the last dimensions; `weight` 1.
///
/// Source: PyTorch 2.15 `torch/nn/modules/normalization.py`, class `RMSNorm`.
public struct RMSNorm: Layer {
  /// Sizes of the dimensions that are normalized over.
  package let shape: [Int]
  /// Whether there is a weight.
  package let isAffine: Bool
  private let epsilon: Double?

  /// Describes `nn.RMSNorm(shape, eps=…, elementwise_affine=…)`.
  public init(_ shape: Int..., epsilon: Double? = nil, affine: Bool = true) {
    self.init(shape: shape, epsilon: epsilon, affine: affine)
  }

  package init(shape: [Int], epsilon: Double? = nil, affine: Bool) {
    self.shape = shape
    self.epsilon = epsilon
    self.isAffine = affine
  }

  public var kind: String { "RMSNorm" }

  public var arguments: String {
    """
    \(shape.printedTuple), eps=\(epsilon?.printed ?? "None"), \
    elementwise_affine=\(isAffine.printed)
    """
  }

  public var optionalParameters: [String] { ["weight"] }

  public var parameters: [Parameter] {
    Parameter.scaleAndShift(shape: shape, scale: isAffine, shift: false)
  }
}

extension RMSNorm: PrintedLayer {
  package static let classes: [String: [String]] = ["RMSNorm": []]

  package static func prints(_ printed: PrintedModule) -> Bool {
    printed.shows(1...1, ["eps", "elementwise_affine"])
  }

  package init(printed: PrintedModule) throws(ArgumentError) {
    self.init(
      shape: try printed.arguments.sizes(at: 0, called: "normalized_shape"),
      epsilon: printed.arguments.number("eps", default: nil),
      affine: try printed.arguments.flag("elementwise_affine", default: true))
  }

  package static let suggestions = ["RMSNorm"]

  package static func likelyClass(of printed: PrintedModule) -> String? {
    guard printed.has(positional: 1, "eps"), RunningNorm.likelyClass(of: printed) == nil,
      !printed.kind.hasPrefix("FrozenBatchNorm")
    else { return nil }
    if printed.kind.hasSuffix("RMSNorm") {
      return LibraryNames.zeroCentered.contains(printed.kind) ? nil : "RMSNorm"
    }
    return printed.has(positional: 1, "elementwise_affine")
      && printed.kind.lowercased().contains("rms") ? "RMSNorm" : nil
  }

  package static func inferred(from tensors: OwnTensors) -> [RMSNorm] {
    guard let weight = tensors.shape("weight"), 1...3 ~= weight.count,
      tensors.shape("bias") == nil
    else { return [] }
    return [RMSNorm(shape: weight, affine: true)]
  }

  package func likelihood(moduleName name: String) -> Likelihood {
    if shape.count > 1 { return .rare }
    return name.contains("rms") ? .named : .possible
  }
}
