import TensorCore

/// The chunk index of a dataset of fixed maximum shape: one array with an element per chunk.
///
/// A header (`FAHD`) leads to the data block (`FADB`). A block of more than 2^pageBits elements is
/// divided into pages of that many, each followed by a checksum; a bitmap tells which were written.
///
/// Source: HDF5 File Format Specification 3.0, section VII.C "The Fixed Array Index".
enum HDF5FixedArray {
  /// Adds the chunks of an array to the map.
  static func read(
    _ address: UInt64, in metadata: HDF5Metadata, into map: inout HDF5ChunkMap
  ) throws(CheckpointError) {
    let widths = metadata.superblock.widths
    var header = try metadata.cursor(at: address, count: 12 + widths.length + widths.address)
    try header.expect("FAHD")
    try header.expect(version: 0, of: "fixed array")
    // The client ID: 1 for filtered chunks, whose elements also have a size and a filter mask.
    let isFiltered = try header.byte() != 0
    let elementSize = try header.byte()
    let pageBits = try header.byte()
    let count = try header.length()
    guard let block = try header.address() else { return }
    try header.verify()
    let size = widths.address + (isFiltered ? map.filteredWidth(widths) : 0)
    guard elementSize == size, pageBits < 32, count <= metadata.fileSize else {
      throw header.rewound.malformed(
        "fixed array: expected elements of \(size) bytes, found \(count) of \(elementSize)")
    }
    let chunkCount = map.maxCounts.reduce(1) { $0.saturated(times: $1 ?? 1) }
    guard count == chunkCount else {
      throw header.rewound.malformed("fixed array: expected \(chunkCount) elements, found \(count)")
    }
    // No pages at all means that the elements follow the prefix directly.
    let pageCount = count > 1 << pageBits ? (count + (1 << pageBits) - 1) >> pageBits : 0
    // Signature, version, and client ID, the address of the header, and the bitmap.
    let prefix = 6 + widths.address + (pageCount + 7) / 8
    var body = try metadata.cursor(
      at: block, count: prefix + (pageCount == 0 ? count.saturated(times: size) : 0) + 4)
    try body.expect("FADB")
    try body.expect(version: 0, of: "fixed array data block")
    try body.skip(1 + widths.address)  // client ID, address of the header
    let pages = Array(try body.bytes((pageCount + 7) / 8))
    var counter = HDF5ChunkCounter(map.maxCounts)
    if pageCount == 0 {
      var elements = try body.part(count.saturated(times: size))
      try body.verify()
      for _ in 0..<count {
        try map.take(counter.next(), &elements, isFiltered: isFiltered, widths: widths)
      }
      return
    }
    // All pages but the last have the full size, written or not, so each is at a known offset.
    try body.verify()
    for page in 0..<pageCount {
      // In Swift, `<<` binds tighter than `-`.
      let elementCount = min(1 << pageBits, count - page << pageBits)
      // The bitmap's first page is the most significant bit.
      guard pages[page / 8] & 0x80 >> UInt8(page % 8) != 0 else {
        counter.skip(elementCount)
        continue
      }
      var body = try metadata.cursor(
        atOffset: body.offset + page.saturated(times: (size << pageBits) + 4),
        count: elementCount.saturated(times: size) + 4)
      var elements = try body.part(elementCount.saturated(times: size))
      try body.verify()
      for _ in 0..<elementCount {
        try map.take(counter.next(), &elements, isFiltered: isFiltered, widths: widths)
      }
    }
  }
}

/// Enumerates the positions of chunks in the order of array indexes: row-major, but with the
/// unlimited dimension outermost.
struct HDF5ChunkCounter {
  /// Chunks along each dimension; `nil` for the unlimited one.
  private let counts: [Int?]
  /// The dimension that varies slowest.
  private let slowest: Int
  private var number = 0

  /// Creates a counter for a dataset with this maximum number of chunks along each dimension.
  init(_ counts: [Int?]) {
    self.counts = counts
    // Without an unlimited dimension the first is the slowest: plain row-major order.
    slowest = counts.firstIndex { $0 == nil } ?? 0
  }

  /// Skips this many chunks.
  mutating func skip(_ count: Int) { number += count }

  /// The position of the next chunk, counted in chunks; `nil` if there are no chunks.
  mutating func next() -> [Int]? {
    var rest = number
    number += 1
    var position = [Int](repeating: 0, count: counts.count)
    for dimension in counts.indices.reversed() where dimension != slowest {
      let count = counts[dimension] ?? 1
      guard count > 0 else { return nil }
      position[dimension] = rest % count
      rest /= count
    }
    // What is left belongs to the slowest dimension, which needs no size.
    if !position.isEmpty { position[slowest] = rest }
    return position
  }
}
