import TensorCore

/// The chunk index of a dataset of fixed size: one array of places.
///
/// Source: HDF5 File Format Specification 3.0, section VII.C "The Fixed Array Index".
enum HDF5FixedArray {
  /// Adds the chunks of an array to the map.
  static func read(
    _ address: UInt64, in metadata: HDF5Metadata, into map: inout HDF5ChunkMap
  ) throws(CheckpointError) {
    let widths = metadata.superblock.widths
    let origin = try metadata.cursor(at: address, count: 12 + widths.length + widths.address)
    var header = origin
    try header.expect("FAHD")
    try header.expect(version: 0, of: "fixed array")
    let isFiltered = try header.byte() != 0
    let elementSize = try header.byte()
    let pageBits = try header.byte()
    let count = try header.length()
    guard let block = try header.address() else { return }
    try header.verify(from: origin)
    let size = widths.address + (isFiltered ? map.filteredWidth(widths) : 0)
    guard elementSize == size, pageBits < 32, count <= metadata.fileSize else {
      throw origin.malformed(
        "fixed array of \(count) elements of \(elementSize) bytes, \(size) are required")
    }
    let pageCount = count > 1 << pageBits ? (count + (1 << pageBits) - 1) >> pageBits : 0
    let prefix = 6 + widths.address + (pageCount + 7) / 8
    let start = try metadata.cursor(
      at: block, count: prefix + (pageCount == 0 ? count * size : 0) + 4)
    var body = start
    try body.expect("FADB")
    try body.expect(version: 0, of: "fixed array's block")
    try body.skip(1 + widths.address)
    let pages = Array(try body.bytes((pageCount + 7) / 8))
    var counter = HDF5ChunkCounter(map.maxCounts)
    if pageCount == 0 {
      var elements = try body.part(count * size)
      try body.verify(from: start)
      for _ in 0..<count {
        try map.take(counter.next(), &elements, isFiltered: isFiltered, widths: widths)
      }
      return
    }
    try body.verify(from: start)
    for page in 0..<pageCount {
      let elementCount = min(1 << pageBits, count - page << pageBits)
      guard pages[page / 8] & 0x80 >> UInt8(page % 8) != 0 else {
        counter.skip(elementCount)
        continue
      }
      let start = try metadata.cursor(
        atOffset: body.offset + page * (size << pageBits + 4), count: elementCount * size + 4)
      var body = start
      var elements = try body.part(elementCount * size)
      try body.verify(from: start)
      for _ in 0..<elementCount {
        try map.take(counter.next(), &elements, isFiltered: isFiltered, widths: widths)
      }
    }
  }
}

/// Counts places of chunks row by row, as arrays of chunks are in order.
struct HDF5ChunkCounter {
  /// Chunks along each dimension; `nil` for a first dimension without limit.
  private let counts: [Int?]
  /// The dimension that is counted slowest.
  private let slowest: Int
  private var number = 0

  /// Counts through `counts` chunks a dimension; the dimension without limit is the slowest.
  init(_ counts: [Int?]) {
    self.counts = counts
    slowest = counts.firstIndex { $0 == nil } ?? 0
  }

  /// Passes by so many chunks.
  mutating func skip(_ count: Int) { number += count }

  /// The place of the next chunk; `nil` behind the last one.
  mutating func next() -> [Int]? {
    var rest = number
    number += 1
    var place = [Int](repeating: 0, count: counts.count)
    for dimension in counts.indices.reversed() where dimension != slowest {
      let count = counts[dimension] ?? 1
      guard count > 0 else { return nil }
      place[dimension] = rest % count
      rest /= count
    }
    if !place.isEmpty { place[slowest] = rest }
    return place
  }
}
