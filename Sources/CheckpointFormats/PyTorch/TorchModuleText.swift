import TensorCore

/// What PyTorch's classes print between their parentheses, from the attributes of a module.
///
/// Source: torch 2.15, `extra_repr` of the classes of `nn/modules` and `ao/nn/quantized`. Values that
/// initialize a module and are not printed are added where they are not the default (`init=` of a
/// PReLU).
enum TorchModuleText {
  /// One printed attribute of a class.
  ///
  /// A word of the table: the name; `=` if it is printed before the value; `!` if the value is
  /// printed as `repr` does, `?` if the value is whether there is such a parameter; and after `|` a
  /// value that is not printed.
  private struct Word {
    let name: Substring
    let isNamed, isQuoted, isPresence: Bool
    let hidden: String?

    init(_ text: Substring) {
      let parts = text.split(separator: "|", maxSplits: 1)
      hidden = parts.count > 1 ? String(parts[1]) : nil
      name = parts[0].prefix { $0.isLetter || $0.isNumber || $0 == "_" }
      let marks = parts[0].dropFirst(name.count)
      isNamed = marks.contains("=")
      isQuoted = marks.contains("!")
      isPresence = marks.contains("?")
    }
  }

  private static let table: [(classes: String, words: String)] = [
    ("Linear NonDynamicallyQuantizableLinear", "in_features= out_features= bias=?"),
    ("Bilinear", "in1_features= in2_features= out_features= bias=?"),
    (
      "Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d",
      """
      in_channels out_channels kernel_size= stride= padding=|0 dilation=|1 output_padding=|0 \
      groups=|1 bias=?|True padding_mode=|zeros
      """
    ),
    (
      """
      BatchNorm1d BatchNorm2d BatchNorm3d SyncBatchNorm InstanceNorm1d InstanceNorm2d \
      InstanceNorm3d
      """, "num_features eps= momentum= affine= bias=? track_running_stats="
    ),
    ("LayerNorm", "normalized_shape eps= elementwise_affine= bias=?"),
    ("RMSNorm", "normalized_shape eps= elementwise_affine="),
    ("GroupNorm", "num_groups num_channels eps= affine= bias=?"),
    ("LocalResponseNorm CrossMapLRN2d", "size alpha= beta= k="),
    (
      "RNN LSTM GRU",
      """
      input_size hidden_size proj_size=|0 num_layers=|1 bias=|True batch_first=|False dropout=|0 \
      bidirectional=|False
      """
    ),
    ("RNNCell LSTMCell GRUCell", "input_size hidden_size bias=|True nonlinearity=|tanh"),
    (
      "Embedding",
      """
      num_embeddings embedding_dim padding_idx=|None max_norm=|None norm_type=|2 \
      scale_grad_by_freq=|False sparse=|False
      """
    ),
    (
      "EmbeddingBag",
      """
      num_embeddings embedding_dim max_norm=|None norm_type=|2 scale_grad_by_freq=|False mode=! \
      padding_idx=|None
      """
    ),
    ("PReLU", "num_parameters= init=|0.25"),
    ("Threshold", "threshold= value= inplace=|False"),
    ("ReLU ReLU6 SELU SiLU Mish", "inplace=|False"),
    ("RReLU", "lower= upper= inplace=|False"),
    ("Hardtanh", "min_val= max_val= inplace=|False"),
    ("ELU CELU", "alpha= inplace=|False"),
    ("LeakyReLU", "negative_slope= inplace=|False"),
    ("GELU", "approximate=!"),
    ("GLU Softmax Softmin LogSoftmax", "dim="),
    ("Hardshrink Softshrink", "lambd"),
    ("Softplus", "beta= threshold="),
    (
      "Dropout Dropout1d Dropout2d Dropout3d AlphaDropout FeatureAlphaDropout", "p= inplace="
    ),
    ("Flatten", "start_dim= end_dim="),
    ("Unflatten", "dim= unflattened_size="),
    ("Fold", "output_size= kernel_size= dilation= padding= stride="),
    ("Unfold", "kernel_size= dilation= padding= stride="),
    ("ChannelShuffle", "groups="),
    ("PixelShuffle", "upscale_factor="),
    ("PixelUnshuffle", "downscale_factor="),
    ("Upsample UpsamplingBilinear2d UpsamplingNearest2d", "scale_factor=|None size=|None mode=!"),
    ("MaxPool1d MaxPool2d MaxPool3d", "kernel_size= stride= padding= dilation= ceil_mode="),
    (
      "MaxUnpool1d MaxUnpool2d MaxUnpool3d AvgPool1d AvgPool2d AvgPool3d",
      "kernel_size= stride= padding="
    ),
    ("LPPool1d LPPool2d LPPool3d", "norm_type= kernel_size= stride= ceil_mode="),
    (
      """
      AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d AdaptiveMaxPool1d AdaptiveMaxPool2d \
      AdaptiveMaxPool3d
      """, "output_size="
    ),
    (
      """
      CircularPad1d CircularPad2d CircularPad3d ReflectionPad1d ReflectionPad2d ReflectionPad3d \
      ReplicationPad1d ReplicationPad2d ReplicationPad3d ZeroPad1d ZeroPad2d ZeroPad3d
      """, "padding"
    ),
    ("ConstantPad1d ConstantPad2d ConstantPad3d", "padding= value="),
    ("QuantizedLinear QuantizedLinearReLU", "in_features= out_features= scale= zero_point="),
    ("DynamicQuantizedLinear DynamicQuantizedLinearReLU", "in_features= out_features="),
    ("DynamicQuantizedLSTM DynamicQuantizedGRU", "input_size hidden_size num_layers=|1"),
    (
      """
      QuantizedConv1d QuantizedConv2d QuantizedConv3d QuantizedConvReLU1d QuantizedConvReLU2d \
      QuantizedConvReLU3d QuantizedConvTranspose1d QuantizedConvTranspose2d \
      QuantizedConvTranspose3d
      """,
      """
      in_channels out_channels kernel_size= stride= scale= zero_point= padding=|0 dilation=|1 \
      output_padding=|0 groups=|1
      """
    ),
    // Of other libraries: transformers.
    ("Conv1D", "nf= nx="),
  ]

