import TensorCore

/// A dataset's data layout message, which states how its bytes are stored.
///
/// Source: HDF5 File Format Specification 3.0, section IV.A.2.i "The Data Layout Message". Version 5
/// belongs to HDF5 2.0; it differs from 4 only in the width of the sizes of filtered chunks.
enum HDF5DataLayout {
  /// In the message itself.
  case compact(HDF5Cursor)
  /// In one run of bytes at this address; `nil` if nothing was written.
  case contiguous(UInt64?)
  /// In chunks; the last dimension of `shape` is the size of an element in bytes.
  case chunked(shape: [Int], HDF5Table.Chunks.Index, sizeWidth: Int?, sparesEdges: Bool)
  /// In other datasets, which an object of a global heap lists; `nil` if there are none.
  case virtual(UInt64?, index: Int)

  /// Reads a layout message.
  init(_ message: HDF5Cursor) throws(CheckpointError) {
    var body = message
    let version = try body.byte()
    switch version {
    case 1, 2: self = try Self.old(&body)
    case 3, 4, 5: self = try Self.new(&body, version)
    default:
      throw body.unsupported("data layout: expected version 5 or older, found \(version)")
    }
  }

  /// Versions 1 and 2, up to HDF5 1.6: the dimensions come first, whatever the class.
  private static func old(_ body: inout HDF5Cursor) throws(CheckpointError) -> Self {
    let rank = try body.byte()
    let kind = try body.byte()
    try body.skip(5)
    // Compact data follow the dimensions, so there is no address.
    let address = try kind == 0 ? nil : body.address()
    var shape: [Int] = []
    for _ in 0..<rank { shape.append(try body.integer(4)) }
    switch kind {
    case 0:
      let size = try body.integer(4)
      return .compact(try body.part(size))
    case 1: return .contiguous(address)
    case 2:
      return .chunked(
        shape: shape, address.map { .tree1($0) } ?? .none, sizeWidth: nil, sparesEdges: false)
    default: throw body.malformed("data layout of unknown class \(kind)")
    }
  }

  /// Versions 3 to 5: the rest of the message depends on the class.
  private static func new(
    _ body: inout HDF5Cursor, _ version: Int
  ) throws(CheckpointError) -> Self {
    let kind = try body.byte()
    switch kind {
    case 0:
      let size = try body.integer(2)
      return .compact(try body.part(size))
    case 1: return .contiguous(try body.address())
    case 2 where version == 3:
      let rank = try body.byte()
      let address = try body.address()
      var shape: [Int] = []
      for _ in 0..<rank { shape.append(try body.integer(4)) }
      return .chunked(
        shape: shape, address.map { .tree1($0) } ?? .none, sizeWidth: nil, sparesEdges: false)
    case 2: return try indexed(&body, version)
    case 3:
      let address = try body.address()
      return .virtual(address, index: try body.integer(4))
    default: throw body.malformed("data layout of unknown class \(kind)")
    }
  }

  /// Chunks of versions 4 and 5, which have one of five indexes (appendix C, section VII).
  private static func indexed(
    _ body: inout HDF5Cursor, _ version: Int
  ) throws(CheckpointError) -> Self {
    // Bit 0: partial chunks at the edge are not filtered. Bit 1: the only chunk is filtered.
    let flags = try body.byte()
    let rank = try body.byte()
    let width = try body.byte()
    guard (1...8).contains(width) else {
      throw body.malformed("chunk sizes: expected a width of 1 to 8 bytes, found \(width)")
    }
    var shape: [Int] = []
    for _ in 0..<rank { shape.append(try body.integer(width)) }
    let kind = try body.byte()
    var single: (size: Int, mask: Int)?
    switch kind {
    case 1: if flags & 2 != 0 { single = (try body.length(), try body.integer(4)) }
    case 2: break
    case 3: try body.skip(1)  // page bits, repeated in the array's header
    case 4: try body.skip(5)  // parameters, repeated in the array's header
    case 5: try body.skip(6)  // parameters, repeated in the tree's header
    default: throw body.unsupported("chunk index: expected type 1 to 5, found \(kind)")
    }
    let index: HDF5Table.Chunks.Index
    if let address = try body.address() {
      switch kind {
      case 1: index = .single(address, size: single?.size, mask: single?.mask ?? 0)
      case 2: index = .implicit(address)
      case 3: index = .fixedArray(address)
      case 4: index = .extensibleArray(address)
      default: index = .tree2(address)
      }
    } else {
      index = .none
    }
    var sizeWidth: Int?
    if version == 4 {
      let (bytes, overflow) = shape.reduce((1, false)) { product, size in
        let (value, overflow) = product.0.multipliedReportingOverflow(by: size)
        return (value, overflow || product.1)
      }
      if overflow { throw body.malformed("chunk of shape \(shape) has 2^63 bytes or more") }
      // Version 4 stores the size of a filtered chunk in one byte more than that of an unfiltered
      // one needs, version 5 in as many as other lengths.
      let bits = Int.bitWidth - bytes.leadingZeroBitCount
      sizeWidth = min(8, 1 + (max(bits, 1) + 7) / 8)
    }
    return .chunked(
      shape: shape, index, sizeWidth: sizeWidth, sparesEdges: flags & 1 != 0)
  }
}
