internal import CKernels
internal import TensorCore

/// The values of `normal_(mean, std)` where PyTorch draws one by one: fewer than 16 elements, or
/// a tensor with gaps.
///
/// Everything is `float64`, and rounded to the dtype last, through `float32` for 16-bit types.
/// Source: PyTorch 2.15 `at::normal_distribution<double>`.
struct SerialNormal {
  let mean: Double
  let deviation: Double
  let cpuPath: CPUPath

  func convert(_ words: Span<UInt32>, to type: DrawnType, into target: inout MutableRawSpan) {
    for index in 0..<words.count / 4 {
      let pair = NormalPair(
        UInt64(high: words[4 * index], low: words[4 * index + 1]),
        UInt64(high: words[4 * index + 2], low: words[4 * index + 3]))
      store(pair.first, as: type, at: 2 * index, in: &target)
      store(pair.second, as: type, at: 2 * index + 1, in: &target)
    }
  }

  func store(_ normal: Double, as type: DrawnType, at index: Int, in target: inout MutableRawSpan) {
    // Fused, mean + z·std is rounded once, otherwise twice; the results differ in the last bit.
    let value =
      cpuPath.fuses ? mean.addingProduct(normal, deviation) : normal * deviation + mean
    target.store(value, as: type, at: index)
  }
}

/// Two standard normals of one Box-Muller step in `float64`; PyTorch gives the first and caches
/// the second.
struct NormalPair {
  let first: Double
  let second: Double

  /// The pair's first uniform is the angle, its second the radius.
  init(_ angle: UInt64, _ radius: UInt64) {
    let pair = ckpt_normal_pair(angle, radius)
    (first, second) = (pair.first, pair.second)
  }

  /// Draws the four words of a pair.
  init(drawnFrom generator: inout Generator) {
    let angle = generator.nextUInt64()
    self.init(angle, generator.nextUInt64())
  }
}
