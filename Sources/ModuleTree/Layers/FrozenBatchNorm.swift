/// Batch normalization that is not trained: `weight` 1, `bias` 0, `running_mean` 0 and
/// `running_var` 1 are buffers.
///
/// Source: torchvision 0.29 `ops/misc.py`, class `FrozenBatchNorm2d`.
struct FrozenBatchNorm: Layer {
  let features: Int
  let arguments: String

  var kind: String { "FrozenBatchNorm2d" }
  var parameters: [Parameter] { [] }

  var buffers: [Buffer] {
    [("weight", 1.0), ("bias", 0), ("running_mean", 0), ("running_var", 1)].map {
      Buffer($0.0, shape: [features], value: $0.1)
    }
  }
}

extension FrozenBatchNorm: PrintedLayer {
  static let classes: [String: [String]] = ["FrozenBatchNorm2d": []]

  init(printed: PrintedModule) throws(ArgumentError) {
    features = try printed.arguments.size(at: 0, called: "num_features")
    arguments = printed.arguments.text
  }

  static let library: String? = "torchvision"

  static func likelyClass(of printed: PrintedModule) -> String? {
    printed.kind.hasPrefix("FrozenBatchNorm") && printed.has(positional: 1)
      ? "FrozenBatchNorm2d" : nil
  }
}
