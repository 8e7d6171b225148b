/// One thing that a class's `__init__` does with the generator; names are dotted paths below it.
public enum ConstructionStep: Sendable {
  /// Draws the module's own parameters, in order, each by its own initialiser.
  case ownParameters
  /// Constructs the module at this path with all that is below it.
  case child(String)
  /// Gives every tensor below `copy` the values of its counterpart below `original`, as
  /// `copy.deepcopy` does; nothing is drawn.
  case copy(of: String, to: String)
  /// Fills one tensor again.
  case fill(String, any Initializer)
  /// Fills again every parameter with more than one dimension, in `parameters()` order.
  case fillMatrices(any Initializer)
}
