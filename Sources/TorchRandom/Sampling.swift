package import TensorCore

/// One tensor's random values, described: which distribution, in which dtype, how many elements.
///
/// Three words name the three things that can be done with random values, here and in all targets
/// above:
///
/// - **plan**: decide what fills each tensor, in which order, and where in the generator's stream its
///   words begin (`Initialization`, `Recipe.plan`);
/// - **skip**: advance a generator past a tensor's words without making its values (``skip(_:)``);
/// - **sample**: make the values (``SamplingCursor``, ``SharedSampling``, ``Generator/sample(_:)``).
///
/// A plan skips over every tensor once, which costs next to nothing; a tensor is sampled when it is read,
/// by range, in any order and on any thread.
///
/// Source: PyTorch 2.15 `DistributionTemplates.h` (`uniform_impl_`, `normal_impl_`) and the AVX2
/// kernels of `cpu/DistributionTemplates.h`. Elements are in memory order of the tensor.
package struct Sampling: Sendable, Hashable {
  /// What the values follow.
  package let distribution: Distribution
  /// The elements' type, one of ``TensorCore/DType/drawable``.
  package var dtype: DType { type.dtype }
  let type: DrawnType
  /// Elements drawn.
  package let count: Int
  /// Whether the tensor is row-major without gaps, as parameters of fresh modules are.
  ///
  /// Only then does a normal draw of 16 or more elements take PyTorch's vector path.
  package let contiguous: Bool

  /// Checks the distribution against the dtype, as PyTorch does even for empty tensors.
  ///
  /// - Throws: ``TensorCore/CheckpointError``, `unsupported` for a dtype that PyTorch does not draw, else
  ///   `mismatched`: a range that is reversed, not finite in the dtype or too wide for it, or a
  ///   standard deviation that is negative or not a number.
  package init(
    _ distribution: Distribution, dtype: DType, count: Int, contiguous: Bool = true
  ) throws(CheckpointError) {
    precondition(count >= 0, "negative element count")
    guard let type = DrawnType(dtype), let greatest = dtype.element.floatFormat?.greatestFinite
    else {
      throw CheckpointError(
        .unsupported,
        "random values need \(DType.drawable.alternatives); the tensor is \(dtype.torchName)")
    }
    switch distribution {
    case .uniform(let from, let to):
      for (bound, which) in [(from, "lower"), (to, "upper")] where !(abs(bound) <= greatest) {
        throw CheckpointError(
          .mismatched, "\(which) bound \(bound) is outside \(dtype.torchName)'s finite range")
      }
      guard from <= to else {
        throw CheckpointError(
          .mismatched, "expected a uniform range with its lower bound first, found \(from) to \(to)"
        )
      }
      guard to - from <= greatest else {
        throw CheckpointError(
          .mismatched, "uniform range \(from) to \(to) is wider than \(dtype.torchName)'s maximum")
      }
    case .normal(_, let deviation):
      guard deviation >= 0 else {
        throw CheckpointError(
          .mismatched, "expected a standard deviation of 0 or more, found \(deviation)")
      }
    }
    self.distribution = distribution
    self.type = type
    self.count = count
    self.contiguous = contiguous
  }

  /// Leaves `generator` as it is after the draw, cached normal included, without the values; its
  /// words may be passed over later.
  package func skip(_ generator: inout Generator) {
    guard algorithm == .serialNormal else {
      generator.skipLater(words: tailWord + (hasTail ? wordsPerBlock : 0))
      return
    }
    var fresh = count
    if fresh > 0, generator.cachedNormal != nil {
      generator.cachedNormal = nil
      fresh -= 1
    }
    generator.skipLater(words: fresh / 2 * wordsPerBlock)
    // The second normal of the last pair stays in the generator for the next serial draw, so this
    // one pair has to be made. Uniform and vector draws leave the cached normal alone.
    if !fresh.isMultiple(of: 2) {
      generator.cachedNormal = NormalPair(drawnFrom: &generator).second
    }
  }
}

/// How the words of the stream become elements: in blocks, each from its own words.
extension Sampling {
  enum Algorithm {
    /// One element from one word, two for `float64`.
    case uniform
    /// Sixteen elements from sixteen words, twice that for `float64`.
    case vectorNormal
    /// Two elements from four words, after the cached one.
    case serialNormal
  }

  var algorithm: Algorithm {
    switch distribution {
    case .uniform: .uniform
    case .normal: count >= 16 && contiguous ? .vectorNormal : .serialNormal
    }
  }

  var elementsPerBlock: Int {
    switch algorithm {
    case .uniform: 1
    case .vectorNormal: 16
    case .serialNormal: 2
    }
  }

  var wordsPerBlock: Int {
    switch algorithm {
    case .uniform: type.wordsPerUniform
    case .vectorNormal: 16 * type.wordsPerUniform
    case .serialNormal: 4
    }
  }

  /// Whether the last sixteen elements are redrawn after all others.
  var hasTail: Bool { algorithm == .vectorNormal && !count.isMultiple(of: 16) }

  /// Elements that whole blocks make; what follows belongs to the tail.
  var blockedCount: Int { hasTail ? count & ~15 : count }

  /// Words of a uniform or vector normal draw before those of its tail.
  ///
  /// `float32` and `float64` draw a uniform for every element before the tail is redrawn;
  /// the 16-bit types draw only for whole blocks.
  var tailWord: Int { (dtype.byteWidth >= 4 ? count : blockedCount) * type.wordsPerUniform }

  /// Turns the words of whole blocks into elements, as one of PyTorch's CPU paths does.
  ///
  /// Which words a draw takes does not depend on the path.
  func convert(
    _ words: Span<UInt32>, as cpuPath: CPUPath, into target: inout MutableRawSpan
  ) {
    switch distribution {
    case .uniform(let from, let to):
      UniformRange(from: from, to: to, cpuPath: cpuPath)
        .convert(words, to: type, into: &target)
    case .normal(let mean, let deviation) where algorithm == .vectorNormal:
      VectorNormal(mean: mean, deviation: deviation, cpuPath: cpuPath)
        .convert(words, to: type, into: &target)
    case .normal(let mean, let deviation):
      SerialNormal(mean: mean, deviation: deviation, cpuPath: cpuPath)
        .convert(words, to: type, into: &target)
    }
  }
}
