/// What a tensor is: element type, shape, and the sizes that follow from them, already checked.
///
/// Elements are row-major and little-endian throughout the project; a shape lists the outermost
/// dimension first and `[]` is a scalar.
public struct TensorInfo: Hashable, Sendable {
  /// Type of the elements.
  public let dtype: DType
  /// Sizes, outermost first.
  public let shape: Shape
  /// What the elements take together, below 2^62.
  public let byteCount: Int

  /// Product of the sizes.
  public var elementCount: Int { shape.elementCount }

  /// Checks the shape, so that later code may trust every size.
  ///
  /// - Throws: ``CheckpointError`` with code `malformed` when a size is negative, the sizes other
  ///   than 0 multiply to 2^62 bytes or more, or the elements do not make whole blocks of their type.
  public init(dtype: DType, shape sizes: [Int]) throws(CheckpointError) {
    let (perBlock, blockBytes) = dtype.block
    shape = try Shape(sizes, block: dtype.block, of: dtype.rawValue)
    guard shape.elementCount % perBlock == 0 else {
      throw CheckpointError(
        .malformed,
        "shape \(shape) has \(shape.elementCount) elements, but \(dtype.rawValue) stores blocks of \(perBlock)"
      )
    }
    self.dtype = dtype
    byteCount = shape.elementCount / perBlock * blockBytes
  }

  /// Checks a shape for elements of this type.
  ///
  /// - Throws: as ``init(dtype:shape:)`` of sizes does.
  public init(dtype: DType, shape: Shape) throws(CheckpointError) {
    try self.init(dtype: dtype, shape: shape.sizes)
  }
}
