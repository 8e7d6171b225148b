import TensorCore

/// A heap of links or attributes: blocks of doubling size, found through a table of blocks.
///
/// Source: HDF5 File Format Specification 3.0, section III.G "Fractal Heap".
final class HDF5FractalHeap {
  /// Bytes of an object's identifier.
  private let identifierSize: Int
  private let hugeTree: UInt64?
  private let tableWidth: Int
  private let startSize: Int
  private let maxBlockSize: Int
  /// Bytes of a place in the heap, and of an object's size.
  private let (offsetWidth, sizeWidth): (Int, Int)
  private let heapBits: Int
  private let root: UInt64?
  private let rootRows: Int
  /// Blocks of blocks that were read, by address.
  private var tables: [UInt64: [UInt64?]] = [:]
  /// The block of objects that was looked at last, and its place in the file.
  private var last: (block: UInt64, offset: Int)?
  /// Objects that are too large for a block, by number, once they are wanted.
  private var huge: [UInt64: (address: UInt64, size: Int)]?

  /// Reads the heap's header.
  init(_ address: UInt64, in metadata: HDF5Metadata) throws(CheckpointError) {
    let widths = metadata.superblock.widths
    let origin = try metadata.cursor(
      at: address, count: 26 + 12 * widths.length + 3 * widths.address)
    var cursor = origin
    try cursor.expect("FRHP")
    try cursor.expect(version: 0, of: "fractal heap")
    identifierSize = try cursor.integer(2)
    guard try cursor.integer(2) == 0 else {
      throw origin.unsupported("fractal heap whose blocks are filtered")
    }
    try cursor.skip(1)  // flags: whether identifiers are used again, blocks have a checksum
    let maxObjectSize = try cursor.integer(4)
    try cursor.skip(widths.length)  // next identifier of a huge object
    hugeTree = try cursor.address()
    try cursor.skip(widths.length + widths.address)  // free space
    try cursor.skip(8 * widths.length)  // sizes and numbers of objects
    tableWidth = try cursor.integer(2)
    startSize = try cursor.length()
    maxBlockSize = try cursor.length()
    heapBits = try cursor.integer(2)
    try cursor.skip(2)  // rows to start with
    root = try cursor.address()
    rootRows = try cursor.integer(2)
    try cursor.verify(from: origin)
    func isPower(_ number: Int) -> Bool { number > 0 && number & (number - 1) == 0 }
    guard isPower(tableWidth), isPower(startSize), isPower(maxBlockSize),
      startSize <= maxBlockSize, maxBlockSize <= 1 << 32, (1...63).contains(heapBits),
      tableWidth <= 1 << 16, (2...4096).contains(identifierSize), maxObjectSize > 0
    else { throw origin.malformed("fractal heap of impossible measures") }
    offsetWidth = (heapBits + 7) / 8
    sizeWidth = min(
      (maxBlockSize.trailingZeroBitCount + 7) / 8,
      (Int.bitWidth - 1 - maxObjectSize.leadingZeroBitCount + 7) / 8)
  }

  /// The object of an identifier.
  func object(
    _ identifier: ArraySlice<UInt8>, in metadata: HDF5Metadata
  ) throws(CheckpointError) -> HDF5Cursor {
    let widths = metadata.superblock.widths
    var cursor = HDF5Cursor(
      Array(identifier), 0, count: identifier.count, start: 0, widths)
    let first = try cursor.byte()
    switch first >> 4 {
    case 0:
      let offset = try cursor.integer(offsetWidth)
      return try managed(offset, size: try cursor.integer(sizeWidth), metadata)
    case 1:
      if widths.address + widths.length <= identifierSize - 1 {
        let address = try cursor.definedAddress()
        return try metadata.cursor(at: address, count: try cursor.length())
      }
      let number = try cursor.unsigned(min(8, identifierSize - 1))
      guard let place = try hugeObjects(metadata)[number] else {
        throw CheckpointError(.malformed, "fractal heap has no huge object \(number)")
      }
      return try metadata.cursor(at: place.address, count: place.size)
    case 2:
      // Where there is room for more than 16 bytes, the size takes another byte.
      let size = first & 15
      let count = try identifierSize - 1 <= 17 ? size + 1 : (size << 8 | cursor.byte()) + 1
      return try cursor.part(count)
    default:
      throw CheckpointError(.unsupported, "object of kind \(first >> 4) in a fractal heap")
    }
  }

