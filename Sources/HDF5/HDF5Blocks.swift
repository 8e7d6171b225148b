package import TensorCore

/// A tensor cut into blocks, each a box of elements that is also one run of bytes.
///
/// A block spans one index of every dimension before `axis`, some rows of `axis`, and all of the
/// dimensions after it. Blocks are numbered in row-major order, so block after block is the tensor
/// from its first byte to its last.
package struct HDF5Blocks: Sendable, Hashable {
  package let shape: Shape
  /// The dimension that is cut; 0 for a scalar, which is one block.
  package let axis: Int
  /// Rows of `axis` in a block; the last block of each run may have fewer.
  package let rows: Int
  private let rowBytes: Int

  /// Cuts a tensor for writing: blocks of at most `target` bytes and of nearly equal size.
  package init(_ info: TensorInfo, target: Int) {
    self.init(
      info, chunk: [Int](repeating: 1, count: info.shape.count), target: target, limit: target,
      isEven: true)
  }

  /// Cuts a dataset for reading, so that a block holds whole chunks where there are chunks.
  package init(_ dataset: HDF5Table.Dataset) {
    let chunk: [Int]
    switch dataset.storage {
    case .chunks(let chunks): chunk = chunks.shape.sizes
    case .library(let shape): chunk = shape
    case .plain, .unwritten, .virtual, .refused:
      chunk = [Int](repeating: 1, count: dataset.info.shape.count)
    }
    self.init(dataset.info, chunk: chunk, target: Self.readingTarget, limit: Self.readingLimit)
  }

  /// Cuts an existing dataset for writing: a chunk that is written in parts would be unpacked and
  /// packed again for each, so a block holds whole chunks if one of them has the limit's size.
  package init(filling dataset: HDF5Table.Dataset) {
    guard case .chunked(let chunk) = dataset.layout,
      let size = dataset.chunkSize
    else {
      self.init(dataset)
      return
    }
    self.init(
      dataset.info, chunk: chunk, target: Self.readingTarget, limit: max(Self.readingLimit, size))
  }

  /// Target size of a block for reading, in bytes, and the largest that it may become in order to
  /// hold whole chunks.
  private static let (readingTarget, readingLimit) = (2 << 20, 64 << 20)

  /// Cuts a chunked dataset for reading: blocks of about `target` bytes that hold whole chunks,
  /// unless that would take more than `limit` bytes.
  package init(
    _ info: TensorInfo, chunk: [Int], target: Int, limit: Int, isEven: Bool = false
  ) {
    shape = info.shape
    guard info.byteCount > 0, !shape.isEmpty else {
      (axis, rows, rowBytes) = (0, 1, max(info.byteCount, 1))
      return
    }
    var axis = 0
    var inner = info.byteCount / shape[0]
    // Cutting along an inner dimension costs nothing where a chunk is one row thick.
    while axis + 1 < shape.count, inner > limit || (inner > target && chunk[axis] == 1) {
      axis += 1
      inner /= shape[axis]
    }
    // A band is one layer of chunks along the axis; a block is as many bands as fit the target.
    let band = min(max(chunk[axis], 1), shape[axis])
    let most =
      band <= limit / inner
      ? min(shape[axis], band * max(1, target / (band * inner))) : max(1, limit / inner)
    if isEven {
      // Distribute the rows evenly, so that the last block is not a sliver.
      let count = (shape[axis] + most - 1) / most
      rows = (shape[axis] + count - 1) / count
    } else {
      rows = most
    }
    self.axis = axis
    rowBytes = inner
  }

  /// Size of a full block in bytes.
  package var blockBytes: Int { rows * rowBytes }

  /// Shape of a full block, which is also the chunk shape in files that we write.
  package var blockShape: [Int] {
    shape.indices.map { $0 < axis ? 1 : $0 == axis ? rows : shape[$0] }
  }

  /// One block, both as a box of elements and as a run of bytes.
  package struct Block: Sendable, Hashable {
    /// Index of the first element, one number per dimension.
    package let start: [Int]
    /// Elements along each dimension; the last block of a run may have fewer than the others.
    package let count: [Int]
    /// Bytes of the tensor, row-major, that the block covers.
    package let bytes: Range<Int>
  }

  /// The block that holds the byte at `offset`, which must be inside the tensor.
  package func block(holding offset: Int) -> Block {
    guard !shape.isEmpty else { return Block(start: [], count: [], bytes: 0..<rowBytes) }
    // `row` counts rows of `axis` through the whole tensor, `first` those inside one run.
    let row = offset / rowBytes
    let first = row % shape[axis] / rows * rows
    let count = min(rows, shape[axis] - first)
    var start = [Int](repeating: 0, count: shape.count)
    start[axis] = first
    // The rest of the number is a mixed-radix index over the outer dimensions.
    var outer = row / shape[axis]
    for dimension in (0..<axis).reversed() {
      start[dimension] = outer % shape[dimension]
      outer /= shape[dimension]
    }
    let begin = (row - row % shape[axis] + first) * rowBytes
    var box = blockShape
    box[axis] = count
    return Block(start: start, count: box, bytes: begin..<(begin + count * rowBytes))
  }
}
