public import TensorCore
public import TorchRandom

/// What an initializer comes down to for one tensor of known shape and dtype.
public enum TensorFill: Sendable {
  /// Every element is this number, rounded to the dtype; nothing is drawn.
  case constant(Double)
  /// Zero, except for ones at these element indices, in ascending order; nothing is drawn.
  case ones(at: [Int])
  /// Every element is drawn, in row-major order; then the elements `zeroed` are set to zero.
  case random(Distribution, zeroed: Range<Int>?)
  /// Needs the whole tensor at once: returns its bytes and leaves the generator where PyTorch would.
  /// The moments are those to be expected of its elements, `nil` when nothing is drawn for them.
  case whole(
    Moments?, @Sendable (_ info: TensorInfo, _ generator: inout Generator) throws -> [UInt8])
  /// Another fill, then operations on every element.
  indirect case mapped(TensorFill, [ElementStep])
  /// Values that come from those of other tensors, read range by range; nothing is drawn.
  case streamed(@Sendable () throws -> Checkpoint.Entry.Reader)
  /// The values are not touched and nothing is drawn: PyTorch's no-op on empty tensors.
  case nothing
}

extension TensorFill {
  /// The fill that draws every element, checked against the tensor's dtype.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` when PyTorch refuses the distribution for the dtype.
  static func random(
    _ distribution: Distribution, for info: TensorInfo, zeroed: Range<Int>? = nil
  ) throws(CheckpointError) -> TensorFill {
    _ = try Sampling(distribution, dtype: info.dtype, count: info.elementCount)
    return .random(distribution, zeroed: zeroed)
  }
}

/// Mean and spread that a distribution's values are to have.
public struct Moments: Hashable, Sendable {
  /// Expected value.
  public let mean: Double
  /// Square root of the variance.
  public let standardDeviation: Double

  /// Makes a pair.
  public init(mean: Double, standardDeviation: Double) {
    self.mean = mean
    self.standardDeviation = standardDeviation
  }
}

extension TensorFill {
  /// Whether the generator stays where it is.
  package var isDeterministic: Bool {
    switch self {
    case .constant, .ones, .nothing, .streamed: true
    case .mapped(let base, _): base.isDeterministic
    case .random: false
    case .whole(let moments, _): moments == nil
    }
  }

  /// The moments of the elements drawn; `nil` where nothing is drawn, or all of it is one number.
  package var moments: Moments? {
    switch self {
    case .constant, .ones, .nothing, .streamed: nil
    case .mapped(let base, let steps):
      base.moments.map { moments in
        steps.reduce(moments) { $0.after($1) }
      }
    case .random(.uniform(let from, let to), _):
      from == to
        ? nil : Moments(mean: (from + to) / 2, standardDeviation: (to - from) / 12.0.squareRoot())
    case .random(.normal(let mean, let deviation), _):
      deviation == 0 ? nil : Moments(mean: mean, standardDeviation: deviation)
    case .whole(let moments, _): moments?.standardDeviation == 0 ? nil : moments
    }
  }
}
