import TensorCore

/// A dataspace message: the shape of a dataset or an attribute.
///
/// Source: HDF5 File Format Specification 3.0, section IV.A.2.b "The Dataspace Message".
struct HDF5Dataspace {
  /// Sizes, outermost first; `[]` for a scalar and `nil` for the null dataspace, which has no
  /// elements.
  let shape: [Int]?
  /// Maximum sizes, `nil` for unlimited; equal to `shape` unless the file states others.
  let maxSizes: [Int?]

  /// Reads a dataspace message.
  init(_ message: HDF5Cursor) throws(CheckpointError) {
    var body = message
    let version = try body.byte()
    let rank = try body.byte()
    let flags = try body.byte()
    guard rank <= HDF5Space.maximumRank else {
      throw body.malformed(
        "expected at most \(HDF5Space.maximumRank) dimensions, found \(rank)")
    }
    let kind: Int
    switch version {
    case 1:
      try body.skip(5)
      kind = rank == 0 ? 0 : 1
    case 2: kind = try body.byte()
    default: throw body.malformed("dataspace: expected version 1 or 2, found \(version)")
    }
    // 0 is a scalar, 1 a simple dataspace, 2 the null dataspace.
    guard kind < 2 else {
      (shape, maxSizes) = (nil, [])
      return
    }
    var sizes: [Int] = []
    sizes.reserveCapacity(rank)
    for _ in 0..<rank { sizes.append(try body.length()) }
    shape = sizes
    guard flags & 1 != 0 else {
      maxSizes = sizes
      return
    }
    var limits: [Int?] = []
    for _ in 0..<rank { limits.append(try body.optionalLength()) }
    maxSizes = limits
  }
}
