import ParallelWork
import Strided
import TensorCore
import TestSupport
import Testing

@Suite struct StridedLayoutTests {
  /// A view as PyTorch would describe it: element strides and offset.
  struct View: Sendable, CustomStringConvertible {
    let dtype: DType
    let shape: [Int]
    let strides: [Int]
    var offset = 0

    var description: String { "\(dtype.torchName) \(shape) strides \(strides) at \(offset)" }

    /// Bytes of the source from which the last element can still be read.
    var sourceSize: Int {
      (offset + zip(shape, strides).reduce(1) { $0 + max($1.0 - 1, 0) * $1.1 }) * dtype.byteWidth
    }

    /// The tensor's bytes, element after element.
    func bytes(of source: [UInt8]) -> [UInt8] {
      var places = [offset]
      for (count, stride) in zip(shape, strides) {
        places = places.flatMap { place in (0..<count).map { place + $0 * stride } }
      }
      let width = dtype.byteWidth
      return places.flatMap { source[$0 * width..<($0 + 1) * width] }
    }
  }

  static let views: [View] = [
    View(dtype: .float32, shape: [], strides: []),
    View(dtype: .float32, shape: [], strides: [], offset: 5),
    View(dtype: .float32, shape: [3, 5], strides: [5, 1]),
    View(dtype: .float32, shape: [3, 5], strides: [5, 1], offset: 7),
    View(dtype: .float32, shape: [5, 3], strides: [1, 5]),
    View(dtype: .uint8, shape: [5, 3], strides: [1, 5]),
    View(dtype: .uint8, shape: [7], strides: [3], offset: 2),
    View(dtype: .complex128, shape: [4, 3], strides: [1, 4]),
    View(dtype: .float16, shape: [2, 3, 4, 5], strides: [1, 40, 10, 2]),
    View(dtype: .float64, shape: [2, 1, 3], strides: [3, 99, 1]),
    View(dtype: .float32, shape: [4, 6], strides: [0, 0], offset: 1),
    View(dtype: .float32, shape: [4, 6], strides: [0, 1]),
    View(dtype: .float32, shape: [4, 6], strides: [1, 0]),
    View(dtype: .int16, shape: [4, 6], strides: [1, 1]),
    View(dtype: .int16, shape: [3, 4, 5], strides: [40, 10, 2], offset: 1),
    View(dtype: .int64, shape: [3, 4, 5], strides: [1000, 3, 300]),
    View(dtype: .float32, shape: [3, 2], strides: [100_000, 1]),
    View(dtype: .bool, shape: [1, 1, 9, 1], strides: [7, 7, 2, 7]),
  ]

  private func check(_ view: View, ranges: [Range<Int>]) throws {
    let source = noise(view.sourceSize, seed: 3)
    let expected = view.bytes(of: source)
    let info = try TensorInfo(dtype: view.dtype, shape: view.shape)
    let layout = try StridedLayout(info, strides: view.strides, offset: view.offset)
    #expect(layout.reach == source.count && layout.byteCount == expected.count)
    for range in ranges {
      #expect(try read(layout, range, from: source) == Array(expected[range]), "\(view) \(range)")
    }
  }

  private func read(
    _ layout: StridedLayout, _ range: Range<Int>, from source: [UInt8]
  ) throws -> [UInt8] {
    var buffer = ChunkBuffer(capacity: range.count)
    var target = buffer.mutableBytes(range.count)
    try layout.read(range, into: &target) { offset, part in
      part.copyBytes(from: unsafe source.span.bytes.extracting(offset..<offset + part.byteCount))
    }
    return unsafe buffer.bytes(range.count).withUnsafeBytes { unsafe Array($0) }
  }

  @Test(arguments: views)
  func `every range of a small view is that of its elements`(view: View) throws {
    let count = view.shape.reduce(view.dtype.byteWidth, *)
    var ranges = [0..<count]
    for start in 0..<count {
      for end in start...min(count, start + 40) { ranges.append(start..<end) }
    }
    try check(view, ranges: ranges)
  }

