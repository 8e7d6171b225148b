import TensorCore

/// The sources of a virtual dataset.
///
/// Source: HDF5 File Format Specification 3.0, sections IV.A.2.i "Virtual Storage Property
/// Description", VII "Global Heap Block for Virtual Datasets", and "Dataspace Selection" of IV.A.2.
struct HDF5VirtualLayout {
  /// One mapping: where its elements are, and which elements of the virtual dataset they are.
  struct Mapping {
    let file: String
    let dataset: String
    let source: Selection
    let target: Selection
  }

  /// A selection of elements; `nil` for kinds that are not read.
  enum Selection {
    case none
    case all
    case slabs([HDF5Runs.Slab])
    case other
  }

  private(set) var mappings: [Mapping] = []

  /// Reads the mappings, given the object of the global heap that holds them.
  init(_ object: HDF5Cursor, in metadata: HDF5Metadata) throws(CheckpointError) {
    var body = object
    let version = try body.byte()
    guard version <= 1 else {
      throw body.unsupported("virtual dataset: expected version 0 or 1, found \(version)")
    }
    let count = try body.length()
    for _ in 0..<count {
      try metadata.chargeObject()
      let flags = version == 0 ? [] : Flags(rawValue: try body.byte())
      let file =
        flags.contains(.sameFile)
        ? "." : try name(&body, flags.contains(.sharesFile), \.file)
      let dataset = try name(&body, flags.contains(.sharesDataset), \.dataset)
      let source = try Self.selection(&body)
      mappings.append(
        Mapping(file: file, dataset: dataset, source: source, target: try Self.selection(&body)))
    }
    try body.verify()
  }

  /// What a mapping of version 1 leaves out: HDF5 2.0, `H5Dvirtual.c`, as h5py 3.16 writes it.
  private struct Flags: OptionSet {
    let rawValue: Int
    /// The name of the file is that of an earlier mapping, whose index is there instead.
    static let sharesFile = Flags(rawValue: 1)
    /// The same of the dataset.
    static let sharesDataset = Flags(rawValue: 2)
    /// The source is in the same file, and the name of the file is not there.
    static let sameFile = Flags(rawValue: 4)
  }

  /// A name, or that of an earlier mapping whose index is there.
  private func name(
    _ body: inout HDF5Cursor, _ isShared: Bool, _ part: KeyPath<Mapping, String>
  ) throws(CheckpointError) -> String {
    guard isShared else { return String(decoding: try body.terminated(), as: UTF8.self) }
    let index = try body.length()
    guard index < mappings.count else {
      throw body.malformed("virtual dataset: mapping \(mappings.count) refers to mapping \(index)")
    }
    return mappings[index][keyPath: part]
  }

  private static func selection(
    _ body: inout HDF5Cursor
  ) throws(CheckpointError) -> Selection {
    let kind = try body.integer(4)
    let version = try body.integer(4)
    switch kind {
    case 0, 3:
      try body.skip(8)
      return kind == 0 ? .none : .all
    case 1:
      guard version == 1 else {
        throw body.unsupported("selection of points: expected version 1, found \(version)")
      }
      try body.skip(4)
      try body.skip(try body.integer(4))
      return .other
    case 2: return try hyperslab(&body, version)
    default: throw body.malformed("selection of unknown kind \(kind)")
    }
  }

