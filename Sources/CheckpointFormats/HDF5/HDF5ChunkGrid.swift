import ByteIO
import HDF5
import Strided
import TensorCore

/// The chunks of a tensor and their positions in its blocks.
struct HDF5ChunkGrid: Sendable {
  private let shape: Shape
  private let chunk: Shape
  private let width: Int

  init(_ info: TensorInfo, chunk: Shape) {
    shape = info.shape
    self.chunk = chunk
    width = info.dtype.byteWidth
  }

  /// Number of chunks that a block overlaps along each dimension.
  func counts(in block: HDF5Blocks.Block) -> [Int] {
    shape.indices.map { dimension in
      let first = block.start[dimension] / chunk[dimension]
      return (block.start[dimension] + block.count[dimension] - 1) / chunk[dimension] - first + 1
    }
  }

  /// The first element of one of the chunks that a block touches, which are numbered in row-major
  /// order.
  func origin(_ number: Int, of counts: [Int], in block: HDF5Blocks.Block) -> [Int] {
    var rest = number
    var origin = block.start
    for dimension in shape.indices.reversed() {
      // `rest` is a mixed-radix number, the last dimension its lowest digit.
      let index = block.start[dimension] / chunk[dimension] + rest % counts[dimension]
      origin[dimension] = index * chunk[dimension]
      rest /= counts[dimension]
    }
    return origin
  }

  /// The bytes of the block that hold the chunk, if they are the whole chunk, in order.
  func run(of origin: [Int], in block: HDF5Blocks.Block) -> Range<Int>? {
    var isWhole = false
    var start = 0
    for dimension in shape.indices {
      let begin = origin[dimension] - block.start[dimension]
      guard begin >= 0, begin + chunk[dimension] <= block.count[dimension] else { return nil }
      // After the first dimension in which it has more than one row, a chunk must be as wide as the
      // block.
      if isWhole, chunk[dimension] != block.count[dimension] { return nil }
      isWhole = isWhole || chunk[dimension] > 1
      start = start * block.count[dimension] + begin
    }
    let size = chunk.elementCount * width
    return start * width..<start * width + size
  }

  /// The bytes of a chunk that lie in a block.
  struct Overlap {
    /// Bytes of a run, which is contiguous in both.
    let run: Int
    /// From run to run: strides in the chunk, spans in the block.
    let axes: [StridedLayout.Axis]
    /// Where the first run begins in the chunk, and in the block.
    let (source, target): (Int, Int)
  }

  /// The intersection of a chunk and a block; `nil` if it is empty.
  func overlap(of origin: [Int], with block: HDF5Blocks.Block) -> Overlap? {
    let rank = shape.count
    let begin = (0..<rank).map { max(origin[$0], block.start[$0]) }
    let end = (0..<rank).map {
      min(origin[$0] + chunk[$0], block.start[$0] + block.count[$0])
    }
    // Dimensions that are complete in both form one run with the dimension before them: convolution
    // kernels often end in dimensions of size 1.
    var inner = rank - 1
    while inner > 0, chunk[inner] == block.count[inner], end[inner] - begin[inner] == chunk[inner] {
      inner -= 1
    }
    guard (0..<rank).allSatisfy({ begin[$0] < end[$0] }) else { return nil }
    let row = (end[inner] - begin[inner]) * chunk.product(along: (inner + 1)...) * width
    // The distances of the outer dimensions, in bytes.
    var axes: [StridedLayout.Axis] = []
    var (from, to, stride, span) = (0, 0, width, width)
    for dimension in (0..<rank).reversed() {
      from += (begin[dimension] - origin[dimension]) * stride
      to += (begin[dimension] - block.start[dimension]) * span
      if dimension < inner {
        axes.insert(
          .init(count: end[dimension] - begin[dimension], stride: stride, span: span), at: 0)
      }
      stride *= chunk[dimension]
      span *= block.count[dimension]
    }
    return Overlap(run: row, axes: axes, source: from, target: to)
  }

  /// Copies the intersection of a chunk and a block, row by row.
  func copy(
    _ bytes: RawSpan, from origin: [Int], to block: HDF5Blocks.Block,
    _ target: inout MutableRawSpan
  ) {
    guard let overlap = overlap(of: origin, with: block) else { return }
    StridedCopy.copy(
      bytes.extracting(overlap.source...), to: &target, at: overlap.target, run: overlap.run,
      axes: overlap.axes)
  }
}
