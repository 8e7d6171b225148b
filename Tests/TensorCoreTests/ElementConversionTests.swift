import ParallelWork
import TensorCore
import Testing

@Suite struct ElementConversionTests {
  private func decoded(_ bytes: [UInt8], _ dtype: DType) -> [Double] {
    var values: [Double] = []
    unsafe ElementConversion.decode(bytes.span.bytes, as: dtype, into: &values)
    return values
  }

  private func encoded(
    _ values: [Double], _ dtype: DType, capacity: Int = 64
  ) -> (bytes: [UInt8], overflows: Int) {
    var buffer = ChunkBuffer(capacity: capacity)
    var target = buffer.mutableBytes(values.count * dtype.byteWidth)
    let overflows = ElementConversion.encode(values.span, as: dtype, into: &target)
    let bytes = buffer.bytes(values.count * dtype.byteWidth)
    return (
      (0..<bytes.byteCount).map { unsafe bytes.unsafeLoad(fromByteOffset: $0, as: UInt8.self) },
      overflows
    )
  }

  @Test(arguments: [
    (DType.bool, [0, 1], [0.0, 1]), (.uint8, [255], [255]), (.int8, [255], [-1]),
    (.int16, [0xff, 0x7f], [32767]), (.uint16, [0xff, 0xff], [65535]),
    (.float16, [0x00, 0x3c, 0x01, 0x00], [1, 0x1p-24]), (.bfloat16, [0xc0, 0x3f], [1.5]),
    (.float32, [0, 0, 0x80, 0x3f], [1]), (.int32, [0xfe, 0xff, 0xff, 0xff], [-2]),
    (.uint32, [0, 0, 0, 0x80], [0x1p31]),
    (.complex64, [0, 0, 0x80, 0x3f, 0, 0, 0, 0x40], [1, 2]),
    (.float64, [0, 0, 0, 0, 0, 0, 0xf0, 0x3f], [1]),
    (.int64, [1, 0, 0, 0, 0, 0, 0, 0x80], [-0x1p63]),
    (.float8e4m3, [0x38, 0x7e, 0x01, 0xb8], [1, 448, 0x1p-9, -1]),
    (.float8e5m2, [0x3c, 0x7b, 0x01], [1, 57344, 0x1p-16]),
    // As torch 2.15 reads them.
    (.float8e8m0, [0x7f, 0x00, 0xfe], [1, 0x1p-127, 0x1p127]),
    (.float8e4m3fnuz, [0x40, 0x7f, 0x01, 0xc4, 0x08], [1, 240, 0x1p-10, -1.5, 0x1p-7]),
    (.float8e5m2fnuz, [0x40, 0x7f, 0x01, 0xc2, 0x04], [1, 57344, 0x1p-17, -1.5, 0x1p-15]),
  ])
  func `bytes decode to the numbers they stand for`(
    dtype: DType, bytes: [UInt8], values: [Double]
  ) {
    #expect(decoded(bytes, dtype) == values)
  }

  @Test func `bfloat16 rounds to nearest, ties to even`() {
    for (value, bits) in [
      (Float(bitPattern: 0x3f80_8000), 0x3f80), (Float(bitPattern: 0x3f81_8000), 0x3f82),
      (Float(bitPattern: 0x3f80_8001), 0x3f81), (.greatestFiniteMagnitude, 0x7f80),
      (-.infinity, 0xff80), (.nan, 0x7fc0),
    ] as [(Float, UInt16)] {
      #expect(ElementConversion.bfloat16(rounding: value) == bits, "\(value)")
    }
  }

  @Test func `what becomes infinite is counted, what was infinite is not`() {
    let (bytes, overflows) = encoded([1e6, -.infinity, 65504, -1e6], .float16)
    #expect(overflows == 2)
    #expect(decoded(bytes, .float16) == [.infinity, -.infinity, 65504, -.infinity])
  }

  @Test(arguments: [DType.float16, .bfloat16, .float32, .float64])
  func `what a type holds survives encoding`(dtype: DType) {
    let values = [0, -0.0, 1, -1.5, 0.015625, .infinity]
    let bytes = encoded(values, dtype).bytes
    #expect(decoded(bytes, dtype).map(\.bitPattern) == values.map(\.bitPattern))
    #expect(decoded(encoded([.nan], dtype).bytes, dtype)[0].isNaN)
  }

  @Test func `text is the shortest that reads back`() {
    func texts(_ dtype: DType, _ bytes: [UInt8]) -> [String] {
      unsafe dtype.elementTexts(bytes.span.bytes)
    }
    #expect(texts(.bfloat16, [0xcd, 0x3d]) == ["0.100097656"])
    #expect(texts(.int64, [UInt8](repeating: 0xff, count: 8)) == ["-1"])
    #expect(texts(.bool, [0, 1]) == ["false", "true"])
    #expect(texts(.complex64, [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]) == ["1.0-2.0j"])
  }

  @Test func `conversion without a detour gives what the detour gives`() {
    var bits = (0..<2000).map { UInt32(truncatingIfNeeded: $0 &* 2_654_435_761) }
    bits += [0x7f80_0000, 0x7f7f_ffff, 0xff7f_ffff, 0x7fc0_0000, 0x7f80_0001, 0x0000_8000]
    let bytes = bits.flatMap { bits in (0..<4).map { UInt8(bits >> (8 * $0) & 255) } }
    for (old, new) in [
      (DType.float32, DType.bfloat16), (.bfloat16, .float32), (.float32, .float16),
    ] {
      let count = bytes.count / old.byteWidth
      let expected = encoded(decoded(bytes, old), new, capacity: 8 * count)
      var buffer = ChunkBuffer(capacity: count * new.byteWidth)
      var target = buffer.mutableBytes(count * new.byteWidth)
      let overflows = unsafe ElementConversion.convert(
        bytes.span.bytes, from: old, to: new, into: &target)
      let found = unsafe buffer.bytes(count * new.byteWidth).withUnsafeBytes { unsafe Array($0) }
      #expect(overflows == expected.overflows)
      // NaN stays NaN; which one is left to the type's own rule.
      for (one, other) in zip(decoded(found, new), decoded(expected.bytes, new)) {
        #expect(one.bitPattern == other.bitPattern || one.isNaN && other.isNaN)
      }
    }
  }
}
