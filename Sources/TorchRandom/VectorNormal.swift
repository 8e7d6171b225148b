internal import CKernels
internal import Glibc
internal import TensorCore

/// The values of `normal_(mean, std)` where PyTorch draws sixteen at a time.
///
/// Elements j and j + 8 of a block are a Box-Muller pair of the block's uniforms j and j + 8.
/// `float64` takes the C library's logarithm, sine and cosine; all others are computed in
/// `float32` by the polynomials of `normal.c` and rounded last.
/// Source: PyTorch 2.15 `normal_fill_AVX2` and `normal_fill_16`.
struct VectorNormal {
  let mean: Double
  let deviation: Double

  func convert(_ words: Span<UInt32>, to dtype: DType, into target: inout MutableRawSpan) {
    switch dtype {
    case .float64: convertToDouble(words, into: &target)
    case .float16: convertToHalf(words, into: &target) { Float16($0).bitPattern }
    case .bfloat16:
      convertToHalf(words, into: &target) { ElementConversion.bfloat16(rounding: $0) }
    default: convertToFloat(words, into: &target)
    }
  }

  /// Rounds the `float32` values of at most 39 blocks at a time.
  private func convertToHalf(
    _ words: Span<UInt32>, into target: inout MutableRawSpan, rounding: (Float) -> UInt16
  ) {
    var values = [Float](repeating: 0, count: min(words.count, 624))
    for first in stride(from: 0, to: words.count, by: values.count) {
      let part = words.extracting(first..<min(first + values.count, words.count))
      var floats = values.mutableSpan
      var bytes = unsafe floats.mutableBytes
      var filled = bytes._mutatingExtracting(0..<part.count * 4)
      convertToFloat(part, into: &filled)
      for index in part.indices { target.store(rounding(values[index]), at: first + index) }
    }
  }

  private func convertToFloat(_ words: Span<UInt32>, into target: inout MutableRawSpan) {
    precondition(
      words.count.isMultiple(of: 16) && target.byteCount == words.count * 4, "not whole blocks")
    unsafe words.withUnsafeBufferPointer { source in
      unsafe target.withUnsafeMutableBytes { target in
        unsafe ckpt_normal_float32(
          source.baseAddress, target.baseAddress, source.count / 16, Float(mean), Float(deviation))
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
