/// What a tensor is: element type, shape, and the sizes that follow from them, already checked.
///
/// Elements are row-major and little-endian throughout the project; a shape lists the outermost
/// dimension first and `[]` is a scalar.
public struct TensorInfo: Hashable, Sendable {
  /// Type of the elements.
  public let dtype: DType
  /// Sizes, outermost first.
  public let shape: [Int]
  /// Product of `shape`.
  public let elementCount: Int
  /// What the elements take together.
  public let byteCount: Int

  /// Checks the shape, so that later code may trust every size.
  ///
  /// - Throws: ``CheckpointError`` with code `malformed` when a size is negative, a product does not
  ///   fit in 63 bits, or the elements do not make whole blocks of their type.
  public init(dtype: DType, shape: [Int]) throws(CheckpointError) {
    if let negative = shape.first(where: { $0 < 0 }) {
      throw CheckpointError(.malformed, "shape \(shape) has the negative size \(negative)")
    }
    let (perBlock, blockBytes) = dtype.block
    func multiplied(_ one: Int, _ other: Int) throws(CheckpointError) -> Int {
      let (product, overflow) = one.multipliedReportingOverflow(by: other)
      if overflow {
        throw CheckpointError(
          .malformed, "overflow: shape \(shape) of \(dtype.rawValue) needs more than 2^63 bytes")
      }
      return product
    }
    var count = shape.contains(0) ? 0 : 1
    for size in shape where count > 0 { count = try multiplied(count, size) }
    guard count % perBlock == 0 else {
      throw CheckpointError(
        .malformed,
        "shape \(shape) has \(count) elements, but \(dtype.rawValue) stores blocks of \(perBlock)"
      )
    }
    self.dtype = dtype
    self.shape = shape
    elementCount = count
    byteCount = try multiplied(count / perBlock, blockBytes)
  }
}
