import TensorCore

/// The head of a node of a B-tree of version 1, which groups and chunks are found by.
///
/// Source: HDF5 File Format Specification 3.0, section III.A.1 "Version 1 B-trees".
struct HDF5TreeNode {
  /// How many levels are below this one; 0 for a leaf.
  let level: Int
  /// How many children there are.
  let count: Int
  /// For each child its key and its address.
  let entries: HDF5Cursor

  /// Reads the node at an address.
  ///
  /// `type` is 0 in a group and 1 over chunks; `level` is what the node above leads to, which keeps
  /// a tree that leads back to itself from going on; a key has `keySize` bytes.
  init(
    _ address: UInt64, type: Int, level: Int?, keySize: Int, in metadata: HDF5Metadata
  ) throws(CheckpointError) {
    let width = metadata.superblock.widths.address
    let prefix = 8 + 2 * width
    var node = try metadata.cursor(at: address, count: prefix)
    try node.expect("TREE")
    let found = (type: try node.byte(), level: try node.byte())
    guard found.type == type, level == nil || level == found.level else {
      throw node.malformed(
        "B-tree of type \(found.type) at level \(found.level); type \(type) is required"
          + (level.map { " at level \($0)" } ?? ""))
    }
    self.level = found.level
    count = try node.integer(2)
    entries = try metadata.cursor(
      atOffset: node.offset - 8 + prefix, count: count * (keySize + width))
  }
}
