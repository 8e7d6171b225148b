/// A distribution that a tensor is filled from, one value after another.
public enum Distribution: Hashable, Sendable {
  /// `Tensor.uniform_(from, to)`: values in `from ..< to`.
  case uniform(from: Double, to: Double)
  /// `Tensor.normal_(mean, std)`.
  case normal(mean: Double, standardDeviation: Double)
}
