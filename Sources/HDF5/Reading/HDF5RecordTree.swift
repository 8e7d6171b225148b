import TensorCore

/// A version 2 B-tree: sorted records of one size, in inner nodes as well as in leaves.
///
/// An inner node of n records has n + 1 child pointers: the child's address, its number of records,
/// and, except just above the leaves, the number of records in its whole subtree. The widths of these
/// numbers are minimal for the largest value possible at their height, so they must be computed.
///
/// Source: HDF5 File Format Specification 3.0, section III.A.2 "Version 2 B-trees".
struct HDF5RecordTree {
  /// Record type, as numbered in the specification.
  let type: Int
  /// Size of a record in bytes.
  let recordSize: Int
  /// Size of a node in bytes.
  private let nodeSize: Int
  /// Height of the root above the leaves.
  private let depth: Int
  private let root: UInt64?
  private let rootCount: Int
  /// Bytes of the number of records in a node.
  private let countWidth: Int
  /// Bytes of the number of records in a node's subtree, by the node's height above the leaves.
  private var totalWidths = [0]

  /// Reads the tree's header.
  init(_ address: UInt64, in metadata: HDF5Metadata) throws(CheckpointError) {
    let widths = metadata.superblock.widths
    var cursor = try metadata.cursor(
      at: address, count: 22 + widths.address + widths.length)
    try cursor.expect("BTHD")
    try cursor.expect(version: 0, of: "B-tree")
    type = try cursor.byte()
    nodeSize = try cursor.integer(4)
    recordSize = try cursor.integer(2)
    depth = try cursor.integer(2)
    try cursor.skip(2)  // split and merge percentages
    root = try cursor.address()
    rootCount = try cursor.integer(2)
    _ = try cursor.length()  // total number of records
    try cursor.verify()
    // A node holds at least one record, so that the divisions below are safe; the limit of the
    // depth bounds the recursion of `visit`.
    guard recordSize > 0, depth < 16, nodeSize <= metadata.fileSize,
      nodeSize > Self.frame + recordSize
    else {
      throw cursor.rewound.malformed(
        "B-tree has impossible parameters: depth \(depth), \(recordSize) bytes per record, "
          + "\(nodeSize) bytes per node")
    }
    // Bottom-up: the most records in a leaf, then in the subtree of a node at each height.
    let most = (nodeSize - Self.frame) / recordSize
    // The count of a node has the width of a leaf's maximum at every height, although inner nodes
    // hold fewer records.
    countWidth = Self.width(most)
    var total = most
    for height in 1..<max(depth, 1) {
      let pointer = widths.address + countWidth + totalWidths[height - 1]
      let count = max(nodeSize - Self.frame - pointer, 0) / (recordSize + pointer)
      // A full subtree: `count` records in its root, and count + 1 full subtrees one level down.
      // That of the tree's own root is never needed, because nothing points to the root.
      let (product, overflow) = (count + 1).multipliedReportingOverflow(by: total)
      let (sum, tooLarge) = product.addingReportingOverflow(count)
      guard !overflow, !tooLarge else {
        throw cursor.rewound.malformed(
          "B-tree has impossible parameters: depth \(depth), \(nodeSize) bytes per node")
      }
      total = sum
      totalWidths.append(Self.width(total))
    }
  }

  /// Bytes of a node's signature, version, type, and checksum.
  private static let frame = 10

  /// Bytes needed for a number up to `limit`.
  private static func width(_ limit: Int) -> Int {
    limit <= 0 ? 1 : (Int.bitWidth - limit.leadingZeroBitCount + 7) / 8
  }

  /// Calls `body` with each record, in order.
  func forEach(
    in metadata: HDF5Metadata, _ body: (HDF5Cursor) throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    guard let root, rootCount > 0 else { return }
    try visit(root, rootCount, height: depth, metadata, body)
  }

  private func visit(
    _ address: UInt64, _ count: Int, height: Int, _ metadata: HDF5Metadata,
    _ body: (HDF5Cursor) throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    let pointer =
      height == 0
      ? 0 : metadata.superblock.widths.address + countWidth + totalWidths[height - 1]
    // A node does not state its own number of records; only its parent, or the header, does. The
    // checksum follows the last record or pointer directly, and what is left of the node is unused.
    let size =
      Self.frame + count.saturated(times: recordSize)
      + (height == 0 ? 0 : (count + 1).saturated(times: pointer))
    var cursor = try metadata.cursor(at: address, count: size)
    try cursor.expect(height == 0 ? "BTLF" : "BTIN")
    try cursor.expect(version: 0, of: "B-tree node")
    let found = try cursor.byte()
    guard found == type else {
      throw cursor.rewound.malformed("B-tree node: expected type \(type), found \(found)")
    }
    var records = try cursor.part(count.saturated(times: recordSize))
    if height == 0 {
      try cursor.verify()
      for _ in 0..<count { try body(try records.part(recordSize)) }
      return
    }
    var children: [(address: UInt64, count: Int)] = []
    children.reserveCapacity(count + 1)
    for _ in 0...count {
      children.append((try cursor.definedAddress(), try cursor.integer(countWidth)))
      try cursor.skip(totalWidths[height - 1])
    }
    try cursor.verify()
    // Child i holds the records before record i.
    for (index, child) in children.enumerated() {
      try visit(child.address, child.count, height: height - 1, metadata, body)
      if index < count { try body(try records.part(recordSize)) }
    }
  }
}
