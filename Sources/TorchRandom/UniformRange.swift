internal import CKernels
internal import TensorCore

/// The values of `uniform_(from, to)`: one multiplication and one addition per element.
///
/// `u` takes the low 24 bits of a word (53 of two words for `float64`) times 2^-24 (2^-53), the
/// value is `u * (to - from) + from`, rounded once if fused, then to the dtype; a value that
/// rounds up to `to` becomes `from`. Source: PyTorch 2.15 `uniform_real_distribution`.
struct UniformRange {
  let from: Double
  let to: Double
  let cpuPath: CPUPath

  func convert(_ words: Span<UInt32>, to type: DrawnType, into target: inout MutableRawSpan) {
    let count = words.count / type.wordsPerUniform
    precondition(target.byteCount == count * type.dtype.byteWidth, "span of another size")
    let from = Float(from)
    let to = Float(to)
    let fuses = cpuPath.fuses
    unsafe words.withUnsafeBufferPointer { words in
      unsafe target.withUnsafeMutableBytes { target in
        let words = words.baseAddress
        let target = target.baseAddress
        switch type {
        case .float64: unsafe ckpt_uniform_float64(words, target, count, self.from, self.to, fuses)
        case .float16: unsafe ckpt_uniform_float16(words, target, count, from, to, fuses)
        case .bfloat16: unsafe ckpt_uniform_bfloat16(words, target, count, from, to, fuses)
        case .float32: unsafe ckpt_uniform_float32(words, target, count, from, to, fuses)
        }
      }
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
}
