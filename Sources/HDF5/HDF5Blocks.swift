package import TensorCore

/// A tensor cut into blocks, each a box of elements that is also one run of bytes.
///
/// A block spans one index of every dimension before `axis`, some rows of `axis`, and all of the
/// dimensions after it. Blocks are numbered in row-major order, so block after block is the tensor
/// from its first byte to its last.
package struct HDF5Blocks: Sendable, Hashable {
  package let shape: [Int]
  /// The dimension that is cut; 0 for a scalar, which is one block.
  package let axis: Int
  /// Rows of `axis` in a block; the last block of each run may have fewer.
  package let rows: Int
  private let rowBytes: Int

  /// Cuts for writing: blocks of at most `target` bytes, of nearly one size.
  package init(_ info: TensorInfo, target: Int) {
    self.init(
      info, chunk: [Int](repeating: 1, count: info.shape.count), target: target, limit: target,
      isEven: true)
  }

  /// Cuts a dataset for reading, so that a block holds whole chunks where there are chunks.
  package init(_ dataset: HDF5Table.Dataset) {
    let chunk: [Int]
    switch dataset.storage {
    case .chunks(let chunks): chunk = chunks.shape
    case .library(let shape): chunk = shape
    case .plain, .unwritten, .refused: chunk = [Int](repeating: 1, count: dataset.info.shape.count)
    }
    self.init(dataset.info, chunk: chunk, target: Self.readingTarget, limit: Self.readingLimit)
  }

  /// What a block for reading aims at, in bytes, and the most that it takes to hold whole chunks.
  private static let (readingTarget, readingLimit) = (2 << 20, 64 << 20)

  /// Cuts for reading what is stored in chunks: blocks of about `target` bytes that hold whole
  /// chunks, unless that would take more than `limit` bytes.
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
    // Going inward costs nothing where a chunk is one row thick.
    while axis + 1 < shape.count, inner > limit || (inner > target && chunk[axis] == 1) {
      axis += 1
      inner /= shape[axis]
    }
    let band = min(max(chunk[axis], 1), shape[axis])
    let most =
      band <= limit / inner
      ? min(shape[axis], band * max(1, target / (band * inner))) : max(1, limit / inner)
    if isEven {
      let count = (shape[axis] + most - 1) / most
      rows = (shape[axis] + count - 1) / count
    } else {
      rows = most
    }
    self.axis = axis
    rowBytes = inner
  }

  /// Size of a whole block, in bytes.
  package var blockBytes: Int { rows * rowBytes }

  /// The shape of a whole block, as chunked storage wants it.
  package var blockShape: [Int] {
    shape.indices.map { $0 < axis ? 1 : $0 == axis ? rows : shape[$0] }
  }

  /// The box and the bytes of one block.
  package struct Block: Sendable, Hashable {
    package let start: [Int]
    package let count: [Int]
    package let bytes: Range<Int>
  }

  /// The block that holds the byte at `offset`, which must be inside the tensor.
  package func block(holding offset: Int) -> Block {
    guard !shape.isEmpty else { return Block(start: [], count: [], bytes: 0..<rowBytes) }
    let row = offset / rowBytes
    let first = row % shape[axis] / rows * rows
    let count = min(rows, shape[axis] - first)
    var start = [Int](repeating: 0, count: shape.count)
    start[axis] = first
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
