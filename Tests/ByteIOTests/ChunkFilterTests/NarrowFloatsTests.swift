import ByteIO
import TestSupport
import Testing

@Suite struct NarrowFloatsTests {
  private func widened(_ bytes: [UInt8], _ kind: NarrowFloats.Kind) -> [UInt8] {
    [UInt8](count: 2 * bytes.count) { NarrowFloats.widen(bytes.rawBytes, kind, into: &$0) }
  }

  private func narrowed(_ words: [UInt64], _ kind: NarrowFloats.Kind) -> [UInt64]? {
    let bytes = words.bytes(width: kind.wideWidth)
    var narrow = [UInt8](repeating: 0, count: bytes.count / 2)
    let isExact = narrow.fillBytes { NarrowFloats.narrow(bytes.rawBytes, kind, into: &$0) }
    return isExact ? narrow.words(width: kind.narrowWidth) : nil
  }

  /// The bits of the wider float by Swift's conversion; of a NaN, its sign and payload.
  private func reference(_ word: UInt64, _ kind: NarrowFloats.Kind) -> UInt64 {
    switch kind {
    case .f16: return half(word)
    case .bf16: return word << 16
    case .f32:
      let float = Float(bitPattern: UInt32(word))
      if !float.isNaN { return Double(float).bitPattern }
      return (word >> 31) << 63 | 0x7ff << 52 | (word & 0x7f_ffff) << 29
    }
  }

  /// The value of a float16, computed from sign, exponent, and significand.
  private func half(_ word: UInt64) -> UInt64 {
    let (sign, exponent, fraction) = (word >> 15, word >> 10 & 0x1f, word & 0x3ff)
    if exponent == 31 { return sign << 31 | 0xff << 23 | fraction << 13 }
    let magnitude =
      exponent == 0
      ? Float(sign: .plus, exponent: -24, significand: Float(fraction))
      : Float(sign: .plus, exponent: Int(exponent) - 25, significand: Float(fraction | 0x400))
    return sign << 31 | UInt64(magnitude.bitPattern)
  }

  @Test(arguments: [NarrowFloats.Kind.f16, .bf16])
  func `all values of two bytes are widened, and come back`(_ kind: NarrowFloats.Kind) {
    let words = (0..<UInt64(1 << 16)).map { $0 }
    let wide = words.map { reference($0, kind) }
    #expect(widened(words.bytes(width: 2), kind) == wide.bytes(width: 4))
    let exact = kind == .bf16 ? words : words.filter { $0 & 0x7fff <= 0x7c00 }
    #expect(narrowed(exact.map { reference($0, kind) }, kind) == exact)
  }

  @Test(arguments: FilterSample.allCases)
  func `float32 values in float64 are widened, and come back`(_ sample: FilterSample) {
    for count in filterCounts {
      let words = sample.words(count, width: 4)
      let wide = words.map { reference($0, .f32) }
      #expect(widened(words.bytes(width: 4), .f32) == wide.bytes(width: 8), "\(count)")
      let exact = words.filter { !Float(bitPattern: UInt32($0)).isNaN }
      #expect(narrowed(exact.map { reference($0, .f32) }, .f32) == exact, "\(count)")
    }
  }

  @Test func `float32 values of every exponent are widened, and come back`() {
    let words = (0..<UInt64(1 << 17)).map { $0 << 15 | $0 & 0x1f }
      .filter { !Float(bitPattern: UInt32($0)).isNaN }
    let wide = words.map { reference($0, .f32) }
    #expect(widened(words.bytes(width: 4), .f32) == wide.bytes(width: 8))
    #expect(narrowed(wide, .f32) == words)
  }

  @Test func `NaNs are refused, except in bfloat16`() {
    for payload in [1, 0x2000, 0x40_0000, 0x7f_ffff] as [UInt64] {
      #expect(narrowed([0x7f80_0000 | payload], .f16) == nil)
      #expect(narrowed([0xff80_0000 | payload], .f16) == nil)
      #expect(narrowed([0x7ff << 52 | payload << 29], .f32) == nil)
    }
    #expect(narrowed([0x7fc0_0000, 0xff81_0000], .bf16) == [0x7fc0, 0xff81])
  }

  @Test(arguments: NarrowFloats.Kind.allCases)
  func `a word that does not come back is found anywhere`(_ kind: NarrowFloats.Kind) {
    let narrowBits = UInt64(8 * kind.narrowWidth)
    for count in [1, 8, 17, 1000, 1024, 1025, 3000] {
      var words = FilterSample.noise.words(count, width: kind.narrowWidth).map {
        reference($0 & ~(1 << (narrowBits - 2)), kind)
      }
      #expect(narrowed(words, kind) != nil)
      for index in [0, count / 2, count - 1] {
        words[index] ^= 1
        #expect(narrowed(words, kind) == nil, "\(index) of \(count)")
        words[index] ^= 1
      }
    }
  }

  @Test func `values next to those of the narrower type are refused`() {
    var tested = 0
    for word in stride(from: UInt64(0), to: 0x7c00, by: 7) {
      let wide = reference(word, .f16)
      // One bit below the last one that float16 has, and all lower ones.
      let below = narrowed([wide | 1], .f16)
      #expect(below == nil)
      let step = reference(word + 1, .f16) - wide
      if word + 1 < 0x7c00 && step > 1 {
        #expect(narrowed([wide + step / 2], .f16) == nil, "\(word)")
        tested += 1
      }
    }
    #expect(tested > 4000)
    // Halfway between subnormals, beyond the largest, and below the smallest number.
    for value in [1.5 * 0x1p-24, 65536, 0x1p-25, 0x1p-126] as [Float] {
      #expect(narrowed([UInt64(value.bitPattern)], .f16) == nil)
    }
    for value in [1.5 * 0x1p-149, 0x1p128, 0x1p-150, 0x1p-1074, 0x1p-1022] as [Double] {
      #expect(narrowed([value.bitPattern], .f32) == nil)
    }
  }
}
