import ParallelWork
import TensorCore
import TestSupport
import Testing

@Suite struct PiecesTests {
  /// Tensors without content of these sizes.
  private func entries(_ sizes: [Int], unit: Int = 1, _ dtype: DType = .uint8) throws
    -> [Checkpoint.Entry]
  {
    try sizes.enumerated().map { number, size in
      var entry = Checkpoint.Entry(
        name: TensorName("t\(number)"),
        info: try TensorInfo(dtype: dtype, shape: [size / dtype.byteWidth])
      ) { _, _ in }
      entry.preferredReadSize = unit
      return entry
    }
  }

  private func text(_ pieces: Pieces) -> [String] {
    pieces.map { unit in
      unit.map { "\($0.tensor):\($0.range)\($0.isLast ? "." : "")" }.joined(separator: " ")
    }
  }

  @Test func `small tensors are gathered and large ones cut`() throws {
    let pieces = Pieces(of: try entries([3, 0, 7, 5, 25, 10, 1]), size: 10, cut: .exact)
    #expect(
      text(pieces) == [
        "0:0..<3. 1:0..<0. 2:0..<7.", "3:0..<5.", "4:0..<10", "4:10..<20", "4:20..<25.",
        "5:0..<10.", "6:0..<1.",
      ])
    #expect(pieces.maxSize == 10)
  }

  @Test func `no more tensors are gathered than is allowed`() throws {
    let pieces = Pieces(of: try entries([1, 1, 1]), size: 10, cut: .exact, maxGathered: 2)
    #expect(text(pieces) == ["0:0..<1. 1:0..<1.", "2:0..<1."])
  }

  @Test func `cuts fall where the source's chunks end`() throws {
    let pieces = Pieces(of: try entries([25, 8], unit: 6), size: 10, cut: .source)
    #expect(text(pieces) == ["0:0..<12", "0:12..<24", "0:24..<25.", "1:0..<8."])
    #expect(pieces.maxSize == 12)
  }

  @Test func `cuts fall between elements`() throws {
    let pieces = Pieces(of: try entries([32], .float64), size: 20, cut: .elements)
    #expect(text(pieces) == ["0:0..<16", "0:16..<32."])
  }

  @Test func `a target cuts as it likes`() throws {
    let pieces = Pieces(
      of: try entries([11, 2]), size: 5, cut: .target { tensor, offset in offset + 6 - tensor },
      maxGathered: 1)
    #expect(text(pieces) == ["0:0..<6", "0:6..<11.", "1:0..<2."])
  }

  @Test func `a petabyte is not cut before it is wanted, and can be left out`() throws {
    var pieces = Pieces(of: try entries([1 << 50, 4]), size: 1 << 20, cut: .exact)
    #expect(pieces.next()?.first?.range == 0..<1 << 20)
    pieces.skipTensor()
    #expect(pieces.next()?.first?.tensor == 1)
    #expect(pieces.next() == nil)
  }
}

@Suite struct ElementMappingTests {
  /// Bytes of a tensor whose byte `i` is `i`, made in whole elements of 4 bytes.
  @Test(arguments: [0..<16, 0..<4, 4..<12, 1..<3, 3..<5, 2..<16, 0..<15, 7..<8, 5..<5])
  func `a range of bytes is cut out of whole elements`(range: Range<Int>) {
    var buffer = ChunkBuffer(capacity: 16)
    var target = buffer.mutableBytes(range.count)
    var made: Range<Int>?
    target.fillElements(range, width: 4) { elements, bytes in
      made = elements
      #expect(bytes.byteCount == elements.count * 4)
      for index in 0..<bytes.byteCount {
        bytes.storeBytes(
          of: UInt8(elements.lowerBound * 4 + index), toByteOffset: index, as: UInt8.self)
      }
    }
    #expect(made == range.lowerBound / 4..<(range.upperBound + 3) / 4)
    let copied = array(target.bytes)
    #expect(copied == range.map { UInt8($0) })
  }
}
