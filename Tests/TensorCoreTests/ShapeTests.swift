import TensorCore
import Testing

@Suite struct ShapeTests {
  @Test func `a shape is the collection of its sizes`() throws {
    let shape = try Shape([2, 3, 4])
    #expect(shape == [2, 3, 4] && shape != [2, 3] && shape.count == 3 && shape[1] == 3)
    #expect(Array(shape.dropFirst()) == [3, 4] && "\(shape)" == "[2, 3, 4]")
    #expect(shape.elementCount == 24 && Shape.scalar.elementCount == 1 && Shape.scalar.isEmpty)
  }

  @Test func `partial products and strides follow from the sizes`() throws {
    let shape = try Shape([2, 3, 0, 4])
    #expect(shape.product(along: ..<2) == 6 && shape.product(along: 1...) == 0)
    #expect(shape.product(along: 4...) == 1 && shape.product(along: 0..<0) == 1)
    #expect(shape.contiguousStrides == [12, 4, 4, 1])
    #expect(shape.permuted([3, 2, 1, 0]) == [4, 0, 3, 2])
  }

  @Test(arguments: [
    ([1 << 62], 1), ([1 << 31, 1 << 31], 1), ([1 << 62, 0], 1), ([0, 1 << 40, 1 << 40], 1),
    ([1 << 61], 2), ([.max, .max, 0], 16), ([1 << 62, 4, 0], 4), ([3, 1 << 60], 4), ([.max], 1),
  ])
  func `nonzero sizes that reach 2^62 bytes are refused`(sizes: [Int], width: Int) {
    let error = #expect(throws: CheckpointError.self) { try Shape(sizes, width: width) }
    #expect(
      error?.message == "overflow: shape \(sizes) reaches 2^62 bytes, zeros left out")
  }

  @Test(arguments: [
    ([(1 << 62) - 1], 1), ([1 << 31, (1 << 31) - 1], 1), ([0, (1 << 58) - 1], 16), ([0, 0], 1),
    ([], 16),
  ])
  func `what stays below is taken, and nothing of it overflows`(sizes: [Int], width: Int) throws {
    let shape = try Shape(sizes, width: width)
    for axis in 0...sizes.count {
      #expect(shape.product(along: axis...) * width >= 0)
      #expect(shape.product(along: ..<axis) * width >= 0)
    }
    #expect(shape.contiguousStrides.allSatisfy { $0 > 0 })
  }

  @Test func `a negative size is refused`() {
    let error = #expect(throws: CheckpointError.self) { try Shape([2, -1]) }
    #expect(error?.message == "shape [2, -1] has the negative size -1")
  }

  @Test func `a sum of sizes stops below 2^62`() throws {
    var total = CheckpointTotal()
    let half = try TensorInfo(dtype: .uint8, shape: [1 << 61])
    try total.add(half)
    let error = #expect(throws: CheckpointError.self) { try total.add(half) }
    #expect(error?.message == "total size reaches 2^62 bytes at this tensor")
    try total.add(try TensorInfo(dtype: .uint8, shape: [(1 << 61) - 1]))
    #expect(total.tensorCount == 2 && total.byteCount == Shape.limit - 1)
    #expect([.max, .max].saturatedSum() == Shape.limit && [3, 4].saturatedSum() == 7)
  }
}
