/// A rectifier with trained slopes: `weight` is `[slopes]`, all `initial`, which is not printed.
///
/// Source: PyTorch 2.15 `torch/nn/modules/activation.py`, class `PReLU`.
public struct PReLU: Layer {
  /// Number of slopes.
  package let slopes: Int
  /// First value of each.
  package let initial: Double

  /// Describes `nn.PReLU(num_parameters, init=…)`.
  public init(_ slopes: Int = 1, initial: Double = 0.25) {
    self.slopes = slopes
    self.initial = initial
  }

  public var kind: String { "PReLU" }
  public var arguments: String { "num_parameters=\(slopes)" }

  public var parameters: [Parameter] {
    [
      Parameter(
        "weight", shape: [slopes], initializer: .constant(initial))
    ]
  }
}

extension PReLU: PrintedLayer {
  package static let classes: [String: [String]] = ["PReLU": []]

  package static func prints(_ printed: PrintedModule) -> Bool {
    printed.shows(0...0, ["num_parameters"], optional: ["init"]) || printed.shows(1...1, [])
  }

  package init(printed: PrintedModule) throws(ArgumentError) {
    // PyTorch before 0.4 prints the bare number. It never prints `init`; the tree of a file shows it
    // where it is not the default.
    self.init(
      try printed.arguments.positionalCount > 0
        ? printed.arguments.size(at: 0, called: "num_parameters")
        : printed.arguments.size("num_parameters"),
      initial: printed.arguments.number("init", default: 0.25) ?? 0.25)
  }

  package static let unprintedOptions = ["init=NUMBER"]

  package func setting(_ options: PrintedArguments) throws(ArgumentError) -> PReLU? {
    guard options.names == ["init"], let text = options.text("init"), let value = Double(text)
    else { return nil }
    return PReLU(slopes, initial: value)
  }

  package static func inferred(from tensors: OwnTensors) -> [PReLU] {
    guard let weight = tensors.shape("weight"), weight.count == 1 else { return [] }
    return [PReLU(weight[0])]
  }

  package func likelihood(moduleName name: String) -> Likelihood {
    name.contains("prelu") ? .named : .possible
  }
}
