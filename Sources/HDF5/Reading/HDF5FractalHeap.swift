import TensorCore

/// A heap that stores links, attributes, or shared messages in blocks of doubling size.
///
/// Objects are *managed* (inside a direct block, `FHDB`), *huge* (stored in the file on their own, and
/// listed in a B-tree), or *tiny* (inside their identifier). The direct blocks form one address
/// space, which a doubling table maps: rows of `tableWidth` blocks, the first two rows of blocks of
/// `startSize` bytes, each further row of blocks twice as large. Rows whose blocks would exceed
/// `maxBlockSize` consist of indirect blocks (`FHIB`), which are doubling tables themselves.
///
/// Source: HDF5 File Format Specification 3.0, section III.G "Fractal Heap".
final class HDF5FractalHeap {
  /// Size of an object's identifier in bytes.
  private let identifierSize: Int
  /// Address of the B-tree of huge objects.
  private let hugeTree: UInt64?
  /// Blocks in a row of the doubling table; a power of two, like the sizes below.
  private let tableWidth: Int
  /// Size of the blocks of the first two rows, and of the largest direct blocks, in bytes.
  private let startSize: Int
  private let maxBlockSize: Int
  /// Bytes of an offset in the heap, and of an object's size, in identifiers.
  private let (offsetWidth, sizeWidth): (Int, Int)
  /// log2 of the heap's largest possible size.
  private let heapBits: Int
  /// Address of the root block: an indirect block of `rootRows` rows, or a direct block if that is 0.
  private let root: UInt64?
  private let rootRows: Int
  /// Child addresses of the indirect blocks read so far, by the blocks' address.
  private var tables: [UInt64: [UInt64?]] = [:]
  /// Whether direct blocks have checksums.
  private let sumsBlocks: Bool
  /// Sizes of the direct blocks whose checksums were verified, by their address.
  private var verified: [UInt64: Int] = [:]
  /// Address and size of huge objects by number, once they have been needed.
  private var huge: [UInt64: (address: UInt64, size: Int)]?

  /// Reads the heap's header.
  init(_ address: UInt64, in metadata: HDF5Metadata) throws(CheckpointError) {
    let widths = metadata.superblock.widths
    var cursor = try metadata.cursor(
      at: address, count: 26 + 12 * widths.length + 3 * widths.address)
    try cursor.expect("FRHP")
    try cursor.expect(version: 0, of: "fractal heap")
    identifierSize = try cursor.integer(2)
    // Size of the description of filters, which would add fields to this header and to each entry
    // of an indirect block.
    guard try cursor.integer(2) == 0 else {
      throw cursor.rewound.unsupported("fractal heap with filtered blocks is not supported")
    }
    sumsBlocks = try cursor.byte() & 2 != 0  // bit 0: whether huge IDs have wrapped
    let maxObjectSize = try cursor.integer(4)
    try cursor.skip(widths.length)  // next huge object ID
    hugeTree = try cursor.address()
    try cursor.skip(widths.length + widths.address)  // free space and its manager
    try cursor.skip(8 * widths.length)  // sizes and numbers of objects of each kind
    tableWidth = try cursor.integer(2)
    startSize = try cursor.length()
    maxBlockSize = try cursor.length()
    heapBits = try cursor.integer(2)
    try cursor.skip(2)  // initial number of rows in the root block
    root = try cursor.address()
    rootRows = try cursor.integer(2)
    try cursor.verify()
    func isPower(_ number: Int) -> Bool { number > 0 && number & (number - 1) == 0 }
    guard isPower(tableWidth), isPower(startSize), isPower(maxBlockSize),
      startSize <= maxBlockSize, maxBlockSize <= 1 << 32, (1...63).contains(heapBits),
      tableWidth <= 1 << 16, (2...4096).contains(identifierSize), maxObjectSize > 0
    else { throw cursor.rewound.malformed("fractal heap has impossible parameters") }
    // The specification calls these widths minimal: just enough for any offset and any size.
    offsetWidth = (heapBits + 7) / 8
    // An object exceeds neither the largest direct block nor the largest managed object; the
    // smaller of the two widths is the one used.
    sizeWidth = min(
      (maxBlockSize.trailingZeroBitCount + 7) / 8,
      (Int.bitWidth - 1 - maxObjectSize.leadingZeroBitCount + 7) / 8)
  }

  /// The object with an identifier.
  ///
  /// - Throws: ``CheckpointError`` `malformed` when the heap has no such object.
  func object(
    _ identifier: ArraySlice<UInt8>, in metadata: HDF5Metadata
  ) throws(CheckpointError) -> HDF5Cursor {
    let widths = metadata.superblock.widths
    var cursor = HDF5Cursor(
      Array(identifier), 0, count: identifier.count, start: 0, widths)
    // The top 2 bits are the version, which is 0, the next 2 the kind of object.
    let first = try cursor.byte()
    switch first >> 4 {
    case 0:
      let offset = try cursor.integer(offsetWidth)
      return try managed(offset, size: try cursor.integer(sizeWidth), metadata)
    case 1:
      // Which of the two it is follows from the header's widths alone; the identifier has no flag
      // for it.
      // A huge object's identifier holds address and size if there is room, else a B-tree key.
      if widths.address + widths.length <= identifierSize - 1 {
        let address = try cursor.definedAddress()
        return try metadata.cursor(at: address, count: try cursor.length())
      }
      let number = try cursor.unsigned(min(8, identifierSize - 1))
      guard let object = try hugeObjects(metadata)[number] else {
        throw CheckpointError(.malformed, "fractal heap has no huge object \(number)")
      }
      return try metadata.cursor(at: object.address, count: object.size)
    case 2:
      // A tiny object. If an identifier has room for more than 16 bytes, the size has 12 bits.
      let size = first & 15
      let count = try identifierSize - 1 <= 17 ? size + 1 : (size << 8 | cursor.byte()) + 1
      return try cursor.part(count)
    default:
      throw CheckpointError(
        .unsupported, "fractal heap: expected an object of kind 0 to 2, found \(first >> 4)")
    }
  }

