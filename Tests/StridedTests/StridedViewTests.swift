import ParallelWork
import Strided
import Synchronization
import TensorCore
import TestSupport
import Testing

@Suite struct StridedViewTests {
  typealias View = StridedLayoutTests.View

  /// Counts what is read of a source.
  private final class Source: Sendable {
    let bytes: [UInt8]
    private let counted = Mutex((reads: 0, bytes: 0))

    init(_ view: View) { bytes = noise(view.sourceSize, seed: 5) }

    var reads: Int { counted.withLock { $0.reads } }
    var bytesRead: Int { counted.withLock { $0.bytes } }

    func read(_ offset: Int, _ target: inout MutableRawSpan) {
      let count = target.byteCount
      unsafe target.withUnsafeMutableBytes { target in
        unsafe target.copyBytes(from: bytes[offset..<offset + count])
      }
      counted.withLock { $0 = ($0.reads + 1, $0.bytes + count) }
    }
  }

  private func view(_ view: View, bandSize: Int) throws -> StridedView {
    let info = try TensorInfo(dtype: view.dtype, shape: view.shape)
    let layout = try StridedLayout(info, strides: view.strides, offset: view.offset)
    return StridedView(layout, bandSize: bandSize)
  }

  private func read(
    _ view: StridedView, _ range: Range<Int>, from source: Source
  ) throws -> [UInt8] {
    var buffer = ChunkBuffer(capacity: range.count)
    var target = buffer.mutableBytes(range.count)
    try view.read(range, into: &target, from: source.read)
    return unsafe buffer.bytes(range.count).withUnsafeBytes { unsafe Array($0) }
  }

  static let larger: [View] = [
    View(dtype: .float32, shape: [37, 41], strides: [1, 37]),
    View(dtype: .uint8, shape: [129, 63], strides: [1, 130], offset: 3),
    View(dtype: .float16, shape: [9, 3, 5, 7], strides: [1, 400, 80, 11]),
    View(dtype: .bfloat16, shape: [8, 6, 3, 3], strides: [54, 1, 18, 6]),
    View(dtype: .complex128, shape: [11, 13], strides: [1, 11]),
    View(dtype: .float64, shape: [5, 11, 4], strides: [1, 20, 5], offset: 2),
    View(dtype: .float32, shape: [3, 17, 19], strides: [0, 1, 17]),
    View(dtype: .float32, shape: [17, 3, 19], strides: [1, 0, 17]),
    View(dtype: .int16, shape: [50, 20], strides: [1, 3]),
    View(dtype: .int16, shape: [30, 40], strides: [2, 2]),
    View(dtype: .int32, shape: [4, 5, 6], strides: [7, 100, 99]),
    View(dtype: .float32, shape: [3, 40], strides: [1, 3000]),
    View(dtype: .float8e4m3, shape: [300, 5], strides: [1, 300]),
  ]

  @Test(arguments: StridedLayoutTests.views + larger, [1, 7, 64, 100, 333, 1024, 4096, 1 << 20])
  func `a view is read band by band, whatever the ranges`(described: View, bandSize: Int) throws {
    let source = Source(described)
    let view = try view(described, bandSize: bandSize)
    let expected = described.bytes(of: source.bytes)
    #expect(try read(view, 0..<expected.count, from: source) == expected)
    for step in [expected.count / 3 + 1, 61] {
      for start in stride(from: 0, to: expected.count, by: step) {
        let range = start..<min(start + step, expected.count)
        #expect(try read(view, range, from: source) == Array(expected[range]), "\(range)")
      }
    }
    for start in [0, expected.count / 2, max(expected.count - bandSize - 1, 0)] {
      let range = start..<min(start + bandSize + 2, expected.count)
      #expect(try read(view, range, from: source) == Array(expected[range]), "\(range)")
    }
  }

  @Test(arguments: [
    View(dtype: .float32, shape: [100, 150], strides: [1, 100]),
    View(dtype: .float32, shape: [150, 100], strides: [1, 150]),
    View(dtype: .float16, shape: [16, 12, 3, 3], strides: [108, 1, 36, 12]),
    View(dtype: .float32, shape: [16, 12, 3, 3], strides: [1, 16, 576, 192]),
  ])
  func `a source that fits into a band is read once and at once`(described: View) throws {
    let source = Source(described)
    let count = source.bytes.count
    let view = try view(described, bandSize: count)
    #expect(view.onlyRead == 0..<count)
    let expected = described.bytes(of: source.bytes)
    for start in stride(from: 0, to: count, by: 1000) {
      let range = start..<min(start + 1000, count)
      #expect(try read(view, range, from: source) == Array(expected[range]))
    }
    #expect(source.bytesRead == count && source.reads == 1)
  }

  @Test func `pieces that lie apart are read once each`() throws {
    let described = View(dtype: .float32, shape: [2000, 10], strides: [1, 2000])
    let source = Source(described)
    let view = try view(described, bandSize: 10 * 2200)
    let expected = described.bytes(of: source.bytes)
    for start in stride(from: 0, to: expected.count, by: 999) {
      let range = start..<min(start + 999, expected.count)
      #expect(try read(view, range, from: source) == Array(expected[range]))
    }
    #expect(source.bytesRead == expected.count)
    #expect(source.reads <= 10 * 5)
    #expect(view.onlyRead == nil)
  }

  @Test func `an expanded tensor costs no more than what it expands`() throws {
    let info = try TensorInfo(dtype: .float32, shape: [1_000_000, 3, 1_000_000])
    let view = StridedView(try StridedLayout(info, strides: [0, 1, 0]))
    let source = Source(View(dtype: .float32, shape: [3], strides: [1]))
    #expect(view.onlyRead == 0..<12)
    let bytes = try read(view, 7_999_999..<8_000_002, from: source)
    #expect(bytes == [source.bytes[7], source.bytes[8], source.bytes[9]])
    #expect(source.bytesRead == 12)
  }

  @Test func `tasks that read one band side by side read the source once`() async throws {
    let described = View(dtype: .float32, shape: [128, 100], strides: [1, 128])
    let source = Source(described)
    let view = try view(described, bandSize: 1 << 21)
    let expected = described.bytes(of: source.bytes)
    let step = 5_000
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for start in stride(from: 0, to: expected.count, by: step) {
        group.addTask {
          let range = start..<min(start + step, expected.count)
          return try self.read(view, range, from: source) == Array(expected[range])
        }
      }
      for try await isEqual in group { #expect(isEqual) }
    }
    #expect(source.bytesRead == source.bytes.count)
  }

  @Test func `a source that fails once is asked again`() throws {
    let described = View(dtype: .float32, shape: [30, 40], strides: [1, 30])
    let source = Source(described)
    let view = try view(described, bandSize: 1 << 20)
    var buffer = ChunkBuffer(capacity: 100)
    var target = buffer.mutableBytes(100)
    do {
      try view.read(0..<100, into: &target) { _, _ in throw CheckpointError(.system, "gone") }
      Issue.record("nothing was thrown")
    } catch let error as CheckpointError {
      #expect(error.message == "gone")
    }
    #expect(
      try read(view, 0..<100, from: source) == Array(described.bytes(of: source.bytes)[..<100]))
  }
}