  private func hugeObjects(
    _ metadata: HDF5Metadata
  ) throws(CheckpointError) -> [UInt64: (address: UInt64, size: Int)] {
    if let huge { return huge }
    var objects: [UInt64: (address: UInt64, size: Int)] = [:]
    if let hugeTree {
      let tree = try HDF5RecordTree(hugeTree, in: metadata)
      guard tree.type == 1 else {
        throw CheckpointError(.unsupported, "huge objects in a B-tree of type \(tree.type)")
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

  /// Bytes of each block in a row of the table.
  private func blockSize(row: Int) -> Int { row == 0 ? startSize : startSize << (row - 1) }

  /// Rows of blocks that hold objects; those below them hold tables.
  private var objectRows: Int {
    maxBlockSize.trailingZeroBitCount - startSize.trailingZeroBitCount + 2
  }

  /// Bits of the size of a row of the smallest blocks.
  private var firstRowBits: Int {
    startSize.trailingZeroBitCount + tableWidth.trailingZeroBitCount
  }

  /// An object at a place in the heap.
  private func managed(
    _ offset: Int, size: Int, _ metadata: HDF5Metadata
  ) throws(CheckpointError) -> HDF5Cursor {
    let outside = CheckpointError(.malformed, "fractal heap has no object at \(offset)")
    guard var block = root else { throw outside }
    var (rows, place) = (rootRows, offset)
    if rows == 0 {
      guard place <= startSize, size <= startSize - place else { throw outside }
      return try object(in: block, place, size, metadata)
    }
    // Each table is smaller than the one above it.
    while true {
      let row =
        place < 1 << firstRowBits
        ? 0 : Int.bitWidth - 1 - place.leadingZeroBitCount - firstRowBits + 1
      guard row < rows else { throw outside }
      let start = row == 0 ? 0 : 1 << (firstRowBits + row - 1)
      let column = (place - start) / blockSize(row: row)
      let children = try table(block, rows: rows, metadata)
      guard let child = children[row * tableWidth + column] else { throw outside }
      place -= start + column * blockSize(row: row)
      block = child
      if row < objectRows {
        guard size <= blockSize(row: row) - place else { throw outside }
        return try object(in: block, place, size, metadata)
      }
      rows = blockSize(row: row).trailingZeroBitCount - firstRowBits + 1
    }
  }

  private func object(
    in block: UInt64, _ place: Int, _ size: Int, _ metadata: HDF5Metadata
  ) throws(CheckpointError) -> HDF5Cursor {
    if let last, last.block == block {
      return try metadata.cursor(atOffset: last.offset + place, count: size)
    }
    var signature = try metadata.cursor(at: block, count: 5)
    let offset = signature.offset
    try signature.expect("FHDB")
    try signature.expect(version: 0, of: "fractal heap's block")
    last = (block, offset)
    return try metadata.cursor(atOffset: offset + place, count: size)
  }

  /// The addresses of the blocks that a block of blocks has, row after row.
  private func table(
    _ address: UInt64, rows: Int, _ metadata: HDF5Metadata
  ) throws(CheckpointError) -> [UInt64?] {
    if let known = tables[address], known.count == rows * tableWidth { return known }
    let widths = metadata.superblock.widths
    let count = rows * tableWidth
    let origin = try metadata.cursor(
      at: address, count: 9 + widths.address * (count + 1) + offsetWidth)
    var cursor = origin
    try cursor.expect("FHIB")
    try cursor.expect(version: 0, of: "fractal heap's table")
    try cursor.skip(widths.address + offsetWidth)  // of the heap; where it begins
    var children: [UInt64?] = []
    children.reserveCapacity(count)
    for _ in 0..<count { children.append(try cursor.address()) }
    try cursor.verify(from: origin)
    tables[address] = children
    return children
  }
}