  private static let words: [String: [Word]] = {
    var words: [String: [Word]] = [:]
    for (classes, text) in table {
      let row = text.split(separator: " ").map(Word.init)
      for name in classes.split(separator: " ") { words[String(name)] = row }
    }
    return words
  }()

  /// Whether a class prints arguments.
  static func prints(_ kind: String) -> Bool { words[kind] != nil }

  /// A class of which a class of another library is a subclass, by the attributes that only its
  /// constructor sets and the parameters that it registers; it prints the same arguments.
  static func base(of module: PickledModule) -> String? {
    let names = Set(module.attributes.map(\.name))
    let parameters = Set(module.parameters.map(\.name))
    return bases.first { _, attributes, registered in
      names.isSuperset(of: attributes) && parameters == Set(registered)
    }?.kind
  }

  /// Linear is not here: its attributes are those of many a class that is none.
  private static let bases: [(kind: String, attributes: [String], parameters: [String])] = [
    (
      "Conv2d",
      [
        "in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation",
        "transposed", "output_padding", "groups", "padding_mode",
      ], ["weight", "bias"]
    ),
    (
      "BatchNorm2d", ["num_features", "eps", "momentum", "affine", "track_running_stats"],
      ["weight", "bias"]
    ),
    ("LayerNorm", ["normalized_shape", "eps", "elementwise_affine"], ["weight", "bias"]),
    ("GroupNorm", ["num_groups", "num_channels", "eps", "affine"], ["weight", "bias"]),
    (
      "Embedding",
      [
        "num_embeddings", "embedding_dim", "padding_idx", "max_norm", "norm_type",
        "scale_grad_by_freq", "sparse",
      ], ["weight"]
    ),
  ]

  /// The text of a class; empty for one that prints nothing, `nil` where an attribute that it prints is
  /// not there or is not a plain value.
  static func arguments(
    of kind: String, attribute: (String) -> Value?, hasParameter: (String) -> Bool
  ) -> String? {
    var parts: [String] = []
    for word in words[kind] ?? [] {
      let name = String(word.name)
      let value = word.isPresence ? .bool(hasParameter(name)) : attribute(name)
      guard let value else {
        if word.hidden != nil { continue }
        return nil
      }
      guard let text = text(value, isQuoted: word.isQuoted) else { return nil }
      if let hidden = word.hidden, isAll(value, hidden) { continue }
      parts.append(word.isNamed ? "\(name)=\(text)" : text)
    }
    return parts.joined(separator: ", ")
  }

  /// Whether a value, or each of its elements, is one that is not printed.
  private static func isAll(_ value: Value, _ hidden: String) -> Bool {
    switch value {
    case .tuple(let elements), .list(let elements):
      elements.allSatisfy { isAll($0, hidden) }
    case .integer(let number): Double(hidden) == Double(number)
    case .real(let number): Double(hidden) == number
    default: text(value, isQuoted: false) == hidden
    }
  }

  /// A value as Python prints it; `nil` for an object.
  private static func text(_ value: Value, isQuoted: Bool) -> String? {
    switch value {
    case .null: return "None"
    case .bool(let value): return value ? "True" : "False"
    case .integer(let number): return String(number)
    case .real(let number):
      return number.isNaN ? "nan" : number.isInfinite ? (number < 0 ? "-inf" : "inf") : "\(number)"
    case .text(let text):
      guard text.utf8.count <= 200, !text.utf8.contains(where: { $0 < 32 || $0 == 39 }) else {
        return nil
      }
      return isQuoted ? "'\(text)'" : text
    case .tuple(let elements):
      guard let parts = texts(elements) else { return nil }
      return "(" + parts.joined(separator: ", ") + (parts.count == 1 ? ",)" : ")")
    case .list(let elements):
      return texts(elements).map { "[" + $0.joined(separator: ", ") + "]" }
    case .bytes, .dictionary, .opaque: return nil
    }
  }

  private static func texts(_ elements: [Value]) -> [String]? {
    let texts = elements.prefix(64).compactMap { text($0, isQuoted: true) }
    return texts.count == elements.count ? texts : nil
  }
}
