import TensorCore

/// The chunks of a dataset, found by their position: any of the indexes, read into one sorted array.
///
/// A chunk's number counts the chunks of the dataset in row-major order.
struct HDF5ChunkMap: Sendable {
  /// One entry of the index.
  struct Chunk: Sendable {
    /// Number of the chunk in row-major order.
    let number: Int
    /// Address in the file, relative to the superblock.
    let address: UInt64
    /// Size in the file, in bytes.
    let size: Int
    /// Filter mask: bit i is set if filter i was skipped for this chunk.
    let mask: UInt32
  }

  private let shape: Shape
  /// Dimensions that the file counts: those inside an element are none of them.
  private let rank: Int
  private let chunks: HDF5Table.Chunks
  /// Chunks along each dimension of the dataset's current shape, and of its maximum shape (`nil` for
  /// no limit).
  private let counts: [Int]
  let maxCounts: [Int?]
  /// Size in memory of a chunk, in bytes.
  let chunkSize: Int
  /// The chunks that were written, sorted by number.
  private var written: [Chunk] = []
  /// Address of the first chunk of an implicit index (VII.B).
  private var implicitStart: UInt64?

  private init(_ dataset: HDF5Table.Dataset, _ chunks: HDF5Table.Chunks) {
    self.chunks = chunks
    shape = dataset.info.shape
    rank = shape.count - dataset.innerRank
    // (n - 1) / c + 1 rounds up, like (n + c - 1) / c, but cannot overflow. No size is 0 here.
    counts = zip(shape, chunks.shape).map { ($0 - 1) / $1 + 1 }
    maxCounts = zip(chunks.maxSizes, chunks.shape).map { limit, size in
      limit.map { ($0 - 1) / size + 1 }
    }
    chunkSize = chunks.shape.elementCount.saturated(times: dataset.info.dtype.byteWidth)
  }

