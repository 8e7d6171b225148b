import TensorCore

/// The chunk index of a dataset that may grow in one dimension: data blocks of growing size.
///
/// The index block (`EAIB`) holds the first elements, then the addresses of the first data blocks
/// (`EADB`), then those of secondary blocks (`EASB`), which list all further data blocks. Data blocks
/// come in levels: level n has 2^(n/2) blocks of `smallestBlock` · 2^((n+1)/2) elements, so that
/// either the number of blocks or their size doubles from level to level.
///
/// Source: HDF5 File Format Specification 3.0, section VII.D "The Extensible Array Index".
struct HDF5ExtensibleArray {
  private let metadata: HDF5Metadata
  private let widths: HDF5Superblock.Widths
  private let isFiltered: Bool
  private let elementSize: Int
  /// log2 of the largest number of elements that the array can hold.
  private let maximumBits: Int
  /// Elements stored in the index block itself.
  private let indexElements: Int
  /// Elements in the smallest data block; a power of two.
  private let smallestBlock: Int
  /// Data blocks in the smallest secondary block; a power of two.
  private let smallestPointers: Int
  /// log2 of the number of elements in a page; larger data blocks are divided into pages.
  private let pageBits: Int
  /// Elements up to the last one that was set.
  private let count: Int
  private var counter: HDF5ChunkCounter
  /// Elements before the block that is read next.
  private var passed = 0

  /// Adds the chunks of an array to the map.
  static func read(
    _ address: UInt64, in metadata: HDF5Metadata, into map: inout HDF5ChunkMap
  ) throws(CheckpointError) {
    let widths = metadata.superblock.widths
    var header = try metadata.cursor(at: address, count: 16 + 6 * widths.length + widths.address)
    try header.expect("EAHD")
    try header.expect(version: 0, of: "extensible array")
    var array = try Self(&header, metadata, map)
    let block = try header.address()
    try header.verify()
    if let block { try array.takeIndexBlock(block, into: &map) }
  }

  private init(
    _ header: inout HDF5Cursor, _ metadata: HDF5Metadata, _ map: HDF5ChunkMap
  ) throws(CheckpointError) {
    self.metadata = metadata
    widths = metadata.superblock.widths
    counter = HDF5ChunkCounter(map.maxCounts)
    isFiltered = try header.byte() != 0
    elementSize = try header.byte()
    maximumBits = try header.byte()
    indexElements = try header.byte()
    smallestBlock = try header.byte()
    smallestPointers = try header.byte()
    pageBits = try header.byte()
    try header.skip(4 * widths.length)  // number and total size of secondary and data blocks
    count = try header.length()
    try header.skip(widths.length)  // number of elements allocated
    let size = widths.address + (isFiltered ? map.filteredWidth(widths) : 0)
    func isPower(_ number: Int) -> Bool { number > 0 && number & (number - 1) == 0 }
    guard elementSize == size, (1...60).contains(maximumBits), isPower(smallestBlock),
      isPower(smallestPointers), smallestPointers > 1, pageBits < 32,
      smallestBlock.trailingZeroBitCount <= maximumBits
    else { throw header.malformed("extensible array has impossible parameters") }
  }

  /// Reads the index block: elements, then data block addresses, then secondary block addresses.
  private mutating func takeIndexBlock(
    _ address: UInt64, into map: inout HDF5ChunkMap
  ) throws(CheckpointError) {
    // The index block lists the data blocks of the first `level` levels; each level after them has
    // a secondary block of its own.
    // With p pointers in the smallest secondary block, the levels before it have 1, 1, 2, 2, …,
    // p/2, p/2 data blocks: 2 (p - 1) in 2 log2(p) levels.
    let blockCount = 2 * (smallestPointers - 1)
    let level = 2 * smallestPointers.trailingZeroBitCount
    let levelCount = 1 + maximumBits - smallestBlock.trailingZeroBitCount
    let tableCount = max(levelCount - level, 0)
    let size =
      indexElements.saturated(times: elementSize)
      + (blockCount + tableCount).saturated(times: widths.address)
    var block = try metadata.cursor(at: address, count: 10 + widths.address + size)
    try block.expect("EAIB")
    try block.expect(version: 0, of: "extensible array index block")
    try block.skip(1 + widths.address)  // client ID, address of the header
    try take(indexElements, &block, into: &map)
    var blocks: [UInt64?] = []
    for _ in 0..<blockCount { blocks.append(try block.address()) }
    var tables: [UInt64?] = []
    for _ in 0..<tableCount { tables.append(try block.address()) }
    try block.verify()
    var next = 0
    // Blocks after the last element that was set need not exist, so reading stops there. These
    // blocks have no pages: a page is at least as large as they are.
    for level in 0..<min(level, levelCount) {
      for _ in 0..<blocksOf(level) where next < blockCount && passed < count {
        try takeBlock(blocks[next], elements: elementsOf(level), pages: nil, into: &map)
        next += 1
      }
    }
    for (index, table) in tables.enumerated() where passed < count {
      try takeTable(table, level: level + index, into: &map)
    }
  }

