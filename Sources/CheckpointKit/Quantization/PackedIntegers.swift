import TensorCore

/// Integers that several libraries pack into larger ones, recognized by the names beside them; their
/// values are not computed.
enum PackedIntegers: QuantizationScheme {
  /// A scheme: the last component of the codes' name, and those of tensors that must be beside them.
  private struct Names {
    let leaf: String
    let others: [String]
    let label: String
  }

  private static let known = [
    Names(leaf: "qweight", others: ["scales", "qzeros"], label: "GPTQ or AWQ"),
    Names(leaf: "qweight", others: ["scales"], label: "GPTQ without zero points"),
    Names(leaf: "q_weight", others: ["q_scale", "q_groups"], label: "EXL2"),
    Names(leaf: "weight_packed", others: ["weight_scale"], label: "compressed-tensors"),
    Names(leaf: "weight", others: ["weight_scale", "weight_scale_2"], label: "ModelOpt"),
    Names(leaf: "W_q", others: ["scale", "zero"], label: "HQQ"),
    Names(leaf: "codes", others: ["codebooks", "scales"], label: "AQLM"),
    Names(leaf: "_data", others: ["_scale"], label: "quanto"),
    Names(leaf: "qweight", others: ["weight_scales"], label: "EETQ"),
    Names(leaf: "B", others: ["s"], label: "Marlin"),
    Names(leaf: "weight", others: ["scales", "biases"], label: "MLX"),
    Names(leaf: "weight", others: ["weight_scale_inv"], label: "integers with scales"),
    Names(leaf: "weight", others: ["weight_scale"], label: "integers with scales"),
  ]
  /// What may stand beside the codes as well.
  private static let optional = [
    "g_idx", "weight_shape", "weight_zero_point", "weight_g_idx", "weight_global_scale",
    "weight_scale_2", "q_scale_max", "q_invperm", "q_perm", "q_group_map", "_shift",
  ]

  static func tensor(_ entry: Checkpoint.Entry, among others: TensorIndex) -> QuantizedTensor? {
    guard case .integer = entry.info.dtype.element.kind else { return nil }
    let leaf = entry.name.parentAndLeaf.leaf
    for names in known where names.leaf == leaf {
      let parts = names.others.compactMap { others.sibling(of: entry.name, $0) }
      guard parts.count == names.others.count, let first = parts.first else { continue }
      let more = optional.compactMap { others.sibling(of: entry.name, $0)?.name }
      let label =
        leaf == "qweight" && names.label != "EETQ"
        ? qweight(entry, first, among: others) : names.label
      let all = parts.map(\.name) + more.filter { name in !parts.contains { $0.name == name } }
      return QuantizedTensor(
        entry, parts: all, label: label,
        unknown: "ckpt does not compute its values; the library that wrote it does")
    }
    guard entry.info.dtype.byteWidth <= 4, let scales = others.scales(of: entry.name).first else {
      return nil
    }
    let isTorch = scales.name.parentAndLeaf.leaf.hasPrefix("q_")
    return QuantizedTensor(
      entry, parts: others.scales(of: entry.name).map(\.name),
      label: isTorch ? "a quantized tensor of PyTorch" : "integers with scales",
      unknown: isTorch
        ? "save its dequantize() instead"
        : "ckpt does not compute its values; the library that wrote it does")
  }

  /// GPTQ packs along the rows, which are inputs; AWQ along the columns.
  private static func qweight(
    _ codes: Checkpoint.Entry, _ scales: Checkpoint.Entry, among others: TensorIndex
  ) -> String {
    let (code, scale) = (codes.info.shape.sizes, scales.info.shape.sizes)
    // GPTQModel also packs into integers of 8, 16, and 64 bits.
    let width = 8 * codes.info.dtype.byteWidth
    guard code.count == 2, scale.count == 2 else { return "GPTQ or AWQ" }
    if others.sibling(of: codes.name, "g_idx") == nil, code[1] < scale[1],
      scale[1] % max(code[1], 1) == 0
    {
      return "AWQ, \(code[1].saturated(times: width) / max(scale[1], 1)) bits"
    }
    guard code[1] == scale[1], let inputs = others.sibling(of: codes.name, "g_idx"),
      inputs.info.elementCount > 0
    else { return code[1] == scale[1] ? "GPTQ" : "GPTQ or AWQ" }
    return "GPTQ, \(code[0].saturated(times: width) / inputs.info.elementCount) bits"
  }
}

/// Floats of 8 bits beside scales of unknown names.
enum UnknownScales: QuantizationScheme {
  static func tensor(_ entry: Checkpoint.Entry, among others: TensorIndex) -> QuantizedTensor? {
    let dtype = entry.info.dtype
    guard dtype.isFloatingPoint, dtype.byteWidth == 1 else { return nil }
    let scales = others.scales(of: entry.name)
    guard let first = scales.first else { return nil }
    return QuantizedTensor(
      entry, parts: scales.map(\.name), label: "float8 with scales",
      unknown: "how '\(first.name)' scales it is unknown")
  }
}

/// Elements of fewer than 8 bits, or of blocks, that no other scheme knows.
enum LoneCodes: QuantizationScheme {
  static func tensor(_ entry: Checkpoint.Entry, among others: TensorIndex) -> QuantizedTensor? {
    let dtype = entry.info.dtype
    guard !dtype.isComputable else { return nil }
    let reason =
      dtype == .float4e2m1
      ? "there are no scales beside it" : "ckpt does not compute the values of this type"
    return QuantizedTensor(entry, label: dtype.rawValue, unknown: reason)
  }
}
