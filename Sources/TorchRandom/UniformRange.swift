internal import TensorCore

/// The values of `uniform_(from, to)`: one fused multiply-add per element.
///
/// `u` takes the low 24 bits of a word (53 of two words for `float64`) times 2^-24 (2^-53), the
/// value is `fma(u, to - from, from)`, rounded to the dtype; a value that rounds up to `to`
/// becomes `from`. Source: PyTorch 2.15 `uniform_real_distribution`, AVX2 build.
struct UniformRange {
  let from: Double
  let to: Double

  func convert(_ words: Span<UInt32>, to dtype: DType, into target: inout MutableRawSpan) {
    switch dtype {
    case .float64: convertToDouble(words, into: &target)
    case .float16: convertToHalf(words, into: &target) { Float16($0).bitPattern }
    case .bfloat16: convertToHalf(words, into: &target) { ElementConversion.bfloat16(rounding: $0) }
    default: convertToFloat(words, into: &target)
    }
  }

  private func convertToFloat(_ words: Span<UInt32>, into target: inout MutableRawSpan) {
    let from = Float(from)
    let to = Float(to)
    // For a symmetric range fma(u, 2b, -b) is b(2u - 1) rounded once, and 2u - 1 is exact: a
    // plain product. It cannot round up to b unless b is subnormal.
    if from == -to, to.isNormal {
      for index in words.indices {
        let centred = Int32(bitPattern: words[index] & 0xff_ffff) &- 0x80_0000
        target.store(to * (Float(centred) * 0x1p-23), at: index)
      }
      return
    }
    let width = to - from
    for index in words.indices {
      let value = from.addingProduct(words[index].unitFloat, width)
      target.store(value == to ? from : value, at: index)
    }
  }

  private func convertToHalf(
    _ words: Span<UInt32>, into target: inout MutableRawSpan, rounding: (Float) -> UInt16
  ) {
    let from = Float(from)
    let width = Float(to) - from
    let first = rounding(from)
    let last = rounding(Float(to))
    for index in words.indices {
      let bits = rounding(from.addingProduct(words[index].unitFloat, width))
      // Equal as numbers: of two zeros the signs may differ.
      let isLast = bits == last || (bits | last) << 1 == 0
      target.store(isLast ? first : bits, at: index)
    }
  }

  private func convertToDouble(_ words: Span<UInt32>, into target: inout MutableRawSpan) {
    let width = to - from
    for index in 0..<words.count / 2 {
      let unit = UInt64(high: words[2 * index], low: words[2 * index + 1]).unitDouble
      let value = from.addingProduct(unit, width)
      target.store(value == to ? from : value, at: index)
    }
  }
}

extension UInt32 {
  /// The low 24 bits as a number in `0 ..< 1`, exactly.
  var unitFloat: Float { Float(Int32(bitPattern: self & 0xff_ffff)) * 0x1p-24 }
}

extension UInt64 {
  /// Two words of the stream, the first one drawn as the high half.
  init(high: UInt32, low: UInt32) { self = UInt64(high) << 32 | UInt64(low) }

  /// The low 53 bits as a number in `0 ..< 1`, exactly.
  var unitDouble: Double { Double(Int64(bitPattern: self & 0x1f_ffff_ffff_ffff)) * 0x1p-53 }
}
