import TensorCore

/// The shape of a dataset or an attribute.
///
/// Source: HDF5 File Format Specification 3.0, section IV.A.2.b "The Dataspace Message".
struct HDF5Dataspace {
  /// Sizes, outermost first; `[]` for a scalar and `nil` for the null dataspace, which holds no
  /// elements at all.
  let shape: [Int]?
  /// Largest sizes, `nil` where there is no limit; those of the shape unless the file has others.
  let largest: [Int?]

  /// Reads a dataspace message.
  init(_ message: HDF5Cursor) throws(CheckpointError) {
    var body = message
    let version = try body.byte()
    let rank = try body.byte()
    let flags = try body.byte()
    guard rank <= HDF5Space.maximumRank else {
      throw body.malformed("\(rank) dimensions; \(HDF5Space.maximumRank) are allowed")
    }
    let kind: Int
    switch version {
    case 1:
      try body.skip(5)
      kind = rank == 0 ? 0 : 1
    case 2: kind = try body.byte()
    default: throw body.malformed("dataspace of version \(version)")
    }
    guard kind < 2 else {
      (shape, largest) = (nil, [])
      return
    }
    var sizes: [Int] = []
    sizes.reserveCapacity(rank)
    for _ in 0..<rank { sizes.append(try body.length()) }
    shape = sizes
    guard flags & 1 != 0 else {
      largest = sizes
      return
    }
    var limits: [Int?] = []
    for _ in 0..<rank { limits.append(try body.optionalLength()) }
    largest = limits
  }
}
