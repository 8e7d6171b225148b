public import TensorCore

/// How one tensor gets its initial values: a value, reached at the call as `.kaimingUniform(a: 2)`.
///
/// A conforming type is held to the contract suite `InitializerContract`: its description parses
/// back to an equal value, the same generator gives the same values, and `fill` for a shape it
/// cannot serve throws an error that names the shape.
public protocol Initializer: Sendable, CustomStringConvertible {
  /// PyTorch's name in `torch.nn.init`, without the trailing underscore.
  var name: String { get }

  /// Resolves the initializer against a tensor: what exactly is to be drawn or written.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` when the shape or dtype is one that PyTorch refuses.
  func fill(for info: TensorInfo) throws -> TensorFill
}
