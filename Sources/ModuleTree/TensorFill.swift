public import TensorCore
public import TorchRandom

/// What an initialiser comes down to for one tensor of known shape and dtype.
public enum TensorFill: Sendable {
  /// Every element is this number, rounded to the dtype; nothing is drawn.
  case constant(Double)
  /// Zero, except for ones at these element indices, in ascending order; nothing is drawn.
  case ones(at: [Int])
  /// Every element is drawn, in row-major order; then the elements `zeroed` are set to zero.
  case drawn(Distribution, zeroed: Range<Int>?)
  /// Needs the whole tensor at once: returns its bytes and leaves the generator where PyTorch would.
  case whole(@Sendable (_ info: TensorInfo, _ generator: inout Generator) throws -> [UInt8])
  /// The values are not touched and nothing is drawn: PyTorch's no-op on empty tensors.
  case nothing
}

extension TensorFill {
  /// The fill that draws every element, checked against the tensor's dtype.
  ///
  /// - Throws: ``CheckpointError`` when PyTorch refuses the distribution for the dtype.
  static func drawing(
    _ distribution: Distribution, for info: TensorInfo, zeroed: Range<Int>? = nil
  ) throws(CheckpointError) -> TensorFill {
    _ = try Draw(distribution, dtype: info.dtype, count: info.elementCount)
    return .drawn(distribution, zeroed: zeroed)
  }
}
