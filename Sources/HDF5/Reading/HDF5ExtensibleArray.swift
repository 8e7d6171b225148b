import TensorCore

/// The chunk index of a dataset that may grow in one dimension: blocks of growing size.
///
/// Source: HDF5 File Format Specification 3.0, section VII.D "The Extensible Array Index".
struct HDF5ExtensibleArray {
  private let metadata: HDF5Metadata
  private let widths: HDF5Superblock.Widths
  private let isFiltered: Bool
  private let elementSize: Int
  private let maximumBits: Int
  private let indexElements: Int
  private let smallestBlock: Int
  private let smallestPointers: Int
  private let pageBits: Int
  /// Elements that were set; none is behind them.
  private let count: Int
  private var counter: HDF5ChunkCounter
  /// Elements before the block that is read next.
  private var passed = 0

  /// Adds the chunks of an array to the map.
  static func read(
    _ address: UInt64, in metadata: HDF5Metadata, into map: inout HDF5ChunkMap
  ) throws(CheckpointError) {
    let widths = metadata.superblock.widths
    let origin = try metadata.cursor(at: address, count: 16 + 6 * widths.length + widths.address)
    var header = origin
    try header.expect("EAHD")
    try header.expect(version: 0, of: "extensible array")
    var array = try Self(&header, metadata, map)
    let block = try header.address()
    try header.verify(from: origin)
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
    try header.skip(4 * widths.length)  // numbers and sizes of blocks
    count = try header.length()
    try header.skip(widths.length)  // elements there is room for
    let size = widths.address + (isFiltered ? map.filteredWidth(widths) : 0)
    func isPower(_ number: Int) -> Bool { number > 0 && number & (number - 1) == 0 }
    guard elementSize == size, (1...60).contains(maximumBits), isPower(smallestBlock),
      isPower(smallestPointers), smallestPointers > 1, pageBits < 32,
      smallestBlock.trailingZeroBitCount <= maximumBits
    else { throw header.malformed("extensible array of impossible measures") }
  }

  private mutating func takeIndexBlock(
    _ address: UInt64, into map: inout HDF5ChunkMap
  ) throws(CheckpointError) {
    let blockCount = 2 * (smallestPointers - 1)
    let level = 2 * smallestPointers.trailingZeroBitCount
    let levelCount = 1 + maximumBits - smallestBlock.trailingZeroBitCount
    let tableCount = max(levelCount - level, 0)
    let size = indexElements * elementSize + (blockCount + tableCount) * widths.address
    let origin = try metadata.cursor(at: address, count: 10 + widths.address + size)
    var block = origin
    try block.expect("EAIB")
    try block.expect(version: 0, of: "extensible array's block")
    try block.skip(1 + widths.address)
    try take(indexElements, &block, into: &map)
    var blocks: [UInt64?] = []
    for _ in 0..<blockCount { blocks.append(try block.address()) }
    var tables: [UInt64?] = []
    for _ in 0..<tableCount { tables.append(try block.address()) }
    try block.verify(from: origin)
    var next = 0
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

  /// Blocks of a level, and elements in each.
  private func blocksOf(_ level: Int) -> Int { 1 << (level / 2) }
  private func elementsOf(_ level: Int) -> Int { smallestBlock << ((level + 1) / 2) }

  /// Blocks listed in a table of their own.
  private mutating func takeTable(
    _ address: UInt64?, level: Int, into map: inout HDF5ChunkMap
  ) throws(CheckpointError) {
    let (blockCount, elements) = (blocksOf(level), elementsOf(level))
    guard let address else { return skip(blockCount * elements) }
    let pageCount = elements > 1 << pageBits ? elements >> pageBits : 0
    let bitmapSize = blockCount * ((pageCount + 7) / 8)
    let size = 10 + widths.address + (maximumBits + 7) / 8 + bitmapSize
    guard blockCount <= metadata.fileSize else {
      throw CheckpointError(.malformed, "extensible array of \(blockCount) blocks")
    }
    let origin = try metadata.cursor(at: address, count: size + blockCount * widths.address)
    var table = origin
    try table.expect("EASB")
    try table.expect(version: 0, of: "extensible array's table")
    try table.skip(1 + widths.address + (maximumBits + 7) / 8)
    let bitmap = Array(try table.bytes(bitmapSize))
    var blocks: [UInt64?] = []
    for _ in 0..<blockCount { blocks.append(try table.address()) }
    try table.verify(from: origin)
    for (index, block) in blocks.enumerated() where passed < count {
      let pages = Pages(bitmap: bitmap, first: index * pageCount, count: pageCount)
      try takeBlock(block, elements: elements, pages: pages, into: &map)
    }
  }

  /// Which pages of a block were written: bits of a table, the highest of a byte first.
  private struct Pages {
    let bitmap: [UInt8]
    let first: Int
    let count: Int

    func isWritten(_ page: Int) -> Bool {
      bitmap[(first + page) / 8] & 0x80 >> UInt8((first + page) % 8) != 0
    }
  }

  /// A block of elements, in pages if it is large.
  private mutating func takeBlock(
    _ address: UInt64?, elements: Int, pages: Pages?, into map: inout HDF5ChunkMap
  ) throws(CheckpointError) {
    guard let address else { return skip(elements) }
    let prefix = 6 + widths.address + (maximumBits + 7) / 8
    let pageCount = pages?.count ?? 0
    let origin = try metadata.cursor(
      at: address, count: prefix + (pageCount > 0 ? 0 : elements * elementSize) + 4)
    var block = origin
    try block.expect("EADB")
    try block.expect(version: 0, of: "extensible array's block")
    try block.skip(prefix - 5)
    guard let pages, pageCount > 0 else {
      var part = try block.part(elements * elementSize)
      try block.verify(from: origin)
      return try take(elements, &part, into: &map)
    }
    try block.verify(from: origin)
    let pageSize = elementSize << pageBits
    for page in 0..<pageCount where passed < count {
      guard pages.isWritten(page) else {
        skip(1 << pageBits)
        continue
      }
      let origin = try metadata.cursor(
        atOffset: block.offset + page * (pageSize + 4), count: pageSize + 4)
      var body = origin
      var part = try body.part(pageSize)
      try body.verify(from: origin)
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