  private static func hyperslab(
    _ body: inout HDF5Cursor, _ version: Int
  ) throws(CheckpointError) -> Selection {
    var width = version == 1 ? 4 : 8
    var isRegular = false
    switch version {
    case 1: try body.skip(8)  // reserved, length
    case 2:
      isRegular = try body.byte() & 1 != 0
      try body.skip(4)  // length
    case 3:
      isRegular = try body.byte() & 1 != 0
      width = try body.byte()
      guard [2, 4, 8].contains(width) else {
        throw body.malformed("selection: expected numbers of 2, 4, or 8 bytes, found \(width)")
      }
    default: throw body.unsupported("selection: expected version 1 to 3, found \(version)")
    }
    let rank = try body.integer(4)
    guard (1...HDF5Space.maximumRank).contains(rank) else {
      throw body.malformed("selection has \(rank) dimensions")
    }
    if isRegular { return try regular(&body, rank: rank, width: width) }
    let count = try body.integer(width)
    guard count <= body.remaining / (2 * rank * width) else {
      throw body.malformed("selection of \(count) blocks, which exceed the end of the list")
    }
    // There may be a block for each element, so none is kept. The library writes them in row-major
    // order; they are a grid if each is in it, they ascend, and they are as many as it has.
    var grid: [GridAxis] = []
    var isGrid = true
    var (starts, previous) = ([Int](repeating: 0, count: rank), [Int]())
    for _ in 0..<count {
      for dimension in 0..<rank { starts[dimension] = try body.integer(width) }
      isGrid = isGrid && previous.lexicographicallyPrecedes(starts)
      for dimension in 0..<rank {
        let last = try body.integer(width)
        guard last >= starts[dimension], last < Int.max else {
          throw body.malformed("selection: a block ends before it begins")
        }
        let block = starts[dimension]..<last + 1
        if grid.count == dimension { grid.append(GridAxis(first: block)) }
        isGrid = isGrid && grid[dimension].add(block)
      }
      previous = starts
    }
    if count == 0 { return .none }
    let combined = grid.reduce(1) { $0.saturated(times: $1.count) }
    return isGrid && combined == count ? .slabs(grid.map(\.slab)) : .other
  }

  /// Blocks of one size at one distance along a dimension.
  private struct GridAxis {
    let first: Range<Int>
    private var stride: Int?
    private(set) var count = 1

    init(first: Range<Int>) { self.first = first }

    /// Adds a block; false if it is not of the size or not at a multiple of the distance, which the
    /// first block after the first one sets.
    mutating func add(_ block: Range<Int>) -> Bool {
      let distance = block.lowerBound - first.lowerBound
      guard block.count == first.count, distance >= 0 else { return false }
      if distance == 0 { return true }
      let stride = stride ?? distance
      self.stride = stride
      count = max(count, distance / stride + 1)
      return distance % stride == 0
    }

    var slab: HDF5Runs.Slab {
      .init(
        start: first.lowerBound, stride: stride ?? first.count, count: count, block: first.count)
    }
  }

  /// Start, stride, count, and size of the blocks along each dimension; all bits of a count or a size
  /// mean unlimited.
  private static func regular(
    _ body: inout HDF5Cursor, rank: Int, width: Int
  ) throws(CheckpointError) -> Selection {
    var slabs: [HDF5Runs.Slab] = []
    var isLimited = true
    for _ in 0..<rank {
      var numbers: [Int] = []
      for _ in 0..<4 {
        let number = try body.unsigned(width)
        if number == UInt64.max >> UInt64(64 - 8 * width) { isLimited = false }
        numbers.append(Int(clamping: number))
      }
      slabs.append(
        .init(start: numbers[0], stride: numbers[1], count: numbers[2], block: numbers[3]))
    }
    return isLimited ? .slabs(slabs) : .other
  }
}

extension HDF5VirtualLayout.Selection {
  /// The selected elements of a dataset; `nil` where the selection is not read or not inside.
  func runs(of shape: Shape) -> HDF5Runs? {
    let slabs: [HDF5Runs.Slab]
    switch self {
    case .all: slabs = shape.map { .init(start: 0, stride: 1, count: 1, block: $0) }
    case .slabs(let given) where given.count == shape.count: slabs = given
    case .none, .slabs, .other: return nil
    }
    guard zip(slabs, shape).allSatisfy({ $0.isInside($1) }) else { return nil }
    return HDF5Runs(slabs, of: shape)
  }
}
