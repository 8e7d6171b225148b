import TensorCore

/// The links of an old group: a version 1 B-tree whose leaves are symbol table nodes, and a local
/// heap of names.
///
/// Source: HDF5 File Format Specification 3.0, sections III.A.1, III.B "Group Symbol Table Nodes",
/// III.C "Symbol Table Entry", and III.D "Local Heaps".
struct HDF5SymbolTable {
  private let metadata: HDF5Metadata
  /// Address and size in bytes of the names, each terminated by a NUL.
  private let names: UInt64
  private let namesSize: Int
  private var links: [HDF5Link] = []

  /// Reads the links, sorted by name as the tree is, given the group's symbol table message.
  static func links(
    _ message: HDF5Cursor, in metadata: HDF5Metadata
  ) throws(CheckpointError) -> [HDF5Link] {
    var message = message
    let tree = try message.definedAddress()
    var table = try Self(heap: try message.definedAddress(), in: metadata)
    try table.visit(tree, level: nil)
    return table.links
  }

  /// Reads the header of a local heap (III.D).
  private init(heap address: UInt64, in metadata: HDF5Metadata) throws(CheckpointError) {
    self.metadata = metadata
    let widths = metadata.superblock.widths
    var cursor = try metadata.cursor(
      at: address, count: 8 + 2 * widths.length + widths.address)
    try cursor.expect("HEAP")
    try cursor.expect(version: 0, of: "local heap")
    try cursor.skip(3)
    namesSize = try cursor.length()
    try cursor.skip(widths.length)  // head of the free list
    names = try cursor.definedAddress()
  }

  private mutating func visit(_ address: UInt64, level: Int?) throws(CheckpointError) {
    let keySize = metadata.superblock.widths.length
    let node = try HDF5TreeNode(address, type: 0, level: level, keySize: keySize, in: metadata)
    var children = node.entries
    for _ in 0..<node.count {
      try children.skip(keySize)  // the greatest name before the child's
      let child = try children.definedAddress()
      if node.level == 0 { try takeNames(child) } else { try visit(child, level: node.level - 1) }
    }
  }

  /// Reads the entries of one symbol table node (III.B, III.C).
  private mutating func takeNames(_ address: UInt64) throws(CheckpointError) {
    let widths = metadata.superblock.widths
    var node = try metadata.cursor(at: address, count: 8)
    try node.expect("SNOD")
    try node.expect(version: 1, of: "symbol table node")
    try node.skip(1)
    let count = try node.integer(2)
    // A node has room for a fixed number of entries, of which the first `count` are in use. Each
    // has the offset of its name in the heap, the address of an object header, and 24 bytes: cache
    // type, reserved, and scratch-pad (III.C).
    var entries = try metadata.cursor(
      atOffset: node.offset, count: count.saturated(times: widths.length + widths.address + 24))
    for _ in 0..<count {
      let name = HDF5Link.text(try name(at: try entries.length()))
      let address = try entries.address()
      let cached = try entries.integer(4)
      try entries.skip(4)
      var scratch = try entries.part(16)
      // Cache type 2 is a soft link: the scratch-pad holds the heap offset of its target's path.
      if cached == 2 {
        let path = HDF5Link.text(try self.name(at: try scratch.integer(4)))
        links.append(HDF5Link(name: name, .path(path ?? "")))
      } else if let address {
        links.append(HDF5Link(name: name, .object(address)))
      } else {
        throw entries.malformed("link has no address")
      }
      try metadata.check(linkCount: links.count)
    }
  }

  /// The bytes of the local heap from an index to the next NUL.
  private func name(at index: Int) throws(CheckpointError) -> ArraySlice<UInt8> {
    let offset = try metadata.offset(of: names)
    guard index < namesSize, index <= metadata.fileSize - offset else {
      throw CheckpointError(
        .malformed, "name at offset \(index) is outside its heap of \(namesSize) bytes",
        offset: offset)
    }
    let most = min(namesSize - index, metadata.fileSize - offset - index)
    // Names are short; a longer one is read again with four times as many bytes.
    var size = min(64, most)
    while true {
      var cursor = try metadata.cursor(atOffset: offset + index, count: size)
      let bytes = try cursor.bytes(size)
      if let end = bytes.firstIndex(of: 0) { return bytes[..<end] }
      guard size < most else { throw cursor.malformed("a name is not terminated") }
      size = min(4 * size, most)
    }
  }
}