  /// The huge objects, listed by a version 2 B-tree of type 1 (address, size, key).
  private func hugeObjects(
    _ metadata: HDF5Metadata
  ) throws(CheckpointError) -> [UInt64: (address: UInt64, size: Int)] {
    if let huge { return huge }
    var objects: [UInt64: (address: UInt64, size: Int)] = [:]
    if let hugeTree {
      let tree = try HDF5RecordTree(hugeTree, in: metadata)
      guard tree.type == 1 else {
        throw CheckpointError(
          .unsupported, "huge objects: expected a B-tree of type 1, found type \(tree.type)")
      }
      let widths = metadata.superblock.widths
      try tree.forEach(in: metadata) { record throws(CheckpointError) in
        var record = record
        let address = try record.definedAddress()
        let size = try record.length()
        objects[try record.unsigned(widths.length)] = (address, size)
      }
    }
    huge = objects
    return objects
  }

  // MARK: - Blocks

  /// Size in bytes of each block in a row of the doubling table.
  private func blockSize(row: Int) -> Int { row == 0 ? startSize : startSize << (row - 1) }

  /// Number of rows of direct blocks; the rows after them consist of indirect blocks.
  private var objectRows: Int {
    maxBlockSize.trailingZeroBitCount - startSize.trailingZeroBitCount + 2
  }

  /// log2 of the size of the first row.
  private var firstRowBits: Int {
    startSize.trailingZeroBitCount + tableWidth.trailingZeroBitCount
  }

  /// The managed object at an offset in the heap's address space.
  private func managed(
    _ offset: Int, size: Int, _ metadata: HDF5Metadata
  ) throws(CheckpointError) -> HDF5Cursor {
    let outside = CheckpointError(.malformed, "fractal heap has no object at \(offset)")
    guard var block = root else { throw outside }
    // Every number below is a power of two or a sum of them, so that sizes and rows are found by
    // shifts.
    var (rows, position) = (rootRows, offset)
    if rows == 0 {
      // The heap has a single direct block.
      guard position <= startSize, size <= startSize - position else { throw outside }
      return try object(in: block, of: startSize, position, size, metadata)
    }
    // Descend; each table is smaller than its parent, so this ends. Row 0 covers the offsets below
    // 2^firstRowBits, and row n > 0 those from 2^(firstRowBits + n - 1) to twice that.
    while true {
      let row =
        position < 1 << firstRowBits
        ? 0 : Int.bitWidth - 1 - position.leadingZeroBitCount - firstRowBits + 1
      guard row < rows else { throw outside }
      let start = row == 0 ? 0 : 1 << (firstRowBits + row - 1)
      let column = (position - start) / blockSize(row: row)
      let children = try table(block, rows: rows, metadata)
      guard let child = children[row * tableWidth + column] else { throw outside }
      position -= start + column * blockSize(row: row)
      block = child
      if row < objectRows {
        guard size <= blockSize(row: row) - position else { throw outside }
        return try object(in: block, of: blockSize(row: row), position, size, metadata)
      }
      // An indirect block has as many rows as its size in the heap requires.
      rows = blockSize(row: row).trailingZeroBitCount - firstRowBits + 1
    }
  }

  /// The bytes at an offset in a direct block of `blockSize` bytes; the offset counts the block's own header.
  private func object(
    in block: UInt64, of blockSize: Int, _ position: Int, _ size: Int, _ metadata: HDF5Metadata
  ) throws(CheckpointError) -> HDF5Cursor {
    let offset = try metadata.offset(of: block)
    if verified[block] != blockSize {
      try verify(block, of: blockSize, metadata)
      verified[block] = blockSize
    }
    return try metadata.cursor(atOffset: offset + position, count: size)
  }

  /// Verifies a direct block's checksum, which covers all of the block with zeros in its own place.
  private func verify(
    _ block: UInt64, of size: Int, _ metadata: HDF5Metadata
  ) throws(CheckpointError) {
    let header = 5 + metadata.superblock.widths.address + offsetWidth
    var cursor = try metadata.cursor(at: block, count: sumsBlocks ? size : header)
    try cursor.expect("FHDB")
    try cursor.expect(version: 0, of: "fractal heap direct block")
    guard sumsBlocks else { return }
    try cursor.skip(header - 5)
    try cursor.verifyWhole()
  }

  /// The child addresses in an indirect block, row by row; `nil` for blocks never allocated.
  private func table(
    _ address: UInt64, rows: Int, _ metadata: HDF5Metadata
  ) throws(CheckpointError) -> [UInt64?] {
    // The same bytes read as a table of another size would be another table.
    if let known = tables[address], known.count == rows.saturated(times: tableWidth) {
      return known
    }
    let widths = metadata.superblock.widths
    let count = rows.saturated(times: tableWidth)
    var cursor = try metadata.cursor(
      at: address, count: 9 + (count + 1).saturated(times: widths.address) + offsetWidth)
    try cursor.expect("FHIB")
    try cursor.expect(version: 0, of: "fractal heap indirect block")
    try cursor.skip(widths.address + offsetWidth)  // heap header address, block offset
    var children: [UInt64?] = []
    children.reserveCapacity(count)
    for _ in 0..<count { children.append(try cursor.address()) }
    try cursor.verify()
    tables[address] = children
    return children
  }
}
