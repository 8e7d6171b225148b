/// `y = x₁ᵀ A x₂ + b`.
///
/// `weight` is `[outputs, inputs1, inputs2]`, `bias` `[outputs]`, both drawn in that order,
/// uniform within 1/√inputs1.
/// Source: PyTorch 2.15 `torch/nn/modules/linear.py`, class `Bilinear`.
public struct Bilinear: Layer {
  /// Size of the first input.
  package let inputs1: Int
  /// Size of the second input.
  package let inputs2: Int
  /// Size of the output.
  package let outputs: Int
  /// Whether there is a bias.
  package let hasBias: Bool

  /// Describes a bilinear layer, as `nn.Bilinear(inputs1, inputs2, outputs, bias=…)`.
  public init(_ inputs1: Int, _ inputs2: Int, _ outputs: Int, bias: Bool = true) {
    self.inputs1 = inputs1
    self.inputs2 = inputs2
    self.outputs = outputs
    self.hasBias = bias
  }

  public var kind: String { "Bilinear" }

  public var arguments: String {
    """
    in1_features=\(inputs1), in2_features=\(inputs2), out_features=\(outputs), \
    bias=\(hasBias.printed)
    """
  }

  public var optionalParameters: [String] { ["bias"] }

  public var parameters: [Parameter] {
    let initializer = Uniform(fan: inputs1)
    let weight = Parameter(
      "weight", shape: [outputs, inputs1, inputs2], initializer: initializer)
    guard hasBias else { return [weight] }
    return [weight, Parameter("bias", shape: [outputs], initializer: initializer)]
  }
}

extension Bilinear: PrintedLayer {
  package static let classes: [String: [String]] = ["Bilinear": []]

  package static func prints(_ printed: PrintedModule) -> Bool {
    printed.shows(
      0...0, ["in1_features", "in2_features", "out_features"], optional: ["bias"])
  }

  package init(printed: PrintedModule) throws(ArgumentError) {
    self.init(
      try printed.arguments.size("in1_features"), try printed.arguments.size("in2_features"),
      try printed.arguments.size("out_features"),
      bias: try printed.arguments.flag("bias", default: true))
  }

  package static func inferred(from tensors: OwnTensors) -> [Bilinear] {
    guard let weight = tensors.shape("weight"), weight.count == 3 else { return [] }
    return [Bilinear(weight[1], weight[2], weight[0], bias: tensors.shape("bias") != nil)]
  }

  package func likelihood(moduleName name: String) -> Likelihood {
    name.contains("bilinear") ? .named : .possible
  }
}
