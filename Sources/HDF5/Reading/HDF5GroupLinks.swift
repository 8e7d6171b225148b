import TensorCore

/// The links of a group, in creation order if the file tracks it, else sorted by name.
///
/// New groups store links as messages or, if there are many, in a fractal heap that a version 2
/// B-tree indexes; old groups have a symbol table.
///
/// Source: HDF5 File Format Specification 3.0, sections IV.A.2.c "The Link Info Message" and
/// III.B to III.D for old groups.
enum HDF5GroupLinks {
  /// Whether an object header belongs to a group.
  static func isGroup(_ header: HDF5ObjectHeader) -> Bool {
    header.has(.symbolTable) || header.has(.linkInfo)
  }

  /// Reads all links of a group.
  static func all(
    of header: HDF5ObjectHeader, in metadata: HDF5Metadata
  ) throws(CheckpointError) -> [HDF5Link] {
    if let table = header.first(.symbolTable) {
      return try HDF5SymbolTable.links(table.body, in: metadata)
    }
    guard var info = header.first(.linkInfo)?.body else { return [] }
    try info.expect(version: 0, of: "link info message")
    let isTracked = try info.byte() & 1 != 0
    if isTracked { try info.skip(8) }  // largest creation index
    let heapAddress = try info.address()
    // The index by name, which every large group has. The one by creation order, whose address may
    // follow, is optional, so links are sorted here instead.
    let tree = try info.address()
    var links: [HDF5Link] = []
    if let heapAddress, let tree {
      let heap = try HDF5FractalHeap(heapAddress, in: metadata)
      // A record (type 5) is the hash of a name, in 4 bytes, and a heap identifier.
      try HDF5RecordTree(tree, in: metadata).forEach(in: metadata) {
        record throws(CheckpointError) in
        var record = record
        try record.skip(4)
        let identifier = try record.bytes(record.remaining)
        links.append(try HDF5Link(try heap.object(identifier, in: metadata)))
        try metadata.check(linkCount: links.count)
      }
    } else {
      for message in header.messages where message.kind == .link {
        links.append(try HDF5Link(message.body))
      }
    }
    if isTracked {
      links.sort { $0.order ?? 0 < $1.order ?? 0 }
    } else {
      links.sort { TensorName($0.name ?? "") < TensorName($1.name ?? "") }
    }
    return links
  }
}
