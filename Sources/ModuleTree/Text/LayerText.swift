internal import TensorCore

/// A layer as a script calls it, `Linear(512, 1000)`, or as PyTorch prints it.
package enum LayerText {
  private static let maxDepth = 20

  /// Reads a call on one line; `Sequential(…)` may hold others.
  ///
  /// - Throws: `CheckpointError` with code `malformed`, naming what was expected.
  package static func module(_ text: String) throws -> Module { try module(text, depth: 0) }

  private static func module(_ text: String, depth: Int) throws -> Module {
    let text = text.trimmed
    guard depth < maxDepth, let (kind, arguments) = PrintedArguments.call(text) else {
      throw refuse(text)
    }
    if kind == "Sequential" {
      let children = try arguments.positionals.enumerated().map { index, child in
        Module.Child(String(index), try module(child, depth: depth + 1))
      }
      return Module(kind: kind, children: children)
    }
    guard KnownLayers.knows(kind) || kind == "Identity" else { throw refuse(text) }
    do {
      if let call = try named(arguments, of: kind),
        let composite = try composite(
          kind, call,
          inner: { try module($0, depth: depth + 1) })
      {
        return composite
      }
      let printed = "\(kind)(\(try printedArguments(of: kind, arguments) ?? arguments.text))"
      return try Module(printed: printed, sideFile: SideFile())
    } catch let error as CheckpointError {
      throw CheckpointError(.malformed, "'\(text)': \(error.message)")
    } catch let error as ArgumentError {
      throw CheckpointError(.malformed, "'\(text)': \(error.message)")
    }
  }

  private static func refuse(_ text: String) -> CheckpointError {
    CheckpointError(
      .malformed,
      "expected a layer of torch.nn as Linear(512, 1000), found '\(text.prefix(200))'")
  }

  /// Parameters of a constructor in their order, and those that are given only by name; `nil` for
  /// classes that are printed as they are called, or draw nothing.
  ///
  /// `device` and `dtype` are not among them: they change what is drawn.
  private static func parameters(of kind: String) -> (placed: [String], named: [String])? {
    let convolution = ["in_channels", "out_channels", "kernel_size", "stride", "padding"]
    return switch kind {
    case "Linear": (["in_features", "out_features", "bias"], [])
    case "Bilinear": (["in1_features", "in2_features", "out_features", "bias"], [])
    case "Conv1d", "Conv2d", "Conv3d":
      (convolution + ["dilation", "groups", "bias", "padding_mode"], [])
    case "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d":
      (convolution + ["output_padding", "groups", "bias", "dilation", "padding_mode"], [])
    case "Embedding":
      (
        [
          "num_embeddings", "embedding_dim", "padding_idx", "max_norm", "norm_type",
          "scale_grad_by_freq", "sparse",
        ], []
      )
    case "EmbeddingBag":
      (
        [
          "num_embeddings", "embedding_dim", "max_norm", "norm_type", "scale_grad_by_freq", "mode",
          "sparse",
        ], ["include_last_offset", "padding_idx"]
      )
    case "LayerNorm": (["normalized_shape", "eps", "elementwise_affine", "bias"], [])
    case "RMSNorm": (["normalized_shape", "eps", "elementwise_affine"], [])
    case "BatchNorm1d", "BatchNorm2d", "BatchNorm3d":
      (["num_features", "eps", "momentum", "affine", "track_running_stats"], ["bias"])
    case "GroupNorm": (["num_groups", "num_channels", "eps", "affine"], ["bias"])
    case "RNN":
      (
        [
          "input_size", "hidden_size", "num_layers", "nonlinearity", "bias", "batch_first",
          "dropout", "bidirectional",
        ], []
      )
    case "LSTM", "GRU":
      (
        [
          "input_size", "hidden_size", "num_layers", "bias", "batch_first", "dropout",
          "bidirectional",
        ] + (kind == "LSTM" ? ["proj_size"] : []), []
      )
    case "RNNCell": (["input_size", "hidden_size", "bias", "nonlinearity"], [])
    case "LSTMCell", "GRUCell": (["input_size", "hidden_size", "bias"], [])
    default: compositeParameters(of: kind).map { ($0, []) }
    }
  }

  /// The arguments of a call, each by the name of its parameter; `nil` for classes that are printed as
  /// they are called.
  ///
  /// - Throws: `CheckpointError` for an argument that is not one of the constructor's.
  private static func named(
    _ arguments: PrintedArguments, of kind: String
  ) throws(CheckpointError) -> PrintedArguments? {
    guard let (placed, named) = parameters(of: kind) else { return nil }
    let values = arguments.positionals
    let other =
      arguments.names.first { !placed.contains($0) && !named.contains($0) }
      ?? (values.count > placed.count ? values[placed.count] : nil)
    if let other {
      throw CheckpointError(
        .malformed,
        "expected the arguments \((placed + named).joined(separator: ", ")), found '\(other)'")
    }
    let given = arguments.names.map { ($0, arguments.text($0) ?? "") }
    return PrintedArguments(
      (zip(placed, values) + given).map { "\($0)=\($1)" }.joined(separator: ", "))
  }

  /// The arguments as they are printed, for classes whose constructors are called differently.
  private static func printedArguments(
    of kind: String, _ arguments: PrintedArguments
  ) throws(CheckpointError) -> String? {
    guard let call = try named(arguments, of: kind) else { return nil }
    func value(_ name: String) -> String? { call.text(name) }
    /// Those of some parameters that are given, by name.
    func given(_ names: String...) -> String {
      names.map { name in value(name).map { ", \(name)=\($0)" } ?? "" }.joined()
    }
    func tuple(_ text: String, _ rank: Int) -> String {
      text.hasPrefix("(")
        ? text
        : "(\(Array(repeating: text, count: rank).joined(separator: ", "))\(rank == 1 ? "," : ""))"
    }
    switch kind {
    case "Linear":
      guard let input = value("in_features"), let output = value("out_features") else {
        return nil
      }
      return "in_features=\(input), out_features=\(output), bias=\(value("bias") ?? "True")"
    case "Bilinear":
      guard let first = value("in1_features"), let second = value("in2_features"),
        let output = value("out_features")
      else { return nil }
      return "in1_features=\(first), in2_features=\(second), out_features=\(output), "
        + "bias=\(value("bias") ?? "True")"
    case "Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d":
      guard let input = value("in_channels"), let output = value("out_channels"),
        let kernel = value("kernel_size"),
        let rank = kind.dropLast().last.flatMap({ Int(String($0)) })
      else { return nil }
      return "\(input), \(output), kernel_size=\(tuple(kernel, rank)), "
        + "stride=\(tuple(value("stride") ?? "1", rank))" + given("groups", "bias")
    case "Embedding", "EmbeddingBag":
      guard let count = value("num_embeddings"), let size = value("embedding_dim") else {
        return nil
      }
      return "\(count), \(size)" + given("padding_idx")
        + (kind == "Embedding" ? "" : ", mode='mean'")
    case "LayerNorm", "RMSNorm":
      guard let shape = value("normalized_shape") else { return nil }
      return "\(tuple(shape, 1)), eps=1e-05, "
        + "elementwise_affine=\(value("elementwise_affine") ?? "True")"
        + (kind == "LayerNorm" ? ", bias=\(value("bias") ?? "True")" : "")
    case "BatchNorm1d", "BatchNorm2d", "BatchNorm3d":
      guard let size = value("num_features") else { return nil }
      return "\(size), eps=1e-05, momentum=0.1, affine=\(value("affine") ?? "True"), "
        + "track_running_stats=\(value("track_running_stats") ?? "True")"
    case "GroupNorm":
      guard let groups = value("num_groups"), let size = value("num_channels") else { return nil }
      return "\(groups), \(size), eps=1e-05, affine=\(value("affine") ?? "True")"
    default:
      guard let input = value("input_size"), let hidden = value("hidden_size") else { return nil }
      return "\(input), \(hidden)"
        + given(
          "proj_size", "num_layers", "bias", "batch_first", "dropout", "bidirectional")
    }
  }
}
