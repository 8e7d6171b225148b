import ByteIO
import TensorCore

/// Floats of 8 or 4 bits beside scales by which they are multiplied: one for the tensor, for each
/// row, or for each block.
///
/// Sources: DeepSeek-V3 `inference/kernel.py`, `weight_dequant` (`weight_scale_inv`, blocks of
/// 128×128, the last ones smaller); Transformers `Fp8Dequantize`; compressed-tensors and ModelOpt
/// (`weight_scale`); ComfyUI (`scale_weight`). Each value is a float32 product.
enum ScaledFloats: QuantizationScheme {
  static func tensor(_ entry: Checkpoint.Entry, among others: TensorIndex) -> QuantizedTensor? {
    let dtype = entry.info.dtype
    guard isStored(dtype), let scales = scales(of: entry, among: others) else { return nil }
    let kind = dtype == .float4e2m1 ? "float4" : "float8"
    let second = ["_scale_2", "_global_scale"].compactMap { others.suffixed(entry.name, $0) }
    if let second = second.first {
      return QuantizedTensor(
        entry, parts: [scales.name, second.name], label: "\(kind), scales in two levels",
        unknown: "scales in two levels are not computed")
    }
    let blocks = ScaleGrid.blocks(entry.info.shape, scales: scales.info.shape)
    let text = blocks.map { ScaleGrid.text($0, entry.info.shape) } ?? "scales"
    var tensor = QuantizedTensor(entry, parts: [scales.name], label: "\(kind), \(text)") {
      guard isScale(scales.info.dtype) else {
        throw CheckpointError(
          .unsupported, "its scales '\(scales.name)' are of type \(scales.info.dtype.rawValue)")
      }
      guard let blocks else {
        throw CheckpointError(
          .unsupported,
          "scales of shape \(scales.info.shape) do not divide shape \(entry.info.shape) into blocks"
        )
      }
      return try values(of: entry, ScaleGrid(entry.info.shape, blocks: blocks, of: scales))
    }
    tensor.areNumbers = true
    return tensor
  }

  private static func isStored(_ dtype: DType) -> Bool {
    dtype == .float4e2m1 || dtype.isFloatingPoint && dtype.byteWidth == 1 && dtype != .float8e8m0
  }

  private static func isScale(_ dtype: DType) -> Bool { dtype.isFloatingPoint || dtype == .uint8 }

  /// The tensor of scales, by the names that libraries give it.
  private static func scales(
    of entry: Checkpoint.Entry, among others: TensorIndex
  ) -> Checkpoint.Entry? {
    for suffix in ["_scale_inv", "_scale", "_scales"] {
      if let found = others.suffixed(entry.name, suffix) { return found }
    }
    let leaf = entry.name.parentAndLeaf.leaf
    return others.sibling(of: entry.name, "scale_" + leaf)
      ?? (leaf == "weight" ? others.sibling(of: entry.name, "scale") : nil)
  }

  private static func values(
    of entry: Checkpoint.Entry, _ grid: ScaleGrid
  ) throws -> Checkpoint.Entry {
    try .computed(entry.name, shape: entry.info.shape) { elements in
      var values = try stored(entry, elements)
      try grid.multiply(&values, at: elements.lowerBound)
      return values
    }
  }

  /// The stored numbers; of two in a byte, the first is in the low bits.
  private static func stored(
    _ entry: Checkpoint.Entry, _ elements: Range<Int>
  ) throws -> [Float] {
    guard entry.info.dtype == .float4e2m1 else { return try entry.singles(elements) }
    let bytes = try entry.bytes(elements.lowerBound / 2..<(elements.upperBound + 1) / 2)
    let first = elements.lowerBound / 2 * 2
    return elements.map { index in
      let byte = bytes[(index - first) / 2]
      return Float4.values[Int(index % 2 == 0 ? byte & 15 : byte >> 4)]
    }
  }
}
