import CheckpointKit
import ParallelWork
import TensorCore
import TestSupport
import Testing

@Suite struct TensorSliceTests {
  private func texts(_ slice: String) throws -> [String] {
    let checkpoint = Checkpoint(entries: [
      try .init(memory: "w", (0..<24).map(Float.init), shape: [2, 3, 4])
    ])
    let (entry, slice) = try checkpoint.entry(sliced: "w[\(slice)]")
    var texts: [String] = []
    for i in 0..<slice.ranges[0].count {
      for j in 0..<slice.ranges[1].count {
        texts += try slice.elementTexts(
          of: entry, at: [i, j], from: 0, count: slice.ranges[2].count)
      }
    }
    return texts
  }

  @Test(arguments: [
    ("1, 2", ["20.0", "21.0", "22.0", "23.0"]), ("-1, -1, -1", ["23.0"]),
    (":, 0, 1", ["1.0", "13.0"]), ("0, ::2, 1:3", ["1.0", "2.0", "9.0", "10.0"]),
    ("0,0,::3", ["0.0", "3.0"]), ("0, 5:9", []), ("1,1,-2:", ["18.0", "19.0"]),
  ])
  func `a slice reads what NumPy reads`(slice: String, expected: [String]) throws {
    #expect(try texts(slice) == expected)
  }

  @Test(
    arguments: [
      ("1, 2", [4], [20, 21, 22, 23]), ("-1, -1, -1", [], [23]), (":, 0, 1", [2], [1, 13]),
      ("0, ::2, 1:3", [2, 2], [1, 2, 9, 10]), ("0,0,::3", [2], [0, 3]), ("0, 5:9", [0, 4], []),
      ("", nil, []), (":, 1:2, ::-1", nil, []), ("1:, :, 3", [1, 3], [15, 19, 23]),
    ] as [(String, [Int]?, [Float])])
  func `a slice is a tensor of its own`(slice: String, shape: [Int]?, expected: [Float]) throws {
    let tensor = try Checkpoint.Entry("w", shape: [2, 3, 4], (0..<24).map(Float.init))
    guard let shape else {
      #expect(throws: CheckpointError.self) { try TensorSlice(slice, of: tensor.info.shape) }
      return
    }
    let part = try TensorSlice(slice, of: tensor.info.shape).entry(of: tensor)
    #expect(part.info.shape == shape && part.name == "w")
    #expect(try part.floats() == expected)
  }

  @Test func `a slice of another shape is refused`() throws {
    let tensor = try Checkpoint.Entry("w", shape: [2, 3], (0..<6).map(Float.init))
    for (slice, shape) in [("2", [3, 3]), ("0", [2, 3, 4]), (":, 3", [2, 4])] {
      let error = #expect(throws: CheckpointError.self) {
        try TensorSlice(slice, of: Shape(shape)).entry(of: tensor)
      }
      #expect(error?.code == .mismatched)
    }
  }

  @Test(arguments: [
    ("2", "index '2' of dimension 0 is outside its size 2"), (":,:,:,0", "4 dimensions"),
    ("0:2:0", "step ≥ 1"), ("a", "expected an integer"), ("", "index '' of dimension 0"),
  ])
  func `an impossible slice is refused with its reason`(slice: String, reason: String) {
    let error = #expect(throws: CheckpointError.self) { try texts(slice) }
    #expect(error?.message.contains(reason) == true, "\(String(describing: error))")
    #expect(error?.tensor == "w")
  }

  @Test func `a name may itself end in brackets`() throws {
    let checkpoint = Checkpoint(entries: [try .init(memory: "w[0]", [5])])
    #expect(try checkpoint.entry(sliced: "w[0]").0.name == "w[0]")
    let error = #expect(throws: CheckpointError.self) { _ = try checkpoint.entry(sliced: "w0]") }
    #expect(error?.message == "no tensor or value 'w0]'; the nearest name is 'w[0]'")
  }
}
