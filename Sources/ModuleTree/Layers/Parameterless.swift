/// The classes of `torch.nn` that own no tensors, or only such as `state_dict()` seldom has.
///
/// Those not given a Swift name below are written `Module(kind: "AvgPool2d", arguments: …)`.
/// Source: PyTorch 2.15 `torch/nn/modules/__init__.py`.
enum Parameterless {
  /// Each class with the classes it derives from, nearest first.
  static let classes: [String: [String]] = {
    var classes: [String: [String]] = [:]
    for (names, base) in families {
      for name in names.split(whereSeparator: \.isWhitespace) {
        classes[String(name)] = base.isEmpty ? [] : base.split(separator: " ").map(String.init)
      }
    }
    return classes
  }()

  private static let families: [(names: String, bases: String)] = [
    (
      """
      CELU ChannelShuffle CosineSimilarity CrossMapLRN2d DataParallel ELU Flatten Fold
      FractionalMaxPool2d FractionalMaxPool3d GELU GLU Hardshrink Hardsigmoid Hardswish Hardtanh
      Identity LeakyReLU LocalResponseNorm LogSigmoid LogSoftmax Mish Module ModuleDict ModuleList
      PairwiseDistance PixelShuffle PixelUnshuffle RReLU ReLU SELU Sequential SiLU Sigmoid Softmax
      Softmax2d Softmin Softplus Softshrink Softsign Tanh Tanhshrink Threshold Unflatten Unfold
      Upsample ParametrizationList _WeightNorm _SpectralNorm
      """, ""
    ),
    ("ReLU6", "Hardtanh"),
    ("UpsamplingBilinear2d UpsamplingNearest2d", "Upsample"),
    ("AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d", "_AdaptiveAvgPoolNd"),
    ("AdaptiveMaxPool1d AdaptiveMaxPool2d AdaptiveMaxPool3d", "_AdaptiveMaxPoolNd"),
    ("AlphaDropout Dropout Dropout1d Dropout2d Dropout3d FeatureAlphaDropout", "_DropoutNd"),
    ("AvgPool1d AvgPool2d AvgPool3d", "_AvgPoolNd"),
    ("CircularPad1d CircularPad2d CircularPad3d", "_CircularPadNd"),
    ("ConstantPad1d ConstantPad2d ConstantPad3d", "_ConstantPadNd"),
    ("ZeroPad1d", "ConstantPad1d _ConstantPadNd"),
    ("ZeroPad2d", "ConstantPad2d _ConstantPadNd"),
    ("ZeroPad3d", "ConstantPad3d _ConstantPadNd"),
    ("LPPool1d LPPool2d LPPool3d", "_LPPoolNd"),
    ("MaxPool1d MaxPool2d MaxPool3d", "_MaxPoolNd"),
    ("MaxUnpool1d MaxUnpool2d MaxUnpool3d", "_MaxUnpoolNd"),
    ("ReflectionPad1d ReflectionPad2d ReflectionPad3d", "_ReflectionPadNd"),
    ("ReplicationPad1d ReplicationPad2d ReplicationPad3d", "_ReplicationPadNd"),
    (
      """
      BCEWithLogitsLoss CTCLoss CosineEmbeddingLoss GaussianNLLLoss HingeEmbeddingLoss HuberLoss
      KLDivLoss L1Loss MSELoss MarginRankingLoss MultiLabelMarginLoss PoissonNLLLoss SmoothL1Loss
      SoftMarginLoss TripletMarginLoss TripletMarginWithDistanceLoss
      """, "_Loss"
    ),
    (
      """
      BCELoss CrossEntropyLoss LinearCrossEntropyLoss MultiLabelSoftMarginLoss MultiMarginLoss
      NLLLoss
      """, "_WeightedLoss _Loss"
    ),
    ("NLLLoss2d", "NLLLoss _WeightedLoss _Loss"),
  ]
}

/// `nn.ReLU`.
public struct ReLU: ModuleConvertible {
  /// The function as a node of a tree.
  public let module: Module

  /// Describes `nn.ReLU(inplace=…)`.
  public init(inPlace: Bool = false) {
    module = Module(kind: "ReLU", arguments: inPlace ? "inplace=True" : "")
  }
}

/// `nn.Tanh`.
public struct Tanh: ModuleConvertible {
  /// The function as a node of a tree.
  public var module: Module { Module(kind: "Tanh") }

  /// Describes `nn.Tanh()`.
  public init() {}
}

/// `nn.Sigmoid`.
public struct Sigmoid: ModuleConvertible {
  /// The function as a node of a tree.
  public var module: Module { Module(kind: "Sigmoid") }

  /// Describes `nn.Sigmoid()`.
  public init() {}
}

/// `nn.GELU`.
public struct GELU: ModuleConvertible {
  /// The function as a node of a tree.
  public let module: Module

  /// Describes `nn.GELU(approximate='none'|'tanh')`.
  public init(approximate: String = "none") {
    module = Module(kind: "GELU", arguments: "approximate='\(approximate)'")
  }
}

/// `nn.Dropout`.
public struct Dropout: ModuleConvertible {
  /// The dropout as a node of a tree.
  public let module: Module

  /// Describes `nn.Dropout(p=…)`.
  public init(_ probability: Double = 0.5) {
    module = Module(kind: "Dropout", arguments: "p=\(probability.printed), inplace=False")
  }
}

/// `nn.Flatten`.
public struct Flatten: ModuleConvertible {
  /// The reshaping as a node of a tree.
  public let module: Module

  /// Describes `nn.Flatten(start_dim=…, end_dim=…)`.
  public init(from start: Int = 1, to end: Int = -1) {
    module = Module(kind: "Flatten", arguments: "start_dim=\(start), end_dim=\(end)")
  }
}

extension Double {
  /// As Python prints it.
  var printed: String { isNaN ? "nan" : isInfinite ? (self < 0 ? "-inf" : "inf") : "\(self)" }
}
