internal import CKernels
internal import Glibc
internal import TensorCore

/// The values of `normal_(mean, std)` where PyTorch draws sixteen at a time.
///
/// Elements j and j + 8 of a block are a Box-Muller pair of the block's uniforms j and j + 8.
/// `float64` takes the logarithm, sine and cosine of glibc as a machine with fused multiply-add
/// gives them, on any machine; all others are computed in `float32` by the polynomials of
/// `normal.c` (on the default path by this machine's C library) and rounded last.
/// Source: PyTorch 2.15 `normal_fill_AVX2` and `normal_fill_16`; glibc 2.36.
struct VectorNormal {
  let mean: Double
  let deviation: Double
  let cpuPath: CPUPath

  func convert(_ words: Span<UInt32>, to type: DrawnType, into target: inout MutableRawSpan) {
    let count = words.count / type.wordsPerUniform
    precondition(
      count.isMultiple(of: 16) && target.byteCount == count * type.dtype.byteWidth,
      "not whole blocks")
    if cpuPath == .default, type != .float64 {
      convertByLibrary(words, to: type, into: &target)
    } else {
      convertByKernel(words, blocks: count / 16, to: type, into: &target)
    }
  }

  private func convertByKernel(
    _ words: Span<UInt32>, blocks: Int, to type: DrawnType, into target: inout MutableRawSpan
  ) {
    let mean = Float(mean)
    let deviation = Float(deviation)
    unsafe words.withUnsafeBufferPointer { words in
      unsafe target.withUnsafeMutableBytes { target in
        let words = words.baseAddress
        let target = target.baseAddress
        switch type {
        case .float64:
          unsafe ckpt_normal_float64(words, target, blocks, self.mean, self.deviation)
        case .float16: unsafe ckpt_normal_float16(words, target, blocks, mean, deviation)
        case .bfloat16: unsafe ckpt_normal_bfloat16(words, target, blocks, mean, deviation)
        case .float32: unsafe ckpt_normal_float32(words, target, blocks, mean, deviation)
        }
      }
    }
  }

  private func convertByLibrary(
    _ words: Span<UInt32>, to type: DrawnType, into target: inout MutableRawSpan
  ) {
    let mean = Float(mean)
    let deviation = Float(deviation)
    for block in stride(from: 0, to: words.count, by: 16) {
      for index in block..<block + 8 {
        // 1 - u, because u may be 0 and is never 1. The angle is rounded once, after a product in
        // double precision: PyTorch's constant 2π is a double.
        let radius = (-2 * logf(1 - words[index].unitFloat)).squareRoot()
        let angle = Float(2 * Double.pi * Double(words[index + 8].unitFloat))
        let first = mean.addingProduct(radius * cosf(angle), deviation)
        let second = mean.addingProduct(radius * sinf(angle), deviation)
        target.store(first, as: type, at: index)
        target.store(second, as: type, at: index + 8)
      }
    }
  }
}
