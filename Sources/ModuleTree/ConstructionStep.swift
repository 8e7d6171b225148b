public import TensorCore

/// One thing that a class's `__init__` does with the generator; names are dotted paths below it.
///
/// A layer lists such steps in ``Layer/construction(children:)``, and a module is given others by
/// ``Module/constructed(by:)``. There may be more kinds in later versions.
public struct ConstructionStep: Sendable {
  /// What is done.
  package enum Kind: Sendable {
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
    /// Fills again the part of a tensor that an index takes, as an operation on `tensor[0:4, 2]` does:
    /// a part that is not contiguous in memory is drawn as PyTorch draws into such a view.
    case fillView(String, StridedPart, any Initializer)
    /// Changes every element of a tensor that has values.
    case change(String, [ElementStep])
    /// Rounds a tensor to another floating-point type, which it has from then on: `Tensor.to`.
    case cast(String, DType)
    /// Applies rules in a loop over the module and all that is below it.
    case rules([Rule], Rule.Order)
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
    /// Computes with what has been drawn, or changes the stream: see `DerivedStep`.
    case derived(DerivedStep)
    /// Gives every tensor that has no values yet those of its own initializer, if it draws nothing.
    case remainder
  }

  /// What is done.
  package let kind: Kind

  private init(_ kind: Kind) { self.kind = kind }
}

extension ConstructionStep {
  /// Draws the module's own parameters, in order, each by its own initializer.
  public static var ownParameters: Self { Self(.ownParameters) }

  /// Constructs the module at this path with all that is below it.
  public static func child(_ path: String) -> Self { Self(.child(path)) }

  /// Gives a tensor, or every tensor below a module, the values of its counterpart at or below
  /// another, as `copy.deepcopy` does; nothing is drawn.
  public static func copy(of source: String, to target: String) -> Self {
    Self(.copy(of: source, to: target))
  }

  /// Fills one tensor again.
  public static func fill(_ name: String, _ initializer: any Initializer) -> Self {
    Self(.fill(name, initializer))
  }

  /// Fills again a run of one tensor's elements, counted in row-major order, as an operation on
  /// `tensor[2:4]` does.
  public static func fillPart(
    _ name: String, _ elements: Range<Int>, _ initializer: any Initializer
  ) -> Self {
    Self(.fillPart(name, elements, initializer))
  }

  /// Changes every element of a tensor that has values.
  public static func change(_ name: String, _ steps: [ElementStep]) -> Self {
    Self(.change(name, steps))
  }

  /// Rounds a tensor to another floating-point type, which it has from then on: `Tensor.to`.
  public static func cast(_ name: String, _ dtype: DType) -> Self { Self(.cast(name, dtype)) }

  /// Applies rules in a loop over the module and all that is below it.
  public static func rules(_ rules: [Rule], _ order: Rule.Order) -> Self {
    Self(.rules(rules, order))
  }

  /// Fills again every parameter with more than one dimension, in `parameters()` order.
  public static func fillMatrices(_ initializer: any Initializer) -> Self {
    Self(.fillMatrices(initializer))
  }

  /// Fills a tensor that is not part of the model; a `dtype` of `nil` is the model's own.
  public static func discard(
    shape: [Int], dtype: DType? = nil, _ initializer: any Initializer
  ) -> Self {
    Self(.discard(shape: shape, dtype: dtype, initializer))
  }

  /// Skips words of the generator that something else consumes.
  public static func advance(words: Int) -> Self { Self(.advance(words: words)) }

  /// Gives one tensor the norms of another's slices along a dimension, or of all of it for `nil`,
  /// as `weight_norm` does.
  public static func norms(of source: String, to target: String, along dimension: Int?) -> Self {
    Self(.norms(of: source, to: target, along: dimension))
  }

  /// Gives one tensor's values unit length, as `spectral_norm` does.
  public static func normalize(_ name: String) -> Self { Self(.normalize(name)) }

  /// Gives the vectors `u` and `v` the values of `spectral_norm`; `rows` is the dimension of `weight`
  /// whose slices are the rows of the matrix.
  public static func powerMethod(weight: String, u: String, v: String, rows: Int) -> Self {
    Self(.powerMethod(weight: weight, u: u, v: v, rows: rows))
  }

  /// Gives every tensor that has no values yet those of its own initializer, if it draws nothing.
  public static var remainder: Self { Self(.remainder) }

  /// Fills again the part of a tensor that an index takes.
  package static func fillView(
    _ name: String, _ view: StridedPart, _ initializer: any Initializer
  ) -> Self {
    Self(.fillView(name, view, initializer))
  }

  /// Computes with what has been drawn, or changes the stream.
  package static func derived(_ step: DerivedStep) -> Self { Self(.derived(step)) }
}

extension ConstructionStep {
  /// The step with other names for its tensors.
  func renamed(_ name: (String) -> String) -> ConstructionStep {
    switch kind {
    case .fill(let own, let initializer): .fill(name(own), initializer)
    case .fillPart(let own, let elements, let initializer):
      .fillPart(name(own), elements, initializer)
    case .fillView(let own, let view, let initializer): .fillView(name(own), view, initializer)
    case .change(let own, let steps): .change(name(own), steps)
    case .cast(let own, let dtype): .cast(name(own), dtype)
    case .copy(let source, let target): .copy(of: name(source), to: name(target))
    case .norms(let source, let target, let dimension):
      .norms(of: name(source), to: name(target), along: dimension)
    case .normalize(let own): .normalize(name(own))
    case .powerMethod(let weight, let u, let v, let rows):
      .powerMethod(weight: name(weight), u: name(u), v: name(v), rows: rows)
    case .derived(let step): .derived(step.renamed(name))
    case .child(let own): .child(name(own))
    case .ownParameters, .fillMatrices, .discard, .advance, .remainder, .rules: self
    }
  }
}
