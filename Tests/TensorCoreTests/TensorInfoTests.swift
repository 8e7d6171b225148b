import TensorCore
import Testing

@Suite struct TensorInfoTests {
  @Test(arguments: [
    ([], 1), ([0], 0), ([3], 3), ([2, 3, 4], 24), ([5, 0, 1 << 50], 0), ([1 << 40, 0], 0),
  ])
  func `elements are the product of the shape`(shape: [Int], count: Int) throws {
    let info = try TensorInfo(dtype: .float32, shape: shape)
    #expect(info.elementCount == count)
    #expect(info.byteCount == 4 * count)
  }

  @Test(arguments: [
    [1 << 32, 1 << 32, 1], [1 << 61, 8], [Int.max], [1 << 60, 2, 2], [1 << 62, 4, 0],
  ])
  func `sizes that reach 2^62 bytes are refused`(shape: [Int]) {
    let error = #expect(throws: CheckpointError.self) {
      try TensorInfo(dtype: .float64, shape: shape)
    }
    #expect(error?.message == "overflow: shape \(shape) of F64 reaches 2^62 bytes, zeros left out")
  }

  @Test func `a negative size is refused, also beside a zero`() {
    let error = #expect(throws: CheckpointError.self) {
      try TensorInfo(dtype: .uint8, shape: [0, -1])
    }
    #expect(error?.code == .malformed)
  }

  @Test func `composed and decomposed letters are two names`() {
    let (composed, decomposed) = (TensorName("\u{e9}"), TensorName("e\u{301}"))
    #expect(composed != decomposed)
    #expect(Dictionary([(composed, 1), (decomposed, 2)], uniquingKeysWith: +).count == 2)
    #expect(decomposed < composed)
  }

  @Test func `a name divides at its last dot`() {
    #expect(TensorName("layer2.0.weight").parentAndLeaf == ("layer2.0", "weight"))
    #expect(TensorName("weight").parentAndLeaf == ("", "weight"))
    #expect(TensorName(".").parentAndLeaf == ("", ""))
  }

  @Test func `every dtype is found by both its names`() {
    for dtype in DType.allCases {
      #expect(DType(named: dtype.rawValue) == dtype)
      #expect(DType(named: dtype.torchName) == dtype)
    }
    #expect(DType(named: "float") == nil)
  }
}

@Suite struct CheckpointErrorTests {
  @Test func `an error says file, tensor, offset and cause in one line`() {
    let error = CheckpointError(.malformed, "expected 4, found 3", offset: 16)
      .adding(tensor: "h.0.w").adding(path: "a.h5").adding(path: "b.h5")
    #expect(error.description == "a.h5: tensor 'h.0.w' at byte 16: expected 4, found 3")
  }

  @Test func `the end of a very long name is left out`() {
    let error = CheckpointError(.missing, "gone", tensor: String(repeating: "\n", count: 60_000))
    #expect(error.description.hasPrefix("tensor '\\n\\n"))
    #expect(error.description.hasSuffix("...': gone") && error.description.utf8.count == 215)
    #expect(("é" + String(repeating: "n", count: 90)).shortened(to: 80).count == 80)
    #expect("short".shortened(to: 80) == "short")
  }

  @Test func `a name cannot steer the terminal`() {
    let error = CheckpointError(.missing, "gone", path: "a\nb", tensor: "\u{1b}[2J\u{202e}x")
    #expect(error.description == "a\\nb: tensor '\\u{1b}[2J\\u{202e}x': gone")
  }
}
