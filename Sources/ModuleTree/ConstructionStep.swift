public import TensorCore

/// One thing that a class's `__init__` does with the generator; names are dotted paths below it.
public enum ConstructionStep: Sendable {
  /// Draws the module's own parameters, in order, each by its own initializer.
  case ownParameters
  /// Constructs the module at this path with all that is below it.
  case child(String)
  /// Gives a tensor, or every tensor below a module, the values of its counterpart at or below
  /// another, as `copy.deepcopy` does; nothing is drawn.
  case copy(of: String, to: String)
  /// Fills one tensor again.
  case fill(String, any Initializer)
  /// Fills again a run of one tensor's elements, counted in row-major order, as an operation on
  /// `tensor[2:4]` does.
  case fillPart(String, Range<Int>, any Initializer)
  /// Fills again every parameter with more than one dimension, in `parameters()` order.
  case fillMatrices(any Initializer)
  /// Fills a tensor that is not part of the model; a `dtype` of `nil` is the model's own.
  case discard(shape: [Int], dtype: DType?, any Initializer)
  /// Skips words of the generator that something else consumes.
  case advance(words: Int)
  /// Gives one tensor the norms of another's slices along a dimension, or of all of it for `nil`,
  /// as `weight_norm` does: see `Norms`.
  case norms(of: String, to: String, along: Int?)
  /// Gives one tensor's values unit length, as `spectral_norm` does: see `UnitVector`.
  case normalize(String)
  /// Gives the vectors `u` and `v` the values of `spectral_norm`: see `PowerMethod`.
  case powerMethod(weight: String, u: String, v: String, rows: Int)
  /// Gives every tensor that has no values yet those of its own initializer, if it draws nothing.
  case remainder
}
