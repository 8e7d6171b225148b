/// The sizes of a tensor, outermost first, checked so that no product of them can overflow.
///
/// A shape is a collection of its sizes; `[]` is a scalar. The product of the sizes other than 0,
/// times the width of an element, stays below 2^62: so partial products, strides and
/// byte offsets within the tensor, and sums of two of them, need no further checks, even where
/// another size is 0. This is the only place where sizes are multiplied.
public struct Shape: Hashable, Sendable {
  /// The sizes, outermost first.
  public let sizes: [Int]
  /// Product of all sizes; 1 for a scalar, 0 where a size is 0.
  public let elementCount: Int

  /// The first number of bytes that is refused.
  @inlinable package static var limit: Int { 1 << 62 }
  /// The shape of a single element, which has no dimensions.
  public static let scalar = Shape(unchecked: [], elementCount: 1)

  /// Checks the sizes of a tensor whose elements take `width` bytes each.
  ///
  /// - Throws: ``CheckpointError`` with code `malformed` when a size is negative or the product of
  ///   `width` and the sizes other than 0 reaches 2^62.
  public init(_ sizes: [Int], width: Int = 1) throws(CheckpointError) {
    try self.init(sizes, block: (1, width), of: nil)
  }

  /// Checks the sizes of a tensor that stores each `block.elements` elements in `block.bytes`
  /// bytes; `type` names the elements in errors.
  package init(
    _ sizes: [Int], block: (elements: Int, bytes: Int), of type: String?
  ) throws(CheckpointError) {
    if let negative = sizes.first(where: { $0 < 0 }) {
      throw CheckpointError(.malformed, "shape \(sizes) has the negative size \(negative)")
    }
    var product = 1
    for size in sizes where size > 1 {
      let overflow: Bool
      (product, overflow) = product.multipliedReportingOverflow(by: size)
      if overflow { throw Self.overflow(sizes, type) }
    }
    let (bytes, overflow) =
      ((product - 1) / block.elements + 1).multipliedReportingOverflow(by: block.bytes)
    if overflow || bytes >= Self.limit || product >= Self.limit {
      throw Self.overflow(sizes, type)
    }
    self.init(unchecked: sizes, elementCount: sizes.contains(0) ? 0 : product)
  }

  private init(unchecked sizes: [Int], elementCount: Int) {
    self.sizes = sizes
    self.elementCount = elementCount
  }

  private static func overflow(_ sizes: [Int], _ type: String?) -> CheckpointError {
    let elements = type.map { " of \($0)" } ?? ""
    return CheckpointError(
      .malformed, "overflow: shape \(sizes)\(elements) reaches 2^62 bytes, zeros left out")
  }

  /// Product of the sizes along `axes`, 1 for an empty range, 0 where one of them is 0.
  package func product(along axes: some RangeExpression<Int>) -> Int {
    sizes[axes.relative(to: sizes)].reduce(1, *)
  }

  /// From one index to the next along each axis, in elements, for a tensor without gaps.
  ///
  /// A size of 0 counts as 1, as in PyTorch.
  package var contiguousStrides: [Int] {
    var stride = 1
    var strides = sizes
    for axis in sizes.indices.reversed() {
      strides[axis] = stride
      stride *= Swift.max(sizes[axis], 1)
    }
    return strides
  }

  /// The sizes in another order: axis `i` of the result is `axes[i]`, each axis named once.
  package func permuted(_ axes: [Int]) -> Shape {
    precondition(axes.count == count, "each axis is named once")
    return Shape(unchecked: axes.map { sizes[$0] }, elementCount: elementCount)
  }
}

extension Shape: RandomAccessCollection {
  public var startIndex: Int { 0 }
  public var endIndex: Int { sizes.count }
  public subscript(axis: Int) -> Int { sizes[axis] }
  public subscript(axes: Range<Int>) -> ArraySlice<Int> { sizes[axes] }
}

extension Shape: CustomStringConvertible {
  /// `[2, 3]`, as PyTorch prints a list.
  public var description: String { "\(sizes)" }
}

extension Shape: Encodable {
  /// Writes the list of sizes.
  public func encode(to encoder: any Encoder) throws { try sizes.encode(to: encoder) }
}

extension Shape {
  /// Whether the sizes are these.
  public static func == (shape: Shape, sizes: [Int]) -> Bool { shape.sizes == sizes }
  /// Whether the sizes are not these.
  public static func != (shape: Shape, sizes: [Int]) -> Bool { shape.sizes != sizes }
}
