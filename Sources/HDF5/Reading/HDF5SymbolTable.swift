import TensorCore

/// The links of an older group: a B-tree of version 1 whose leaves are tables of names.
struct HDF5SymbolTable {
  private let metadata: HDF5Metadata
  /// Address of the group's names, each ended by a NUL, and their size.
  private let names: UInt64
  private let namesSize: Int
  private var links: [HDF5Link] = []

  /// Reads the links, in the order of the tree, which is that of their names.
  ///
  /// `message` is the group's symbol table message.
  static func links(
    _ message: HDF5Cursor, in metadata: HDF5Metadata
  ) throws(CheckpointError) -> [HDF5Link] {
    var message = message
    let tree = try message.definedAddress()
    var table = try Self(heap: try message.definedAddress(), in: metadata)
    try table.visit(tree, level: nil)
    return table.links
  }

  /// Reads the header of a local heap.
  private init(heap address: UInt64, in metadata: HDF5Metadata) throws(CheckpointError) {
    self.metadata = metadata
    let widths = metadata.superblock.widths
    var cursor = try metadata.cursor(
      at: address, count: 8 + 2 * widths.length + widths.address)
    try cursor.expect("HEAP")
    try cursor.expect(version: 0, of: "local heap")
    try cursor.skip(3)
    namesSize = try cursor.length()
    try cursor.skip(widths.length)  // of free space
    names = try cursor.definedAddress()
  }

  private mutating func visit(_ address: UInt64, level: Int?) throws(CheckpointError) {
    let keySize = metadata.superblock.widths.length
    let node = try HDF5TreeNode(address, type: 0, level: level, keySize: keySize, in: metadata)
    var children = node.entries
    for _ in 0..<node.count {
      try children.skip(keySize)  // the name before the child's first one
      let child = try children.definedAddress()
      if node.level == 0 { try takeNames(child) } else { try visit(child, level: node.level - 1) }
    }
  }

  /// Takes the links of one leaf.
  private mutating func takeNames(_ address: UInt64) throws(CheckpointError) {
    let widths = metadata.superblock.widths
    var node = try metadata.cursor(at: address, count: 8)
    try node.expect("SNOD")
    try node.expect(version: 1, of: "table of names")
    try node.skip(1)
    let count = try node.integer(2)
    var entries = try metadata.cursor(
      atOffset: node.offset, count: count * (widths.length + widths.address + 24))
    for _ in 0..<count {
      let name = HDF5Link.text(try name(at: try entries.length()))
      let address = try entries.address()
      let cached = try entries.integer(4)
      try entries.skip(4)
      var scratch = try entries.part(16)
      if cached == 2 {
        let path = HDF5Link.text(try self.name(at: try scratch.integer(4)))
        links.append(HDF5Link(name: name, .path(path ?? "")))
      } else if let address {
        links.append(HDF5Link(name: name, .object(address)))
      } else {
        throw entries.malformed("link without an address")
      }
      guard links.count <= HDF5GroupLinks.limit else {
        throw CheckpointError(.unsupported, "more than \(HDF5GroupLinks.limit) objects")
      }
    }
  }

  /// The bytes before the next NUL in the local heap.
  private func name(at place: Int) throws(CheckpointError) -> ArraySlice<UInt8> {
    let offset = try metadata.offset(of: names)
    guard place < namesSize, place <= metadata.fileSize - offset else {
      throw CheckpointError(
        .malformed, "name at \(place) of a heap of \(namesSize) bytes", offset: offset)
    }
    let most = min(namesSize - place, metadata.fileSize - offset - place)
    var size = min(64, most)
    while true {
      var cursor = try metadata.cursor(atOffset: offset + place, count: size)
      let bytes = try cursor.bytes(size)
      if let end = bytes.firstIndex(of: 0) { return bytes[..<end] }
      guard size < most else { throw cursor.malformed("a name has no end") }
      size = min(4 * size, most)
    }
  }
}
