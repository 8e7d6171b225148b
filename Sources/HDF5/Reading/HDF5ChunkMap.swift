import TensorCore

/// Where the chunks of a dataset are in the file.
struct HDF5ChunkMap: Sendable {
  /// A chunk as the file has it.
  struct Chunk: Sendable {
    /// Its number, row by row.
    let number: Int
    let address: UInt64
    /// Bytes in the file.
    let size: Int
    /// Bit i is set if it did not go through filter i.
    let mask: UInt32
  }

  private let shape: [Int]
  private let chunks: HDF5Table.Chunks
  /// Chunks along each dimension of the dataset, and of the largest that it may become.
  private let counts: [Int]
  let maxCounts: [Int?]
  /// Bytes of a chunk in memory.
  let chunkSize: Int
  /// Those that were written, by number.
  private var written: [Chunk] = []
  /// Address of the first of chunks that follow each other without an index.
  private var implicitStart: UInt64?

  private init(_ dataset: HDF5Table.Dataset, _ chunks: HDF5Table.Chunks) {
    self.chunks = chunks
    shape = dataset.info.shape
    counts = zip(shape, chunks.shape).map { ($0 - 1) / $1 + 1 }
    maxCounts = zip(chunks.largest, chunks.shape).map { limit, size in
      limit.map { ($0 - 1) / size + 1 }
    }
    chunkSize = chunks.shape.reduce(dataset.info.dtype.byteWidth, *)
  }

  /// Reads the index of a dataset that has elements.
  static func read(
    _ dataset: HDF5Table.Dataset, _ chunks: HDF5Table.Chunks, in metadata: HDF5Metadata
  ) throws(CheckpointError) -> HDF5ChunkMap {
    var map = Self(dataset, chunks)
    switch chunks.index {
    case .none: break
    case .tree1(let address):
      try HDF5ChunkTree(rank: map.shape.count, metadata).visit(address, level: nil, into: &map)
    case .single(let address, let size, let mask):
      try map.add(
        [Int](repeating: 0, count: map.shape.count), address, size: size ?? map.chunkSize,
        mask: UInt32(truncatingIfNeeded: mask))
    case .implicit(let address): map.implicitStart = address
    case .fixedArray(let address): try HDF5FixedArray.read(address, in: metadata, into: &map)
    case .extensibleArray(let address):
      try HDF5ExtensibleArray.read(address, in: metadata, into: &map)
    case .tree2(let address): try map.addRecords(address, in: metadata)
    }
    try map.arrange()
    return map
  }

  /// The chunk whose first element is at `origin`; `nil` if it was never written.
  func chunk(at origin: [Int]) throws(CheckpointError) -> Chunk? {
    var number = 0
    for dimension in shape.indices {
      number = number * counts[dimension] + origin[dimension] / chunks.shape[dimension]
    }
    if let implicitStart { return try implicit(number, at: origin, from: implicitStart) }
    var (low, high) = (0, written.count)
    while low < high {
      let middle = (low + high) / 2
      if written[middle].number < number { low = middle + 1 } else { high = middle }
    }
    guard low < written.count, written[low].number == number else { return nil }
    return written[low]
  }

  private func implicit(
    _ number: Int, at origin: [Int], from start: UInt64
  ) throws(CheckpointError) -> Chunk {
    // Numbered as if the dataset had its largest shape.
    var (place, overflow) = (0, false)
    for dimension in shape.indices {
      let (product, tooLarge) = place.multipliedReportingOverflow(
        by: maxCounts[dimension] ?? counts[dimension])
      let (sum, stillLarger) = product.addingReportingOverflow(
        origin[dimension] / chunks.shape[dimension])
      (place, overflow) = (sum, overflow || tooLarge || stillLarger)
    }
    let (distance, tooFar) = UInt64(max(place, 0)).multipliedReportingOverflow(
      by: UInt64(chunkSize))
    let (address, tooHigh) = start.addingReportingOverflow(distance)
    guard !overflow, !tooFar, !tooHigh else {
      throw CheckpointError(.malformed, "chunk at \(origin) lies outside the file")
    }
    return Chunk(number: number, address: address, size: chunkSize, mask: .max)
  }

