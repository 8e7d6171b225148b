/// `y = x Wᵀ + b`.
///
/// `weight` is `[outputs, inputs]`, `bias` `[outputs]`. Drawn in that order: kaiming uniform with
/// a = √5, then uniform within 1/√inputs.
/// Source: PyTorch 2.15 `torch/nn/modules/linear.py`, class `Linear`.
public struct Linear: Layer {
  /// Size of the last dimension going in.
  package let inputs: Int
  /// Size of the last dimension coming out.
  package let outputs: Int
  /// Whether there is a bias.
  package let hasBias: Bool
  /// `Linear`, or the class attention uses for its output.
  public let kind: String

  /// Describes a linear layer, as `nn.Linear(inputs, outputs, bias=…)`.
  public init(_ inputs: Int, _ outputs: Int, bias: Bool = true) {
    self.init(inputs, outputs, bias: bias, kind: "Linear")
  }

  package init(_ inputs: Int, _ outputs: Int, bias: Bool, kind: String) {
    self.inputs = inputs
    self.outputs = outputs
    self.hasBias = bias
    self.kind = kind
  }

  public var arguments: String {
    "in_features=\(inputs), out_features=\(outputs), bias=\(hasBias.printed)"
  }

  public var optionalParameters: [String] { ["bias"] }

  public var parameters: [Parameter] {
    let weight = Parameter.kaimingWeight(shape: [outputs, inputs])
    guard hasBias else { return [weight] }
    return [
      weight,
      Parameter("bias", shape: [outputs], initializer: .uniform(fan: inputs)),
    ]
  }
}

extension Linear: PrintedLayer {
  package static let classes = [
    "Linear": [], "NonDynamicallyQuantizableLinear": ["Linear"], "_LinearWithBias": ["Linear"],
  ]

  package static func prints(_ printed: PrintedModule) -> Bool {
    printed.arguments.arrow != nil
      || printed.shows(0...0, ["in_features", "out_features"], optional: ["bias"])
  }

  package init(printed: PrintedModule) throws(ArgumentError) {
    // PyTorch before 0.4 prints `320 -> 50`, with a bias or without.
    if let (inputs, outputs) = printed.arguments.arrow {
      self.init(inputs, outputs, bias: true, kind: printed.kind)
      return
    }
    self.init(
      try printed.arguments.size("in_features"), try printed.arguments.size("out_features"),
      bias: try printed.arguments.flag("bias", default: true), kind: printed.kind)
  }

  package static let suggestions = ["Linear"]

  package static func likelyClass(of printed: PrintedModule) -> String? {
    // Quantized layers print the same arguments and own other tensors.
    let isQuantized = ["4bit", "8bit", "Quant"].contains { printed.kind.contains($0) }
    return printed.has(positional: 0, "in_features", "out_features", "bias") && !isQuantized
      ? "Linear" : nil
  }

  package static func inferred(from tensors: OwnTensors) -> [Linear] {
    guard let weight = tensors.shape("weight"), weight.count == 2 else { return [] }
    return [Linear(weight[1], weight[0], bias: tensors.shape("bias") != nil)]
  }
}

extension Bool {
  /// As Python prints it.
  package var printed: String { self ? "True" : "False" }
}
