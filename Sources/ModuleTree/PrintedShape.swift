/// What an unknown class is, told by the shape of its printed text.
///
/// Measured on the printed text of three well-known model libraries: classes derived from those of
/// PyTorch, or written after them, print the same arguments.
enum PrintedShape {
  /// Norms whose weight is added to 1 and begins at 0 (transformers 5).
  private static let zeroCentred = [
    "GemmaRMSNorm", "Gemma2RMSNorm", "Gemma3RMSNorm", "Qwen3NextRMSNorm", "RecurrentGemmaRMSNorm",
  ]

  /// The known class that a text speaks for; `nil` if it does for none.
  static func base(of printed: PrintedModule) -> String? {
    let arguments = printed.arguments
    let names = Set(arguments.names)
    let kind = printed.kind
    func has(_ wanted: String...) -> Bool { names.isSuperset(of: wanted) }
    if has("nf", "nx") { return "Conv1D" }
    switch arguments.positionalCount {
    case 0 where has("in_features", "out_features", "bias"):
      // Quantised layers print so too and own other tensors.
      return ["4bit", "8bit", "Quant"].contains { kind.contains($0) } ? nil : "Linear"
    case 1:
      if kind.hasPrefix("FrozenBatchNorm") { return "FrozenBatchNorm2d" }
      if has("eps", "momentum", "affine", "track_running_stats") {
        return kind.contains("Instance") ? "InstanceNorm2d" : "BatchNorm2d"
      }
      if kind.hasSuffix("RMSNorm") && has("eps") {
        return zeroCentred.contains(kind) ? nil : "RMSNorm"
      }
      guard has("eps", "elementwise_affine") else { return nil }
      return kind.lowercased().contains("rms") ? "RMSNorm" : "LayerNorm"
    case 2:
      if has("kernel_size", "stride") {
        guard let rank = try? arguments.sizes("kernel_size").count, 1...3 ~= rank else {
          return nil
        }
        let isTransposed = kind.contains("Transpose") || has("output_padding")
        return "Conv\(isTransposed ? "Transpose" : "")\(rank)d"
      }
      if has("eps", "affine") { return "GroupNorm" }
      return kind.hasSuffix("Embedding") || kind.hasSuffix("Embeddings") ? "Embedding" : nil
    default: return nil
    }
  }
}
