import TensorCore

/// Messages that are not in the header of the object whose they are: committed types, and messages
/// that several objects share.
///
/// Source: HDF5 File Format Specification 3.0, sections IV.A.2 "Shared Message" and III.I.
enum HDF5SharedMessages {
  /// The message itself.
  static func body(
    of message: HDF5ObjectHeader.Message, in metadata: HDF5Metadata
  ) throws(CheckpointError) -> HDF5Cursor {
    guard message.isShared else { return message.body }
    var cursor = message.body
    return try target(of: &cursor, kind: message.kind, in: metadata)
  }

  /// The message to which a reference leads.
  static func target(
    of reference: inout HDF5Cursor, kind: HDF5ObjectHeader.Kind, in metadata: HDF5Metadata
  ) throws(CheckpointError) -> HDF5Cursor {
    let version = try reference.byte()
    let place = try reference.byte()
    switch version {
    case 1: try reference.skip(6 + metadata.superblock.widths.length)
    case 2: break
    case 3 where place == 1:
      return try heap(for: kind, in: metadata).object(try reference.bytes(8), in: metadata)
    case 3: break
    default: throw reference.unsupported("shared message of version \(version); 3 is read")
    }
    let header = try HDF5ObjectHeader(try reference.definedAddress(), in: metadata)
    guard let found = header.first(kind), !found.isShared else {
      throw reference.malformed("the shared \(kind) is not at \(header.address)")
    }
    return found.body
  }

  /// The heap of the messages of a kind that objects of the file share.
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
      throw CheckpointError(.malformed, "the file shares no messages of kind \(kind)")
    }
    return heap
  }

  /// The heaps of the file's shared messages, by kind.
  private static func heaps(
    _ metadata: HDF5Metadata
  ) throws(CheckpointError) -> [Int: HDF5FractalHeap] {
    guard let address = metadata.superblock.extensionAddress,
      let message = try HDF5ObjectHeader(address, in: metadata).first(.sharedTable)
    else { throw CheckpointError(.malformed, "the file has no table of shared messages") }
    var body = message.body
    try body.expect(version: 0, of: "shared message table")
    let table = try body.definedAddress()
    let count = try body.byte()
    let widths = metadata.superblock.widths
    let origin = try metadata.cursor(at: table, count: 8 + count * (14 + 2 * widths.address))
    var cursor = origin
    try cursor.expect("SMTB")
    var heaps: [Int: HDF5FractalHeap] = [:]
    for _ in 0..<count {
      try cursor.skip(2)  // version, kind of index
      let kinds = try cursor.integer(2)
      try cursor.skip(10)  // limits, number of messages
      _ = try cursor.address()  // of the index
      guard let address = try cursor.address() else { continue }
      let heap = try HDF5FractalHeap(address, in: metadata)
      for kind in 0..<16 where kinds >> kind & 1 != 0 { heaps[kind] = heap }
    }
    try cursor.verify(from: origin)
    return heaps
  }
}
