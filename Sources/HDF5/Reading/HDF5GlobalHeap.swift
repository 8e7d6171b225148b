import TensorCore

/// Texts of variable length, kept in collections beside the objects that have them.
///
/// Source: HDF5 File Format Specification 3.0, section III.E "Global Heap".
enum HDF5GlobalHeap {
  /// The text to which 4 bytes of size, an address and an index lead, up to its first NUL.
  static func text(
    _ reference: inout HDF5Cursor, in metadata: HDF5Metadata
  ) throws(CheckpointError) -> String {
    let size = try reference.integer(4)
    let address = try reference.address()
    let index = try reference.integer(4)
    guard size > 0, let address, address > 0 else { return "" }
    guard let range = try objects(address, in: metadata)[index], range.count >= size else {
      throw reference.malformed("no text of \(size) bytes is at \(address), number \(index)")
    }
    try metadata.charge(texts: size)
    var cursor = try metadata.cursor(atOffset: range.lowerBound, count: size)
    return String(decoding: try cursor.bytes(size).prefix { $0 != 0 }, as: UTF8.self)
  }

  /// Where the objects of a collection are in the file, by number.
  private static func objects(
    _ address: UInt64, in metadata: HDF5Metadata
  ) throws(CheckpointError) -> [Int: Range<Int>] {
    if let known = metadata.collections[address] { return known }
    // Whatever the width of a length, what follows begins at a multiple of 8.
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
      throw header.malformed("collection of \(size) bytes in a file of \(metadata.fileSize)")
    }
    let end = offset + size - prefix
    var objects: [Int: Range<Int>] = [:]
    while end - offset >= prefix {
      var object = try metadata.cursor(atOffset: offset, count: prefix)
      let index = try object.integer(2)
      try object.skip(6)  // references to it
      let size = try object.length()
      try object.skip(padding)
      // Number 0 is the free space at the end.
      if index == 0 { break }
      guard size <= end - object.offset else {
        throw object.malformed("object of \(size) bytes in a collection that ends at \(end)")
      }
      objects[index] = object.offset..<object.offset + size
      offset = object.offset + min((size + 7) / 8 * 8, end - object.offset)
    }
    metadata.collections[address] = objects
    return objects
  }
}
