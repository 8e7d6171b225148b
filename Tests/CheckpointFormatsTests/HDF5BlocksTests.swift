import HDF5
import TensorCore
import Testing

/// Cutting tensors into blocks.
@Suite struct HDF5BlocksTests {
  /// Walks the blocks and checks that they are the tensor, in order, without gap.
  private func walk(_ blocks: HDF5Blocks, _ info: TensorInfo, limit: Int) {
    var strides = [Int](repeating: info.dtype.byteWidth, count: info.shape.count)
    for dimension in info.shape.indices.dropLast().reversed() {
      strides[dimension] = strides[dimension + 1] * info.shape[dimension + 1]
    }
    var offset = 0
    while offset < info.byteCount {
      let block = blocks.block(holding: offset)
      #expect(block.bytes.lowerBound == offset)
      #expect(block.bytes.count <= limit)
      #expect(zip(block.start, strides).map(*).reduce(0, +) == offset)
      #expect(block.count.reduce(info.dtype.byteWidth, *) == block.bytes.count)
      for probe in [block.bytes.lowerBound, block.bytes.upperBound - 1] {
        #expect(blocks.block(holding: probe) == block)
      }
      offset = block.bytes.upperBound
    }
    #expect(offset == info.byteCount)
  }

  @Test(arguments: [
    [], [1], [7], [3, 5], [5, 3, 2], [1, 1, 9], [2, 1, 1], [4, 4, 4, 4], [1000], [1, 1000],
    [1000, 1], [10, 100], [3, 0, 2],
  ])
  func `blocks follow each other without gap and within the limit`(shape: [Int]) throws {
    let info = try TensorInfo(dtype: .float32, shape: shape)
    for target in [4, 16, 100, 1 << 20] {
      walk(HDF5Blocks(info, target: target), info, limit: target)
      for chunk in [1, 2, 3, 64] {
        let chunks = shape.map { min(chunk, max($0, 1)) }
        let blocks = HDF5Blocks(info, chunk: chunks, target: target, limit: 4 * target)
        walk(blocks, info, limit: 4 * target)
      }
    }
  }

  @Test func `a block holds whole chunks if the limit allows it`() throws {
    let info = try TensorInfo(dtype: .float32, shape: [100, 50])
    let blocks = HDF5Blocks(info, chunk: [8, 5], target: 400, limit: 1 << 20)
    #expect(blocks.blockShape == [8, 50])
    let wide = HDF5Blocks(info, chunk: [8, 5], target: 4000, limit: 1 << 20)
    #expect(wide.blockShape == [16, 50])
    let tight = HDF5Blocks(info, chunk: [8, 5], target: 400, limit: 800)
    #expect(tight.blockShape == [4, 50])
  }
}
