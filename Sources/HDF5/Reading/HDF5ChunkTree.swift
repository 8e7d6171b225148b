import TensorCore

/// A version 1 B-tree that indexes chunks.
///
/// Source: HDF5 File Format Specification 3.0, section III.A.1 "Version 1 B-trees", nodes of type 1.
struct HDF5ChunkTree {
  private let rank: Int
  private let metadata: HDF5Metadata

  init(rank: Int, _ metadata: HDF5Metadata) {
    self.rank = rank
    self.metadata = metadata
  }

  /// Adds the chunks below a node to the map; `level` is the node's expected level, `nil` for the
  /// root.
  func visit(
    _ address: UInt64, level: Int?, into map: inout HDF5ChunkMap
  ) throws(CheckpointError) {
    // A key is the size of a chunk in the file, its filter mask, the index of its first element, and
    // one more number, the offset inside an element, which is always 0.
    let keySize = 8 + 8 * (rank + 1)
    let node = try HDF5TreeNode(address, type: 1, level: level, keySize: keySize, in: metadata)
    var entries = node.entries
    for _ in 0..<node.count {
      let size = try entries.integer(4)
      let mask = UInt32(truncatingIfNeeded: try entries.unsigned(4))
      if node.level > 0 {
        // In inner nodes the key only separates the children.
        try entries.skip(keySize - 8)
        try visit(try entries.definedAddress(), level: node.level - 1, into: &map)
        continue
      }
      // This index, the only one before HDF5 1.10, counts elements; all later ones count chunks.
      var origin: [Int] = []
      origin.reserveCapacity(rank)
      for _ in 0..<rank { origin.append(try entries.integer(8)) }
      try entries.skip(8)
      let chunk = try entries.definedAddress()
      try map.add(origin: origin, chunk, size: size, mask: mask)
    }
  }
}
