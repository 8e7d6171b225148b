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
  /// `elementCount` times the element's width.
  public let byteCount: Int

  /// Checks the shape, so that later code may trust every size.
  ///
  /// - Throws: ``CheckpointError`` with code `malformed` when a size is negative or a product
  ///   does not fit in 63 bits.
  public init(dtype: DType, shape: [Int]) throws(CheckpointError) {
    var bytes = dtype.byteWidth
    if let negative = shape.first(where: { $0 < 0 }) {
      throw CheckpointError(.malformed, "shape \(shape) holds the negative size \(negative)")
    }
    if shape.contains(0) { bytes = 0 }
    for size in shape where bytes > 0 {
      let (product, overflow) = bytes.multipliedReportingOverflow(by: size)
      if overflow {
        throw CheckpointError(
          .malformed, "overflow: shape \(shape) of \(dtype.rawValue) needs more than 2^63 bytes")
      }
      bytes = product
    }
    self.dtype = dtype
    self.shape = shape
    self.byteCount = bytes
    self.elementCount = bytes / dtype.byteWidth
  }
}
