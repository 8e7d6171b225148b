/// `y = x W + b`, the linear layer of GPT-2: `weight` is `[inputs, outputs]`, drawn from
/// N(0, 0.02²), `bias` `[outputs]` 0.
///
/// Source: transformers 5.23 `pytorch_utils.py`, class `Conv1D`.
struct Conv1D: Layer {
  let inputs: Int
  let outputs: Int

  var kind: String { "Conv1D" }
  var arguments: String { "nf=\(outputs), nx=\(inputs)" }

  var parameters: [Parameter] {
    [
      Parameter(
        "weight", shape: [inputs, outputs], initializer: .normal(standardDeviation: 0.02)),
      Parameter("bias", shape: [outputs], initializer: .zeros),
    ]
  }
}

extension Conv1D: PrintedLayer {
  static let classes: [String: [String]] = ["Conv1D": []]

  static func prints(_ printed: PrintedModule) -> Bool {
    printed.shows(0...0, ["nf", "nx"])
  }

  init(printed: PrintedModule) throws(ArgumentError) {
    inputs = try printed.arguments.size("nx")
    outputs = try printed.arguments.size("nf")
  }

  static let library: String? = "transformers"

  static func likelyClass(of printed: PrintedModule) -> String? {
    Set(printed.arguments.names).isSuperset(of: ["nf", "nx"]) ? "Conv1D" : nil
  }

  static func inferred(from tensors: OwnTensors) -> [Conv1D] {
    guard let weight = tensors.shape("weight"), weight.count == 2, tensors.shape("bias") != nil
    else { return [] }
    return [Conv1D(inputs: weight[0], outputs: weight[1])]
  }

  func likelihood(moduleName name: String) -> Likelihood {
    ["c_attn", "c_proj", "c_fc"].contains(name) ? .named : .possible
  }
}