  @Test(arguments: [
    View(dtype: .float32, shape: [300, 500], strides: [1, 300]),
    View(dtype: .uint8, shape: [700, 900], strides: [1, 700], offset: 3),
    View(dtype: .float16, shape: [3, 200, 300], strides: [1, 900, 3]),
    View(dtype: .float32, shape: [6, 50_000], strides: [0, 1]),
    View(dtype: .float64, shape: [40, 1000], strides: [8000, 2]),
    View(dtype: .float32, shape: [70_000, 2], strides: [1, 70_000]),
    View(dtype: .float32, shape: [90, 4, 90], strides: [1, 90_000, 1000]),
  ])
  func `a view larger than a window is read in pieces`(view: View) throws {
    let count = view.shape.reduce(view.dtype.byteWidth, *)
    try check(view, ranges: [0..<count, 1..<count - 1, count / 3..<count / 2 + 1])
  }

  @Test func `bytes that lie in one piece are read at once`() throws {
    let info = try TensorInfo(dtype: .float32, shape: [200, 3, 1000])
    let layout = try StridedLayout(info, strides: [3000, 1000, 1], offset: 10)
    #expect(layout.contiguousRange == 40..<2_400_040)
    var buffer = ChunkBuffer(capacity: 1_000_001)
    var target = buffer.mutableBytes(1_000_001)
    var reads: [Range<Int>] = []
    try layout.read(7..<1_000_008, into: &target) { reads.append($0..<$0 + $1.byteCount) }
    // Whole rows first, then what is left of the last one.
    #expect(reads.first?.lowerBound == 47 && reads.last?.upperBound == 1_000_048)
    #expect(reads.count == 1)
  }

  @Test func `memory does not grow with an expanded tensor`() throws {
    let info = try TensorInfo(dtype: .float32, shape: [1_000_000, 1_000_000])
    let layout = try StridedLayout(info, strides: [0, 0])
    #expect(layout.reach == 4)
    let bytes = try read(layout, 2_000_000_000_001..<2_000_000_000_010, from: [1, 2, 3, 4])
    #expect(bytes == [2, 3, 4, 1, 2, 3, 4, 1, 2])
  }

  @Test func `no elements reach nowhere`() throws {
    let info = try TensorInfo(dtype: .float32, shape: [3, 0, 2])
    let layout = try StridedLayout(info, strides: [9, 9, 9], offset: 4)
    #expect(layout.reach == 0 && layout.byteCount == 0)
  }

  @Test(arguments: [
    (strides: [1], offset: 0), ([1, -1], 0), ([1, 1], -1), ([1 << 62, 1], 0), ([1, 1 << 60], 0),
    ([1, 1], 1 << 61), ([1 << 59, 1 << 59], 1 << 59),
  ])
  func `numbers that do not fit are refused`(strides: [Int], offset: Int) throws {
    let info = try TensorInfo(dtype: .float64, shape: [3, 5])
    let error = #expect(throws: CheckpointError.self) {
      try StridedLayout(info, strides: strides, offset: offset)
    }
    #expect(error?.code == .malformed)
  }

  @Test(arguments: [[0, 1, 2], [2, 1, 0], [1, 0, 2], [2, 0, 1], [0, 2, 1], [1, 2, 0]])
  func `axes of an entry are permuted`(axes: [Int]) throws {
    let shape = [3, 4, 5]
    let entry = try Checkpoint.Entry(noise: "w", .float32, shape)
    let permuted = try entry.permuted(axes)
    #expect(permuted.info.shape == axes.map { shape[$0] } && permuted.name == "w")
    let strides = [20, 5, 1]
    let view = View(
      dtype: .float32, shape: permuted.info.shape.sizes, strides: axes.map { strides[$0] })
    let expected = view.bytes(of: try entry.allBytes())
    #expect(try permuted.allBytes() == expected)
    #expect(try permuted.allBytes(step: 7) == expected)
    #expect(throws: CheckpointError.self) { try entry.permuted([0, 1]) }
    #expect(throws: CheckpointError.self) { try entry.permuted([0, 1, 1]) }
  }
}