  /// Reads the chunk index of a dataset, which must not be empty.
  static func read(
    _ dataset: HDF5Table.Dataset, _ chunks: HDF5Table.Chunks, in metadata: HDF5Metadata
  ) throws(CheckpointError) -> HDF5ChunkMap {
    var map = Self(dataset, chunks)
    switch chunks.index {
    case .none: break
    case .tree1(let address):
      try HDF5ChunkTree(rank: map.rank, metadata).visit(address, level: nil, into: &map)
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
    let index = written.partitioningIndex { $0.number >= number }
    guard index < written.count, written[index].number == number else { return nil }
    return written[index]
  }

  private func implicit(
    _ number: Int, at origin: [Int], from start: UInt64
  ) throws(CheckpointError) -> Chunk {
    // An implicit index (VII.B) numbers chunks as if the dataset had its maximum shape, and stores
    // them in this order.
    var (position, overflow) = (0, false)
    for dimension in shape.indices {
      let (product, tooLarge) = position.multipliedReportingOverflow(
        by: maxCounts[dimension] ?? counts[dimension])
      let (sum, stillLarger) = product.addingReportingOverflow(
        origin[dimension] / chunks.shape[dimension])
      (position, overflow) = (sum, overflow || tooLarge || stillLarger)
    }
    let (distance, tooFar) = UInt64(max(position, 0)).multipliedReportingOverflow(
      by: UInt64(chunkSize))
    let (address, tooHigh) = start.addingReportingOverflow(distance)
    guard !overflow, !tooFar, !tooHigh else {
      throw CheckpointError(.malformed, "chunk at \(origin) is outside the file")
    }
    // Chunks of an implicit index never pass through filters.
    return Chunk(number: number, address: address, size: chunkSize, mask: .max)
  }

  // MARK: - Reading indexes

  /// Bytes that size and filter mask of a filtered chunk take in an index element.
  func filteredWidth(_ widths: HDF5Superblock.Widths) -> Int {
    (chunks.sizeWidth ?? widths.length) + 4
  }

  /// Reads an element as most indexes store it (VII.C to VII.E): the chunk's address and, if chunks
  /// are filtered, size and filter mask.
  ///
  /// An undefined address stands for a chunk that was never written.
  mutating func take(
    _ position: [Int]?, _ element: inout HDF5Cursor, isFiltered: Bool, widths: HDF5Superblock.Widths
  ) throws(CheckpointError) {
    let address = try element.address()
    var (size, mask) = (chunkSize, UInt32(0))
    if isFiltered {
      size = try element.integer(chunks.sizeWidth ?? widths.length)
      mask = UInt32(truncatingIfNeeded: try element.unsigned(4))
    }
    if let address, let position { try add(position, address, size: size, mask: mask) }
  }

  /// Adds a chunk at a position counted in chunks; one outside the dataset's shape is ignored (the
  /// dataset may have shrunk).
  mutating func add(
    _ position: [Int], _ address: UInt64, size: Int, mask: UInt32
  ) throws(CheckpointError) {
    var position = position
    // A chunk holds whole elements.
    if position.count == rank {
      position += [Int](repeating: 0, count: counts.count - rank)
    }
    guard position.count == counts.count else {
      throw CheckpointError(
        .malformed,
        "chunk index: expected \(counts.count) dimensions, found \(position.count)")
    }
    var number = 0
    var edge = false
    for dimension in counts.indices {
      guard position[dimension] < counts[dimension] else { return }
      number = number * counts[dimension] + position[dimension]
      // A partial chunk extends beyond the edge of the dataset.
      edge =
        edge
        || (position[dimension] == counts[dimension] - 1
          && shape[dimension] % chunks.shape[dimension] != 0)
    }
    // If partial chunks are spared the filters (flag of the layout message), no mask in the index
    // says so.
    written.append(
      Chunk(
        number: number, address: address, size: size,
        mask: chunks.sparesEdges && edge ? .max : mask))
  }

  /// Adds a chunk whose first element is at `origin`.
  mutating func add(
    origin: [Int], _ address: UInt64, size: Int, mask: UInt32
  ) throws(CheckpointError) {
    var position = origin
    for dimension in origin.indices {
      let (quotient, rest) = origin[dimension].quotientAndRemainder(
        dividingBy: chunks.shape[dimension])
      guard rest == 0 else {
        throw CheckpointError(
          .malformed, "chunk at \(origin) does not begin at a multiple of \(chunks.shape)")
      }
      position[dimension] = quotient
    }
    try add(position, address, size: size, mask: mask)
  }

  /// Adds the records of a version 2 B-tree (III.A.2): type 10 holds address and position of an
  /// unfiltered chunk, type 11 has size and filter mask between them.
  private mutating func addRecords(
    _ address: UInt64, in metadata: HDF5Metadata
  ) throws(CheckpointError) {
    let tree = try HDF5RecordTree(address, in: metadata)
    guard tree.type == 10 || tree.type == 11 else {
      throw CheckpointError(
        .malformed, "chunk index: expected a B-tree of type 10 or 11, found type \(tree.type)")
    }
    var map = self
    let (rank, widths) = (rank, metadata.superblock.widths)
    try tree.forEach(in: metadata) { record throws(CheckpointError) in
      var record = record
      // The position comes last: one 8-byte number per dimension, counted in chunks.
      var end = record
      try end.skip(record.remaining - 8 * rank)
      var position: [Int] = []
      for _ in 0..<rank { position.append(try end.integer(8)) }
      try map.take(position, &record, isFiltered: tree.type == 11, widths: widths)
    }
    self = map
  }

  /// Sorts the chunks by number, which must be unique.
  private mutating func arrange() throws(CheckpointError) {
    // Most indexes are in order already.
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
      // Two readers could choose different bytes for it.
      throw CheckpointError(.malformed, "chunk \(written[index].number) is listed twice")
    }
  }
}
