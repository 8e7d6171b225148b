internal import TensorCore

/// Calls of the constructors that make layers of other layers.
extension LayerText {
  /// Parameters of their constructors, in order; `nil` for other classes.
  static func compositeParameters(of kind: String) -> [String]? {
    switch kind {
    case "MultiheadAttention":
      [
        "embed_dim", "num_heads", "dropout", "bias", "add_bias_kv", "add_zero_attn", "kdim",
        "vdim", "batch_first",
      ]
    case "TransformerEncoderLayer", "TransformerDecoderLayer":
      [
        "d_model", "nhead", "dim_feedforward", "dropout", "activation", "layer_norm_eps",
        "batch_first", "norm_first", "bias",
      ]
    case "TransformerEncoder":
      ["encoder_layer", "num_layers", "norm", "enable_nested_tensor", "mask_check"]
    case "TransformerDecoder": ["decoder_layer", "num_layers", "norm"]
    case "Transformer":
      [
        "d_model", "nhead", "num_encoder_layers", "num_decoder_layers", "dim_feedforward",
        "dropout", "activation", "custom_encoder", "custom_decoder", "layer_norm_eps",
        "batch_first", "norm_first", "bias",
      ]
    case "AdaptiveLogSoftmaxWithLoss":
      ["in_features", "n_classes", "cutoffs", "div_value", "head_bias"]
    default: nil
    }
  }

  /// The layer that a call with named arguments makes; `nil` for other classes.
  ///
  /// `inner` reads the call of a layer that is an argument.
  static func composite(
    _ kind: String, _ call: PrintedArguments, inner: (String) throws -> Module
  ) throws -> Module? {
    switch kind {
    case "MultiheadAttention":
      let size = try call.width("embed_dim", heads: "num_heads")
      return MultiheadAttention(
        size, bias: try call.flag("bias", default: true),
        keySize: try call.optionalSize("kdim"), valueSize: try call.optionalSize("vdim"),
        addsKeyAndValue: try call.flag("add_bias_kv", default: false)
      ).module
    case "TransformerEncoderLayer", "TransformerDecoderLayer":
      return TransformerLayer(
        kind == "TransformerEncoderLayer" ? .encoder : .decoder,
        try call.width("d_model", heads: "nhead"),
        feedforward: try call.size("dim_feedforward", default: 2048),
        bias: try call.flag("bias", default: true)
      ).module
    case "TransformerEncoder", "TransformerDecoder":
      let name = kind == "TransformerEncoder" ? "encoder_layer" : "decoder_layer"
      guard let text = call.text(name), let layer = try inner(text).layer as? TransformerLayer,
        layer.kind == "\(kind)Layer"
      else {
        throw ArgumentError(
          offset: 0, message: "expected \(name) as \(kind)Layer(8, 2), found '\(call.text)'")
      }
      let norm = call.text("norm").flatMap { $0 == "None" ? nil : $0 }
      return TransformerStack(
        layer, count: try call.layers("num_layers"), norm: try norm.map(inner)
      ).module
    case "Transformer":
      let custom = ["custom_encoder", "custom_decoder"].first { call.text($0) ?? "None" != "None" }
      if let custom {
        throw ArgumentError(offset: 0, message: "expected no \(custom), which is not read")
      }
      return Transformer(
        call.text("d_model") == nil ? 512 : try call.width("d_model", heads: "nhead", default: 8),
        encoderLayers: try call.layers("num_encoder_layers", default: 6),
        decoderLayers: try call.layers("num_decoder_layers", default: 6),
        feedforward: try call.size("dim_feedforward", default: 2048),
        bias: try call.flag("bias", default: true)
      ).module
    case "AdaptiveLogSoftmaxWithLoss":
      let (classes, cutoffs) = (try call.size("n_classes"), try call.sizes("cutoffs"))
      let divisor = call.number("div_value", default: 4) ?? 0
      let ends = [0] + cutoffs + [classes]
      guard !cutoffs.isEmpty, zip(ends, ends.dropFirst()).allSatisfy(<), divisor >= 1 else {
        throw ArgumentError(
          offset: 0,
          message: "expected cutoffs that ascend below n_classes, and div_value of 1 or more, "
            + "found '\(call.text)'")
      }
      return AdaptiveLogSoftmax(
        try call.size("in_features"), classes: classes, cutoffs: cutoffs, divisor: divisor,
        headBias: try call.flag("head_bias", default: false)
      ).module
    default: return nil
    }
  }
}

extension PrintedArguments {
  /// A size, or nothing for `None`.
  fileprivate func optionalSize(_ name: String) throws(ArgumentError) -> Int? {
    text(name) ?? "None" == "None" ? nil : try size(name)
  }

  /// A number of equal layers.
  fileprivate func layers(
    _ name: String, default standard: Int? = nil
  ) throws(ArgumentError) -> Int {
    let count = try size(name, default: standard)
    guard count <= Recurrent.maxLayers else {
      throw ArgumentError(
        offset: 0, message: "expected at most \(Recurrent.maxLayers) layers, found \(name)=\(count)"
      )
    }
    return count
  }

  /// A width that a number of heads divides, as PyTorch requires.
  fileprivate func width(
    _ name: String, heads: String, default standard: Int? = nil
  ) throws(ArgumentError) -> Int {
    let (size, count) = (try size(name), try self.size(heads, default: standard))
    guard count > 0, size.isMultiple(of: count) else {
      throw ArgumentError(
        offset: 0,
        message: "expected \(heads) that divides \(name)=\(size), found \(heads)=\(count)")
    }
    return size
  }
}
