package import CHDF5
package import TensorCore

/// Shapes and selections, which HDF5 calls dataspaces.
package enum HDF5Space {
  /// Largest number of dimensions that the library accepts (`H5S_MAX_RANK`).
  static let maximumRank = 32

  /// Creates a dataspace of a fixed shape; `[]` is a scalar.
  static func simple(_ shape: [Int]) throws(CheckpointError) -> HDF5Handle {
    if shape.isEmpty {
      return try HDF5Handle("scalar shape", H5Screate(H5S_SCALAR), closedBy: H5Sclose)
    }
    let sizes = shape.map { hsize_t($0) }
    return try HDF5Handle(
      "shape \(shape)", unsafe H5Screate_simple(Int32(sizes.count), sizes, nil),
      closedBy: H5Sclose)
  }

  /// Selects the elements of a block in a dataset's space; a scalar is always selected whole.
  static func select(_ block: HDF5Blocks.Block, in space: hid_t) throws(CheckpointError) {
    if block.start.isEmpty { return }
    try checked(
      "selection",
      unsafe H5Sselect_hyperslab(
        space, H5S_SELECT_SET, block.start.map { hsize_t($0) }, nil,
        block.count.map { hsize_t($0) }, nil))
  }

  /// The shape of a simple dataspace; `nil` for the null dataspace, which has no elements.
  package static func shape(_ space: hid_t) throws(CheckpointError) -> [Int]? {
    guard H5Sget_simple_extent_type(space) != H5S_NULL else { return nil }
    let rank = Int(try checked("shape", H5Sget_simple_extent_ndims(space)))
    var sizes = [hsize_t](repeating: 0, count: max(rank, 1))
    try checked("shape", unsafe H5Sget_simple_extent_dims(space, &sizes, nil))
    var shape: [Int] = []
    for size in sizes.prefix(rank) {
      guard let size = Int(exactly: size) else {
        throw CheckpointError(.malformed, "a dimension of \(size) does not fit in 63 bits")
      }
      shape.append(size)
    }
    return shape
  }
}
