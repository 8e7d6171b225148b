/// Normalization over groups of channels: `weight` 1 and `bias` 0, one number a channel.
///
/// Source: PyTorch 2.15 `torch/nn/modules/normalization.py`, class `GroupNorm`; older versions
/// print no `bias`, which then follows `affine`.
public struct GroupNorm: Layer {
  /// Number of groups.
  package let groups: Int
  /// Number of channels.
  package let channels: Int
  /// Whether there is a weight.
  package let isAffine: Bool
  /// Whether there is a bias.
  package let hasBias: Bool
  private let epsilon: Double

  /// Describes `nn.GroupNorm(groups, channels, eps=…, affine=…, bias=…)`.
  public init(
    _ groups: Int, _ channels: Int, epsilon: Double = 1e-5, affine: Bool = true, bias: Bool = true
  ) {
    self.groups = groups
    self.channels = channels
    self.epsilon = epsilon
    self.isAffine = affine
    self.hasBias = affine && bias
  }

  public var kind: String { "GroupNorm" }

  public var arguments: String {
    """
    \(groups), \(channels), eps=\(epsilon.printed), affine=\(isAffine.printed), \
    bias=\(hasBias.printed)
    """
  }

  public var optionalParameters: [String] { ["weight", "bias"] }

  public var parameters: [Parameter] {
    Parameter.scaleAndShift(shape: [channels], scale: isAffine, shift: hasBias)
  }
}

extension GroupNorm: PrintedLayer {
  package static let classes: [String: [String]] = ["GroupNorm": []]

  package static func prints(_ printed: PrintedModule) -> Bool {
    printed.shows(2...2, ["eps", "affine"], optional: ["bias"])
  }

  package init(printed: PrintedModule) throws(ArgumentError) {
    let affine = try printed.arguments.flag("affine", default: true)
    self.init(
      try printed.arguments.size(at: 0, called: "num_groups"),
      try printed.arguments.size(at: 1, called: "num_channels"),
      epsilon: printed.arguments.number("eps", default: 1e-5) ?? 1e-5, affine: affine,
      bias: try printed.arguments.flag("bias", default: affine))
  }

  package static let suggestions = ["GroupNorm"]

  package static func likelyClass(of printed: PrintedModule) -> String? {
    printed.has(positional: 2, "eps", "affine") && Convolution.likelyClass(of: printed) == nil
      ? "GroupNorm" : nil
  }

  package static func inferred(from tensors: OwnTensors) -> [GroupNorm] {
    guard let weight = tensors.shape("weight"), weight.count == 1 else { return [] }
    return [GroupNorm(1, weight[0], bias: tensors.shape("bias") != nil)]
  }

  package func likelihood(moduleName name: String) -> Likelihood {
    name.contains("group") ? .named : hasBias ? .possible : .rare
  }
}
