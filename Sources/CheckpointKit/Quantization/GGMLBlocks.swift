import ByteIO
import TensorCore

/// The block types of GGUF: codes and their scales in one block.
///
/// Source: gguf-py 0.19 `quants.py`, whose float32 operations are done in its order. The types of
/// 256 elements are in `GGMLSuperblocks`.
enum GGMLBlocks: QuantizationScheme {
  /// Appends the values of the block that begins at `start`.
  typealias Decoder = @Sendable (_ bytes: [UInt8], _ start: Int, _ values: inout [Float]) -> Void

  static func tensor(_ entry: Checkpoint.Entry, among others: TensorIndex) -> QuantizedTensor? {
    let dtype = entry.info.dtype
    guard let decode = decoders[dtype] ?? GGMLSuperblocks.decoders[dtype] else { return nil }
    let (count, size) = dtype.block
    return QuantizedTensor(entry, label: dtype.rawValue) {
      try .computed(entry.name, shape: entry.info.shape, unit: count) { elements in
        let blocks = elements.lowerBound / count..<elements.upperBound / count
        let bytes = try entry.bytes(blocks.lowerBound * size..<blocks.upperBound * size)
        var values: [Float] = []
        values.reserveCapacity(elements.count)
        for start in stride(from: 0, to: bytes.count, by: size) { decode(bytes, start, &values) }
        return values
      }
    }
  }

  private static let decoders: [DType: Decoder] = [
    .q4_0: { bytes, start, values in
      let scale = half(bytes, start)
      for code in nibbles(bytes, start + 2) { values.append(scale * Float(Int(code) - 8)) }
    },
    .q4_1: { bytes, start, values in
      let (scale, least) = (half(bytes, start), half(bytes, start + 2))
      for code in nibbles(bytes, start + 4) { values.append(scale * Float(code) + least) }
    },
    .q5_0: { bytes, start, values in
      let scale = half(bytes, start)
      let high = bytes.littleEndian(UInt32.self, at: start + 2)
      for (index, code) in nibbles(bytes, start + 6).enumerated() {
        values.append(scale * Float(Int(code) + fifth(high, index) - 16))
      }
    },
    .q5_1: { bytes, start, values in
      let (scale, least) = (half(bytes, start), half(bytes, start + 2))
      let high = bytes.littleEndian(UInt32.self, at: start + 4)
      for (index, code) in nibbles(bytes, start + 8).enumerated() {
        values.append(scale * Float(Int(code) + fifth(high, index)) + least)
      }
    },
    .q8_0: { bytes, start, values in
      let scale = half(bytes, start)
      for byte in bytes[start + 2..<start + 34] {
        values.append(Float(Int8(bitPattern: byte)) * scale)
      }
    },
    .iq4nl: { bytes, start, values in
      let scale = half(bytes, start)
      for code in nibbles(bytes, start + 2) { values.append(scale * iq4Values[Int(code)]) }
    },
    .mxfp4: { bytes, start, values in
      // Half of 2^(e - 127), since the table has twice the values of E2M1.
      let exponent = UInt32(bytes[start])
      let bits = exponent < 2 ? 0x20_0000 << exponent : (exponent - 1) << 23
      let scale = Float(bitPattern: bits)
      for code in nibbles(bytes, start + 1) {
        // This table of integers has no negative zero.
        values.append(scale * (code == 8 ? 0 : Float4.values[Int(code)] * 2))
      }
    },
  ]

  /// The values of the codes of `IQ4_NL` and `IQ4_XS`.
  static let iq4Values: [Float] = [
    -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113,
  ]

  /// The float16 at an offset.
  static func half(_ bytes: [UInt8], _ offset: Int) -> Float {
    Float(Float16(bitPattern: bytes.littleEndian(UInt16.self, at: offset)))
  }

  /// The codes in `count` bytes: the low halves of all, then the high halves.
  static func nibbles(_ bytes: [UInt8], _ start: Int, count: Int = 16) -> [UInt8] {
    bytes[start..<start + count].map { $0 & 15 } + bytes[start..<start + count].map { $0 >> 4 }
  }

  private static func fifth(_ high: UInt32, _ index: Int) -> Int {
    Int(high >> UInt32(index) & 1) << 4
  }
}
