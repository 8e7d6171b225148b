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
    guard depth < maxDepth, text.hasSuffix(")"), let open = text.firstIndex(of: "(") else {
      throw refuse(text)
    }
    let name = String(text[..<open]).trimmed
    let kind = name.split(separator: ".").last.map(String.init) ?? name
    let arguments = PrintedArguments(String(text[text.index(after: open)...].dropLast()))
    if kind == "Sequential" {
      let children = try arguments.positionals.enumerated().map { index, child in
        Module.Child(String(index), try module(child, depth: depth + 1))
      }
      return Module(kind: kind, children: children)
    }
    guard KnownLayers.knows(kind) || kind == "Identity" else { throw refuse(text) }
    let printed = "\(kind)(\(printedArguments(of: kind, arguments) ?? arguments.text))"
    do {
      return try Module(printed: printed, sideFile: SideFile())
    } catch let error as CheckpointError {
      throw CheckpointError(.malformed, "'\(text)': \(error.message)")
    }
  }

  private static func refuse(_ text: String) -> CheckpointError {
    CheckpointError(
      .malformed,
      "expected a layer of torch.nn as Linear(512, 1000), found '\(text.prefix(200))'")
  }

  /// The arguments as they are printed, for classes whose constructors are called differently.
  private static func printedArguments(
    of kind: String, _ arguments: PrintedArguments
  ) -> String? {
    let values = arguments.positionals
    /// A parameter by place or by name.
    func value(_ place: Int, _ names: String...) -> String? {
      if place < values.count { return values[place] }
      return names.lazy.compactMap { arguments.text($0) }.first
    }
    func tuple(_ text: String, _ rank: Int) -> String {
      text.hasPrefix("(")
        ? text
        : "(\(Array(repeating: text, count: rank).joined(separator: ", "))\(rank == 1 ? "," : ""))"
    }
    switch kind {
    case "Linear":
      guard let input = value(0, "in_features"), let output = value(1, "out_features") else {
        return nil
      }
      return "in_features=\(input), out_features=\(output), bias=\(value(2, "bias") ?? "True")"
    case "Bilinear":
      guard let first = value(0, "in1_features"), let second = value(1, "in2_features"),
        let output = value(2, "out_features")
      else { return nil }
      return "in1_features=\(first), in2_features=\(second), out_features=\(output), "
        + "bias=\(value(3, "bias") ?? "True")"
    case "Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d":
      guard let input = value(0, "in_channels"), let output = value(1, "out_channels"),
        let kernel = value(2, "kernel_size"),
        let rank = kind.dropLast().last.flatMap({ Int(String($0)) })
      else { return nil }
      var text = "\(input), \(output), kernel_size=\(tuple(kernel, rank)), "
      text += "stride=\(tuple(value(3, "stride") ?? "1", rank))"
      if let groups = arguments.text("groups") { text += ", groups=\(groups)" }
      if let bias = arguments.text("bias") { text += ", bias=\(bias)" }
      return text
    case "Embedding", "EmbeddingBag":
      guard let count = value(0, "num_embeddings"), let size = value(1, "embedding_dim") else {
        return nil
      }
      let padding = value(2, "padding_idx").map { ", padding_idx=\($0)" } ?? ""
      return "\(count), \(size)\(kind == "Embedding" ? padding : ", mode='mean'")"
    case "LayerNorm", "RMSNorm":
      guard let shape = value(0, "normalized_shape") else { return nil }
      return "\(tuple(shape, 1)), eps=1e-05, "
        + "elementwise_affine=\(arguments.text("elementwise_affine") ?? "True")"
        + (kind == "LayerNorm" ? ", bias=\(arguments.text("bias") ?? "True")" : "")
    case "BatchNorm1d", "BatchNorm2d", "BatchNorm3d":
      guard let size = value(0, "num_features") else { return nil }
      let affine = arguments.text("affine") ?? "True"
      return "\(size), eps=1e-05, momentum=0.1, affine=\(affine), "
        + "track_running_stats=\(arguments.text("track_running_stats") ?? "True")"
    case "GroupNorm":
      guard let groups = value(0, "num_groups"), let size = value(1, "num_channels") else {
        return nil
      }
      return "\(groups), \(size), eps=1e-05, affine=\(arguments.text("affine") ?? "True")"
    case "RNN", "LSTM", "GRU", "RNNCell", "LSTMCell", "GRUCell":
      guard let input = value(0, "input_size"), let hidden = value(1, "hidden_size") else {
        return nil
      }
      let names = ["proj_size", "num_layers", "bias", "batch_first", "dropout", "bidirectional"]
      var given = Dictionary(
        names.compactMap { name in arguments.text(name).map { (name, $0) } },
        uniquingKeysWith: { first, _ in first })
      if values.count > 2, !kind.hasSuffix("Cell") { given["num_layers"] = values[2] }
      return "\(input), \(hidden)"
        + names.compactMap { name in given[name].map { ", \(name)=\($0)" } }.joined()
    default: return nil
    }
  }
}
