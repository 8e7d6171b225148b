public import TensorCore

/// A tensor that a module owns and trains: its name, its shape, and how it gets its initial values.
///
/// The order in which a layer lists its parameters is the order of registration and of drawing.
public struct Parameter: Sendable {
  /// Name within the module, without dots: `weight`.
  public let name: String
  /// Sizes, outermost first; a scalar's if those given are not a tensor's, which drawing reports.
  public let shape: Shape
  /// Why the sizes given are not those of a tensor that fits any machine; whoever reads a layer from
  /// text or draws its values reports it.
  package let refusal: CheckpointError?
  /// Element type, where it is not the model's own.
  public let dtype: DType?
  /// The layer's own `reset_parameters`; `nil` when the initial values are unknown, as for a
  /// parameter that only the source of a class shows.
  public let initializer: (any Initializer)?
  /// Why the initial values are unknown, where someone found out.
  package var reason: String?
  /// The tensor's whole name in the file that the tree was read from, where that is another one.
  package var storedName: TensorName?
  /// Present when the same tensor is registered under several names.
  package var identity: Identity?
  /// Whether another tensor took this one's place after it was drawn: `wte.weight = head.weight`.
  package var isReplaced = false

  /// Describes a parameter of the model's own dtype, unless another is given.
  public init(
    _ name: String, shape: [Int], dtype: DType? = nil, initializer: some Initializer
  ) {
    self.init(name, shape: shape, dtype: dtype, initializer)
  }

  /// Describes a parameter whose initial values may be unknown.
  package init(
    _ name: String, shape: [Int], dtype: DType?, _ initializer: (any Initializer)?
  ) {
    self.name = name
    (self.shape, refusal) = Shape.declared(shape, dtype)
    self.dtype = dtype
    self.initializer = initializer
  }

  /// Describes a parameter whose initial values are unknown.
  public init(_ name: String, shape: [Int], dtype: DType? = nil) {
    self.init(name, shape: shape, dtype: dtype, nil)
  }
}

/// A tensor that a module owns and does not train.
public struct Buffer: Sendable {
  /// Name within the module, without dots: `running_mean`.
  public let name: String
  /// Sizes, outermost first; a scalar's if those given are not a tensor's, which drawing reports.
  public let shape: Shape
  /// Why the sizes given are not those of a tensor that fits any machine; whoever reads a layer from
  /// text or draws its values reports it.
  package let refusal: CheckpointError?
  /// Element type, where it is not the model's own.
  public let dtype: DType?
  /// How it gets its initial values; `nil` when they are unknown.
  public let initializer: (any Initializer)?
  /// Whether `state_dict()` holds it.
  public let isPersistent: Bool
  /// Why the initial values are unknown, where someone found out.
  package var reason: String?
  /// The tensor's whole name in the file that the tree was read from, where that is another one.
  package var storedName: TensorName?

  /// Describes a buffer whose initial values are one number throughout.
  public init(
    _ name: String, shape: [Int], dtype: DType? = nil, value: Double, isPersistent: Bool = true
  ) {
    self.init(
      name, shape: shape, dtype: dtype, initializer: Constant(value), isPersistent: isPersistent)
  }

  /// Describes a buffer; its initial values are unknown without an initializer.
  public init(
    _ name: String, shape: [Int], dtype: DType? = nil, initializer: (any Initializer)?,
    isPersistent: Bool = true
  ) {
    self.name = name
    (self.shape, refusal) = Shape.declared(shape, dtype)
    self.dtype = dtype
    self.initializer = initializer
    self.isPersistent = isPersistent
  }
}

extension Shape {
  /// The shape of these sizes, or why there is none; elements are as wide as any where `dtype` does
  /// not say.
  fileprivate static func declared(
    _ sizes: [Int], _ dtype: DType?
  ) -> (Shape, CheckpointError?) {
    do throws(CheckpointError) {
      return (try TensorInfo(dtype: dtype ?? .complex128, shape: sizes).shape, nil)
    } catch {
      return (.scalar, CheckpointError(error.code, "shape \(sizes) is too large"))
    }
  }
}

/// What makes two values in a tree the same object in PyTorch: they hold the same `Identity`.
package final class Identity: Sendable {
  package init() {}
}
