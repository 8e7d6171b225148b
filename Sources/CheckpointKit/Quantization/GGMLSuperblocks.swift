import ByteIO
import TensorCore

/// The block types of GGUF with 256 elements, whose scales are codes themselves.
///
/// Source: gguf-py 0.19 `quants.py`.
enum GGMLSuperblocks {
  static let decoders: [DType: GGMLBlocks.Decoder] = [
    .q2k: { bytes, start, values in
      let (scale, least) = (half(bytes, start + 80), half(bytes, start + 82))
      for group in 0..<16 {
        let code = bytes[start + group]
        let (factor, offset) = (scale * Float(code & 15), least * Float(code >> 4))
        for index in group * 16..<group * 16 + 16 {
          values.append(factor * Float(twoBits(bytes, start + 16, index)) - offset)
        }
      }
    },
    .q3k: { bytes, start, values in
      let scale = half(bytes, start + 108)
      for group in 0..<16 {
        let low = bytes[start + 96 + group % 8] >> (group < 8 ? 0 : 4) & 15
        let high = bytes[start + 104 + group % 4] >> UInt8(group / 4 * 2) & 3
        let factor = scale * Float(Int(low | high << 4) - 32)
        for index in group * 16..<group * 16 + 16 {
          let bit = bytes[start + index % 32] >> UInt8(index / 32) & 1
          let code = Int(twoBits(bytes, start + 32, index)) - (bit == 1 ? 0 : 4)
          values.append(factor * Float(code))
        }
      }
    },
    .q4k: { bytes, start, values in
      let (scale, least) = (half(bytes, start), half(bytes, start + 2))
      for group in 0..<8 {
        let (factor, offset) = scaleAndLeast(bytes, start + 4, group, scale, least)
        for index in 0..<32 {
          let code = halfByte(bytes, start + 16, group, index)
          values.append(factor * Float(code) - offset)
        }
      }
    },
    .q5k: { bytes, start, values in
      let (scale, least) = (half(bytes, start), half(bytes, start + 2))
      for group in 0..<8 {
        let (factor, offset) = scaleAndLeast(bytes, start + 4, group, scale, least)
        for index in 0..<32 {
          let high = bytes[start + 16 + index] >> UInt8(group) & 1
          let code = halfByte(bytes, start + 48, group, index) | high << 4
          values.append(factor * Float(code) - offset)
        }
      }
    },
    .q6k: { bytes, start, values in
      let scale = half(bytes, start + 208)
      for index in 0..<256 {
        let factor = scale * Float(Int8(bitPattern: bytes[start + 192 + index / 16]))
        let place = index / 128 * 64 + index % 64
        let low = bytes[start + place] >> (index % 128 < 64 ? 0 : 4) & 15
        let high = twoBits(bytes, start + 128, index)
        values.append(factor * Float(Int(low | high << 4) - 32))
      }
    },
    .iq4xs: { bytes, start, values in
      let scale = half(bytes, start)
      let high = bytes.littleEndian(UInt16.self, at: start + 2)
      for group in 0..<8 {
        let low = bytes[start + 4 + group / 2] >> (group % 2 == 0 ? 0 : 4) & 15
        let code = Int(low) | Int(high >> UInt16(2 * group) & 3) << 4
        let factor = scale * Float(code - 32)
        for code in GGMLBlocks.nibbles(bytes, start + 8 + 16 * group) {
          values.append(factor * GGMLBlocks.iq4Values[Int(code)])
        }
      }
    },
  ]

  private static func half(_ bytes: [UInt8], _ offset: Int) -> Float {
    GGMLBlocks.half(bytes, offset)
  }

  /// Element `index` of those that lie in pairs of bits: 32 bytes hold 128, the lowest bits first.
  private static func twoBits(_ bytes: [UInt8], _ start: Int, _ index: Int) -> UInt8 {
    bytes[start + index / 128 * 32 + index % 32] >> UInt8(index % 128 / 32 * 2) & 3
  }

  /// Element `index` of a group of 32: two groups share 32 bytes, the low halves first.
  private static func halfByte(_ bytes: [UInt8], _ start: Int, _ group: Int, _ index: Int) -> UInt8
  {
    bytes[start + group / 2 * 32 + index] >> (group % 2 == 0 ? 0 : 4) & 15
  }

  /// The factor and the offset of a group of Q4_K and Q5_K, whose codes of 6 bits take 12 bytes.
  private static func scaleAndLeast(
    _ bytes: [UInt8], _ start: Int, _ group: Int, _ scale: Float, _ least: Float
  ) -> (Float, Float) {
    let (first, second) = (bytes[start + group % 4], bytes[start + 4 + group % 4])
    if group < 4 { return (scale * Float(first & 63), least * Float(second & 63)) }
    let rest = bytes[start + 8 + group % 4]
    return (
      scale * Float(rest & 15 | first >> 2 & 48), least * Float(rest >> 4 | second >> 2 & 48)
    )
  }
}
