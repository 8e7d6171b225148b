/// Batch normalization that is not trained: `weight` 1, `bias` 0, `running_mean` 0 and
/// `running_var` 1 are buffers.
///
/// Source: torchvision 0.29 `ops/misc.py`, detectron2 0.6 `layers/batch_norm.py`, class
/// `FrozenBatchNorm2d`.
struct FrozenBatchNorm: Layer {
  let features: Int
  let arguments: String
  /// Whether it is detectron2's, which prints the number of features with its name and begins with a
  /// variance of 1 - eps.
  private let isNamed: Bool
  private let epsilon: Double

  var kind: String { "FrozenBatchNorm2d" }
  var parameters: [Parameter] { [] }

  var buffers: [Buffer] {
    let variance = isNamed ? Double(1 - Float(epsilon)) : 1
    return [("weight", 1.0), ("bias", 0), ("running_mean", 0), ("running_var", variance)].map {
      Buffer($0.0, shape: [features], value: $0.1)
    }
  }
}

extension FrozenBatchNorm: PrintedLayer {
  static let classes: [String: [String]] = ["FrozenBatchNorm2d": []]

  static func prints(_ printed: PrintedModule) -> Bool {
    printed.shows(1...1, [], optional: ["eps"])
      || printed.shows(0...0, ["num_features", "eps"])
  }

  init(printed: PrintedModule) throws(ArgumentError) {
    isNamed = printed.arguments.positionalCount == 0
    features =
      try isNamed
      ? printed.arguments.size("num_features")
      : printed.arguments.size(at: 0, called: "num_features")
    epsilon = printed.arguments.number("eps", default: 1e-5) ?? 1e-5
    arguments = printed.arguments.text
  }

  static let library: String? = "torchvision"

  static func likelyClass(of printed: PrintedModule) -> String? {
    printed.kind.hasPrefix("FrozenBatchNorm") && prints(printed) ? "FrozenBatchNorm2d" : nil
  }
}
