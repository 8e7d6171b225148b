import TensorCore

/// Messages that are not stored in the header of the object they belong to: committed datatypes, and
/// messages that several objects share.
///
/// Source: HDF5 File Format Specification 3.0, sections IV.A.2 "Shared Message" and III.I.
enum HDF5SharedMessages {
  /// The body of a message, looked up if the header has only a reference to it.
  static func body(
    of message: HDF5ObjectHeader.Message, in metadata: HDF5Metadata
  ) throws(CheckpointError) -> HDF5Cursor {
    guard message.isShared else { return message.body }
    var cursor = message.body
    return try target(of: &cursor, kind: message.kind, in: metadata)
  }

  /// The message that a reference leads to.
  static func target(
    of reference: inout HDF5Cursor, kind: HDF5ObjectHeader.Kind, in metadata: HDF5Metadata
  ) throws(CheckpointError) -> HDF5Cursor {
    let version = try reference.byte()
    let type = try reference.byte()
    // All versions can refer to another object's header; version 3 also to the shared message heap.
    switch version {
    case 1: try reference.skip(6 + metadata.superblock.widths.length)
    case 2: break
    case 3 where type == 1:
      return try heap(for: kind, in: metadata).object(try reference.bytes(8), in: metadata)
    case 3: break
    default:
      throw reference.unsupported("shared message: expected version 1 to 3, found \(version)")
    }
    let header = try HDF5ObjectHeader(try reference.definedAddress(), in: metadata)
    guard let found = header.first(kind), !found.isShared else {
      throw reference.malformed("object header \(header.address) does not hold the shared \(kind)")
    }
    return found.body
  }

  /// The heap that holds the file's shared messages of a kind.
  static func heap(
    for kind: HDF5ObjectHeader.Kind, in metadata: HDF5Metadata
  ) throws(CheckpointError) -> HDF5FractalHeap {
    let heaps: [Int: HDF5FractalHeap]
    if let known = metadata.sharedHeaps {
      heaps = known
    } else {
      heaps = try self.heaps(metadata)
      metadata.sharedHeaps = heaps
    }
    guard let heap = heaps[kind.rawValue] else {
      throw CheckpointError(.malformed, "file has no heap of shared \(kind) messages")
    }
    return heap
  }

  /// The heaps of the file's shared messages by kind, from the table (III.I) that the superblock
  /// extension leads to.
  private static func heaps(
    _ metadata: HDF5Metadata
  ) throws(CheckpointError) -> [Int: HDF5FractalHeap] {
    guard let address = metadata.superblock.extensionAddress,
      let message = try HDF5ObjectHeader(address, in: metadata).first(.sharedTable)
    else { throw CheckpointError(.malformed, "file has no table of shared messages") }
    var body = message.body
    try body.expect(version: 0, of: "shared message table")
    let table = try body.definedAddress()
    let count = try body.byte()
    let widths = metadata.superblock.widths
    var cursor = try metadata.cursor(at: table, count: 8 + count * (14 + 2 * widths.address))
    try cursor.expect("SMTB")
    var heaps: [Int: HDF5FractalHeap] = [:]
    for _ in 0..<count {
      try cursor.skip(2)  // version, index type
      let kinds = try cursor.integer(2)
      try cursor.skip(10)  // minimum size, list and B-tree cutoffs, number of messages
      _ = try cursor.address()  // index
      guard let address = try cursor.address() else { continue }
      let heap = try HDF5FractalHeap(address, in: metadata)
      for kind in 0..<16 where kinds >> kind & 1 != 0 { heaps[kind] = heap }
    }
    try cursor.verify()
    return heaps
  }
}
