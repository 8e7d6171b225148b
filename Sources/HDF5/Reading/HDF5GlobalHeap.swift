import TensorCore

/// Strings of variable length, which are stored in collections outside the objects that use them.
///
/// Source: HDF5 File Format Specification 3.0, section III.E "Global Heap".
enum HDF5GlobalHeap {
  /// The string that a reference (size in 4 bytes, collection address, index) points to, up to its
  /// first NUL; empty for a null reference.
  static func text(
    _ reference: inout HDF5Cursor, in metadata: HDF5Metadata
  ) throws(CheckpointError) -> String {
    let size = try reference.integer(4)
    let address = try reference.address()
    let index = try reference.integer(4)
    guard size > 0, let address, address > 0 else { return "" }
    guard let range = try objects(address, in: metadata)[index], range.count >= size else {
      throw reference.malformed(
        "there is no string of \(size) bytes in the collection at \(address), index \(index)")
    }
    try metadata.charge(texts: size)
    var cursor = try metadata.cursor(atOffset: range.lowerBound, count: size)
    return String(decoding: try cursor.bytes(size).prefix { $0 != 0 }, as: UTF8.self)
  }

  /// The object that a collection has under an index.
  static func object(
    _ index: Int, of address: UInt64, in metadata: HDF5Metadata
  ) throws(CheckpointError) -> HDF5Cursor {
    guard let range = try objects(address, in: metadata)[index] else {
      throw CheckpointError(
        .malformed, "there is no object \(index) in the collection at \(address)")
    }
    return try metadata.cursor(atOffset: range.lowerBound, count: range.count)
  }

  /// The byte ranges in the file of a collection's objects, by index.
  private static func objects(
    _ address: UInt64, in metadata: HDF5Metadata
  ) throws(CheckpointError) -> [Int: Range<Int>] {
    if let known = metadata.collections[address] { return known }
    // Headers of the collection and of each object have 16 bytes, whatever the width of a length.
    let prefix = 16
    let padding = 8 - metadata.superblock.widths.length
    var header = try metadata.cursor(at: address, count: prefix)
    try header.expect("GCOL")
    try header.expect(version: 1, of: "global heap")
    try header.skip(3)
    let size = try header.length()
    try header.skip(padding)
    var offset = header.offset
    guard size >= prefix, size - prefix <= metadata.fileSize - offset else {
      throw header.malformed(
        "global heap collection has \(size) bytes, which exceed the end of the file")
    }
    let end = offset + size - prefix
    var objects: [Int: Range<Int>] = [:]
    while end - offset >= prefix {
      var object = try metadata.cursor(atOffset: offset, count: prefix)
      let index = try object.integer(2)
      try object.skip(6)  // reference count, reserved
      let size = try object.length()
      try object.skip(padding)
      // Index 0 is the free space at the end.
      if index == 0 { break }
      guard size <= end - object.offset else {
        throw object.malformed(
          "object of \(size) bytes exceeds the end of its collection at \(end)")
      }
      objects[index] = object.offset..<object.offset + size
      // Objects are padded to a multiple of 8 bytes.
      offset = object.offset + min((size + 7) / 8 * 8, end - object.offset)
    }
    metadata.collections[address] = objects
    return objects
  }
}