  // MARK: - Reading indexes

  /// Bytes of size and mask of a filtered chunk in an index.
  func filteredWidth(_ widths: HDF5Superblock.Widths) -> Int {
    (chunks.sizeWidth ?? widths.length) + 4
  }

  /// Takes a chunk as most indexes list them: address, and if it is filtered size and mask.
  mutating func take(
    _ place: [Int]?, _ element: inout HDF5Cursor, isFiltered: Bool, widths: HDF5Superblock.Widths
  ) throws(CheckpointError) {
    let address = try element.address()
    var (size, mask) = (chunkSize, UInt32(0))
    if isFiltered {
      size = try element.integer(chunks.sizeWidth ?? widths.length)
      mask = UInt32(truncatingIfNeeded: try element.unsigned(4))
    }
    if let address, let place { try add(place, address, size: size, mask: mask) }
  }

  /// Adds a chunk at a place counted in chunks; what lies outside the dataset is left out.
  mutating func add(
    _ place: [Int], _ address: UInt64, size: Int, mask: UInt32
  ) throws(CheckpointError) {
    guard place.count == counts.count else {
      throw CheckpointError(.malformed, "chunk index of another rank")
    }
    var number = 0
    var edge = false
    for dimension in counts.indices {
      guard place[dimension] < counts[dimension] else { return }
      number = number * counts[dimension] + place[dimension]
      edge =
        edge
        || (place[dimension] == counts[dimension] - 1
          && shape[dimension] % chunks.shape[dimension] != 0)
    }
    written.append(
      Chunk(
        number: number, address: address, size: size,
        mask: chunks.sparesEdges && edge ? .max : mask))
  }

  /// Adds a chunk whose first element is at `origin`.
  mutating func add(
    origin: [Int], _ address: UInt64, size: Int, mask: UInt32
  ) throws(CheckpointError) {
    var place = origin
    for dimension in origin.indices {
      let (quotient, rest) = origin[dimension].quotientAndRemainder(
        dividingBy: chunks.shape[dimension])
      guard rest == 0 else {
        throw CheckpointError(.malformed, "a chunk begins at \(origin), between chunks")
      }
      place[dimension] = quotient
    }
    try add(place, address, size: size, mask: mask)
  }

  /// Records of a B-tree of version 2: address, if filtered size and mask, place.
  private mutating func addRecords(
    _ address: UInt64, in metadata: HDF5Metadata
  ) throws(CheckpointError) {
    let tree = try HDF5RecordTree(address, in: metadata)
    guard tree.type == 10 || tree.type == 11 else {
      throw CheckpointError(.malformed, "chunks in a B-tree of type \(tree.type)")
    }
    var map = self
    let (rank, widths) = (shape.count, metadata.superblock.widths)
    try tree.forEach(in: metadata) { record throws(CheckpointError) in
      var record = record
      var places = record
      try places.skip(record.remaining - 8 * rank)
      var place: [Int] = []
      for _ in 0..<rank { place.append(try places.integer(8)) }
      try map.take(place, &record, isFiltered: tree.type == 11, widths: widths)
    }
    self = map
  }

  /// Puts the chunks in order; no two may have one place.
  private mutating func arrange() throws(CheckpointError) {
    var isOrdered = true
    for index in written.indices.dropFirst()
    where written[index - 1].number >= written[index].number {
      isOrdered = false
      break
    }
    if isOrdered { return }
    written.sort { $0.number < $1.number }
    for index in written.indices.dropFirst()
    where written[index - 1].number == written[index].number {
      throw CheckpointError(.malformed, "chunk \(written[index].number) is there twice")
    }
  }
}
