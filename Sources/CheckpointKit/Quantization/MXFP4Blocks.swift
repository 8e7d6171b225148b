import ByteIO
import Strided
import TensorCore

/// gpt-oss: `NAME_blocks` holds 32 floats of 4 bits in each 16 bytes, `NAME_scales` their exponents.
///
/// The tensor is `NAME`, with its last two axes exchanged. Source: Transformers
/// `integrations/mxfp4.py`, `convert_moe_packed_tensors`.
enum MXFP4Blocks: QuantizationScheme {
  private static let suffix = "_blocks"

  static func tensor(_ entry: Checkpoint.Entry, among others: TensorIndex) -> QuantizedTensor? {
    let name = entry.name.text
    guard entry.info.dtype == .uint8, name.hasSuffix(suffix), let bytes = entry.info.shape.last,
      bytes == 16,
      let scales = others.suffixed(TensorName(String(name.dropLast(suffix.count))), "_scales"),
      scales.info.dtype == .uint8
    else { return nil }
    let values = TensorName(String(name.dropLast(suffix.count)))
    return QuantizedTensor(entry, parts: [scales.name], label: "MXFP4, scales of 32") {
      let shape = entry.info.shape.sizes
      guard shape.count == 4, scales.info.shape.sizes == Array(shape.dropLast()) else {
        throw CheckpointError(
          .unsupported,
          "expected blocks of 4 dimensions and as many scales, found shapes \(entry.info.shape) and \(scales.info.shape)"
        )
      }
      let stored = try Checkpoint.Entry.computed(
        values, shape: try Shape([shape[0], shape[1], shape[2] * 32]), unit: 32
      ) { elements in
        try decode(entry, scales, elements.lowerBound / 32..<elements.upperBound / 32)
      }
      return try stored.permuted([0, 2, 1])
    }
  }

  private static func decode(
    _ codes: Checkpoint.Entry, _ scales: Checkpoint.Entry, _ blocks: Range<Int>
  ) throws -> [Float] {
    // In float64, where 2 to the power of 255 - 127 is finite, as in C's ldexp.
    let factors = try scales.bytes(blocks).map {
      Double(sign: .plus, exponent: Int($0) - 127, significand: 1)
    }
    let bytes = try codes.bytes(blocks.lowerBound * 16..<blocks.upperBound * 16)
    var values: [Float] = []
    values.reserveCapacity(bytes.count * 2)
    for (block, factor) in factors.enumerated() {
      for byte in bytes[block * 16..<block * 16 + 16] {
        values.append(Float(Double(Float4.values[Int(byte & 15)]) * factor))
        values.append(Float(Double(Float4.values[Int(byte >> 4)]) * factor))
      }
    }
    return values
  }
}
