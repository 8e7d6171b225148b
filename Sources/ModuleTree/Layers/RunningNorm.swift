import TensorCore

/// Batch and instance normalization over `features` channels.
///
/// `weight` 1, `bias` 0, and when it tracks statistics `running_mean` 0, `running_var` 1 and the
/// int64 scalar `num_batches_tracked` 0. Nothing is drawn.
/// Source: PyTorch 2.15 `torch/nn/modules/batchnorm.py`, class `_NormBase`; the argument `bias`
/// is new there, older versions print none and it follows `affine`.
public struct RunningNorm: Layer {
  /// Class name as printed: `BatchNorm2d`, `SyncBatchNorm`, `InstanceNorm1d`.
  public let kind: String
  /// Number of channels.
  package let features: Int
  /// Whether there is a weight.
  package let isAffine: Bool
  /// Whether there is a bias.
  package let hasBias: Bool
  /// Whether statistics are kept.
  package let tracksStatistics: Bool
  private let epsilon: Double
  private let momentum: Double?

  /// Describes a normalization of any of the classes; a bias needs a weight beside it.
  package init(
    kind: String, _ features: Int, epsilon: Double = 1e-5, momentum: Double? = 0.1,
    affine: Bool, bias: Bool = true, tracksStatistics: Bool
  ) {
    self.kind = kind
    self.features = features
    self.epsilon = epsilon
    self.momentum = momentum
    self.isAffine = affine
    self.hasBias = affine && bias
    self.tracksStatistics = tracksStatistics
  }

  public var arguments: String {
    """
    \(features), eps=\(epsilon.printed), momentum=\(momentum?.printed ?? "None"), \
    affine=\(isAffine.printed), bias=\(hasBias.printed), \
    track_running_stats=\(tracksStatistics.printed)
    """
  }

  public var optionalParameters: [String] { ["weight", "bias"] }

  public var parameters: [Parameter] {
    var parameters: [Parameter] = []
    if isAffine {
      parameters.append(
        Parameter("weight", shape: [features], initializer: .ones))
    }
    if hasBias {
      parameters.append(
        Parameter("bias", shape: [features], initializer: .zeros))
    }
    return parameters
  }

  public var buffers: [Buffer] {
    guard tracksStatistics else { return [] }
    return [
      Buffer("running_mean", shape: [features], value: 0),
      Buffer("running_var", shape: [features], value: 1),
      Buffer("num_batches_tracked", shape: [], dtype: .int64, value: 0),
    ]
  }
}

extension RunningNorm: PrintedLayer {
  package static let classes = [
    "BatchNorm1d": ["_BatchNorm", "_NormBase"], "BatchNorm2d": ["_BatchNorm", "_NormBase"],
    "BatchNorm3d": ["_BatchNorm", "_NormBase"], "SyncBatchNorm": ["_BatchNorm", "_NormBase"],
    "InstanceNorm1d": ["_InstanceNorm", "_NormBase"],
    "InstanceNorm2d": ["_InstanceNorm", "_NormBase"],
    "InstanceNorm3d": ["_InstanceNorm", "_NormBase"],
  ]

  package static func prints(_ printed: PrintedModule) -> Bool {
    printed.shows(
      1...1, ["eps", "momentum", "affine"], optional: ["bias", "track_running_stats"])
  }

  package init(printed: PrintedModule) throws(ArgumentError) {
    let arguments = printed.arguments
    let isInstance = printed.kind.hasPrefix("Instance")
    let affine = try arguments.flag("affine", default: !isInstance)
    self.init(
      kind: printed.kind, try arguments.size(at: 0, called: "num_features"),
      epsilon: arguments.number("eps", default: 1e-5) ?? 1e-5,
      momentum: arguments.number("momentum", default: 0.1), affine: affine,
      // PyTorch before 2.15 prints no `bias=`: it has one exactly if it has a weight.
      bias: try arguments.flag("bias", default: affine),
      tracksStatistics: try arguments.flag("track_running_stats", default: !isInstance))
  }

  package static let suggestions = ["BatchNorm2d"]

  package static func likelyClass(of printed: PrintedModule) -> String? {
    guard printed.has(positional: 1, "eps", "momentum", "affine", "track_running_stats"),
      FrozenBatchNorm.likelyClass(of: printed) == nil
    else { return nil }
    return printed.kind.contains("Instance") ? "InstanceNorm2d" : "BatchNorm2d"
  }

  package static func inferred(from tensors: OwnTensors) -> [RunningNorm] {
    let mean = tensors.shape("running_mean")
    guard let shape = mean ?? tensors.shape("weight"), shape.count == 1 else { return [] }
    return [
      "BatchNorm2d", "BatchNorm1d", "BatchNorm3d", "SyncBatchNorm", "InstanceNorm2d",
      "InstanceNorm1d", "InstanceNorm3d",
    ].map { kind in
      RunningNorm(
        kind: kind, shape[0], affine: tensors.shape("weight") != nil,
        bias: tensors.shape("bias") != nil, tracksStatistics: mean != nil)
    }
  }

  package func likelihood(moduleName name: String) -> Likelihood {
    if !tracksStatistics { return .rare }
    return kind == "BatchNorm2d" ? .usual : .possible
  }
}

/// `nn.BatchNorm1d`, `nn.BatchNorm2d` or `nn.BatchNorm3d`: called as in Python.
public struct BatchNormClass: Sendable {
  /// Number of spatial dimensions.
  package let rank: Int

  /// Describes `nn.BatchNorm2d(features, eps=…, momentum=…, …)`.
  public func callAsFunction(
    _ features: Int, epsilon: Double = 1e-5, momentum: Double? = 0.1, affine: Bool = true,
    bias: Bool = true, tracksStatistics: Bool = true
  ) -> RunningNorm {
    RunningNorm(
      kind: "BatchNorm\(rank)d", features, epsilon: epsilon, momentum: momentum,
      affine: affine, bias: bias, tracksStatistics: tracksStatistics)
  }
}

/// `nn.InstanceNorm1d`, `nn.InstanceNorm2d` or `nn.InstanceNorm3d`: called as in Python.
public struct InstanceNormClass: Sendable {
  /// Number of spatial dimensions.
  package let rank: Int

  /// Describes `nn.InstanceNorm2d(features, affine=…, track_running_stats=…)`.
  public func callAsFunction(
    _ features: Int, affine: Bool = false, tracksStatistics: Bool = false
  ) -> RunningNorm {
    RunningNorm(
      kind: "InstanceNorm\(rank)d", features, affine: affine, tracksStatistics: tracksStatistics)
  }
}

/// `nn.BatchNorm1d`.
public let BatchNorm1d = BatchNormClass(rank: 1)
/// `nn.BatchNorm2d`.
public let BatchNorm2d = BatchNormClass(rank: 2)
/// `nn.BatchNorm3d`.
public let BatchNorm3d = BatchNormClass(rank: 3)
/// `nn.InstanceNorm1d`.
public let InstanceNorm1d = InstanceNormClass(rank: 1)
/// `nn.InstanceNorm2d`.
public let InstanceNorm2d = InstanceNormClass(rank: 2)
/// `nn.InstanceNorm3d`.
public let InstanceNorm3d = InstanceNormClass(rank: 3)
