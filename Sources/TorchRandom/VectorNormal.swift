internal import Glibc
internal import TensorCore

/// The values of `normal_(mean, std)` where PyTorch draws sixteen at a time.
///
/// Elements j and j + 8 of a block are a Box-Muller pair of the block's uniforms j and j + 8.
/// `float64` takes the C library's logarithm, sine and cosine; all others are computed in
/// `float32` by the polynomials of ``SinglePrecision`` and rounded last.
/// Source: PyTorch 2.15 `normal_fill_AVX2` and `normal_fill_16`.
struct VectorNormal {
  let mean: Double
  let deviation: Double

  func convert(_ words: Span<UInt32>, to dtype: DType, into target: inout MutableRawSpan) {
    switch dtype {
    case .float64: convertToDouble(words, into: &target)
    case .float16:
      convertToFloat(words) { target.store(Float16($0).bitPattern, at: $1) }
    case .bfloat16:
      convertToFloat(words) { target.store($0.bfloat16Bits, at: $1) }
    default:
      convertToFloat(words) { target.store($0, at: $1) }
    }
  }

  private func convertToFloat(_ words: Span<UInt32>, store: (Float, Int) -> Void) {
    let mean = Float(mean)
    let deviation = Float(deviation)
    for block in stride(from: 0, to: words.count, by: 16) {
      for index in block..<block + 8 {
        let radius = (-2 * SinglePrecision.log(1 - words[index].unitFloat)).squareRoot()
        let (sine, cosine) = SinglePrecision.sineAndCosine(
          0x1.921fb6p+2 * words[index + 8].unitFloat)
        store(mean.addingProduct(radius * cosine, deviation), index)
        store(mean.addingProduct(radius * sine, deviation), index + 8)
      }
    }
  }

  private func convertToDouble(_ words: Span<UInt32>, into target: inout MutableRawSpan) {
    func unit(_ index: Int) -> Double {
      UInt64(high: words[2 * index], low: words[2 * index + 1]).unitDouble
    }
    for block in stride(from: 0, to: words.count / 2, by: 16) {
      for index in block..<block + 8 {
        let radius = (-2 * log(1 - unit(index))).squareRoot()
        let theta = 2 * Double.pi * unit(index + 8)
        target.store(mean.addingProduct(radius * cos(theta), deviation), at: index)
        target.store(mean.addingProduct(radius * sin(theta), deviation), at: index + 8)
      }
    }
  }
}