  /// Data blocks in a level, and elements in each of them.
  private func blocksOf(_ level: Int) -> Int { 1 << (level / 2) }
  private func elementsOf(_ level: Int) -> Int { smallestBlock << ((level + 1) / 2) }

  /// Reads a secondary block, which lists the data blocks of one level.
  private mutating func takeTable(
    _ address: UInt64?, level: Int, into map: inout HDF5ChunkMap
  ) throws(CheckpointError) {
    let (blockCount, elements) = (blocksOf(level), elementsOf(level))
    // Nothing was ever written here, but the elements still count for the numbers of later chunks.
    guard let address else { return skip(blockCount.saturated(times: elements)) }
    // A bit per page states whether the page was written; each data block's bits begin a new byte.
    let pageCount = elements > 1 << pageBits ? elements >> pageBits : 0
    let bitmapSize = blockCount.saturated(times: (pageCount + 7) / 8)
    let size = 10 + widths.address + (maximumBits + 7) / 8 + bitmapSize
    guard blockCount <= metadata.fileSize else {
      throw CheckpointError(
        .malformed, "extensible array has \(blockCount) blocks, more than the file has bytes")
    }
    var table = try metadata.cursor(
      at: address, count: size + blockCount.saturated(times: widths.address))
    try table.expect("EASB")
    try table.expect(version: 0, of: "extensible array secondary block")
    try table.skip(1 + widths.address + (maximumBits + 7) / 8)  // client ID, header, block offset
    let bitmap = Array(try table.bytes(bitmapSize))
    var blocks: [UInt64?] = []
    for _ in 0..<blockCount { blocks.append(try table.address()) }
    try table.verify()
    for (index, block) in blocks.enumerated() where passed < count {
      // The bitmap has room for whole bytes per data block, but libhdf5 numbers its bits without
      // gaps.
      let pages = Pages(bitmap: bitmap, first: index.saturated(times: pageCount), count: pageCount)
      try takeBlock(block, elements: elements, pages: pages, into: &map)
    }
  }

  /// The pages of a data block that were written, as bits of a secondary block's bitmap, the most
  /// significant bit of a byte first.
  private struct Pages {
    let bitmap: [UInt8]
    let first: Int
    let count: Int

    func isWritten(_ page: Int) -> Bool {
      bitmap[(first + page) / 8] & 0x80 >> UInt8((first + page) % 8) != 0
    }
  }

  /// Reads a data block, which is divided into pages if it is large.
  private mutating func takeBlock(
    _ address: UInt64?, elements: Int, pages: Pages?, into map: inout HDF5ChunkMap
  ) throws(CheckpointError) {
    guard let address else { return skip(elements) }
    let prefix = 6 + widths.address + (maximumBits + 7) / 8
    let pageCount = pages?.count ?? 0
    var block = try metadata.cursor(
      at: address, count: prefix + (pageCount > 0 ? 0 : elements.saturated(times: elementSize)) + 4)
    try block.expect("EADB")
    try block.expect(version: 0, of: "extensible array data block")
    try block.skip(prefix - 5)  // client ID, header, block offset
    guard let pages, pageCount > 0 else {
      var part = try block.part(elements.saturated(times: elementSize))
      try block.verify()
      return try take(elements, &part, into: &map)
    }
    // The prefix has a checksum of its own, and so has each page after it. Pages that were not
    // written still take up space.
    try block.verify()
    let pageSize = elementSize << pageBits
    for page in 0..<pageCount where passed < count {
      guard pages.isWritten(page) else {
        skip(1 << pageBits)
        continue
      }
      var body = try metadata.cursor(
        atOffset: block.offset + page.saturated(times: pageSize + 4), count: pageSize + 4)
      var part = try body.part(pageSize)
      try body.verify()
      try take(1 << pageBits, &part, into: &map)
    }
  }

  private mutating func skip(_ elements: Int) {
    passed += elements
    counter.skip(elements)
  }

  private mutating func take(
    _ elements: Int, _ cursor: inout HDF5Cursor, into map: inout HDF5ChunkMap
  ) throws(CheckpointError) {
    passed += elements
    for _ in 0..<elements {
      try map.take(counter.next(), &cursor, isFiltered: isFiltered, widths: widths)
    }
  }
}
