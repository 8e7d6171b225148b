import TensorCore

/// A node of a version 1 B-tree, which indexes the links of old groups, or chunks.
///
/// Source: HDF5 File Format Specification 3.0, section III.A.1 "Version 1 B-trees".
struct HDF5TreeNode {
  /// Height of the node above the leaves; 0 for a leaf.
  let level: Int
  /// Number of children.
  let count: Int
  /// A key and an address for each child.
  let entries: HDF5Cursor

  /// Reads the node at an address.
  ///
  /// `type` is 0 for groups and 1 for chunks. `level` is the expected level, one less than the
  /// parent's and `nil` for the root, so that a tree that refers back to itself is refused. A key has
  /// `keySize` bytes.
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
        "expected a B-tree node of type \(type)\(level.map { " at level \($0)" } ?? ""), "
          + "found type \(found.type) at level \(found.level)")
    }
    self.level = found.level
    count = try node.integer(2)
    // The addresses of the left and right sibling, which end the prefix, are not needed.
    // Key and address alternate, beginning with a key. One more key follows the last address; it is
    // left out, since keys only separate children here.
    entries = try metadata.cursor(
      atOffset: node.offset - 8 + prefix, count: count.saturated(times: keySize + width))
  }
}
