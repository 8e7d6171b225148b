import TensorCore
import Testing
import TorchRandom

@Suite struct SamplingTests {
  struct Refusal: CustomStringConvertible, Sendable {
    let distribution: Distribution
    let dtype: DType
    let message: String
    var description: String { message }
  }

  @Test(arguments: [
    Refusal(
      distribution: .uniform(from: 2, to: 1), dtype: .float32,
      message: "expected a uniform range with its lower bound first, found 2.0 to 1.0"),
    Refusal(
      distribution: .uniform(from: 0, to: 1e39), dtype: .float32,
      message: "upper bound 1e+39 is outside float32's finite range"),
    Refusal(
      distribution: .uniform(from: -65505, to: 0), dtype: .float16,
      message: "lower bound -65505.0 is outside float16's finite range"),
    Refusal(
      distribution: .uniform(from: .nan, to: 0), dtype: .float64,
      message: "lower bound nan is outside float64's finite range"),
    Refusal(
      distribution: .uniform(from: -3e38, to: 3e38), dtype: .float32,
      message: "uniform range -3e+38 to 3e+38 is wider than float32's maximum"),
    Refusal(
      distribution: .normal(mean: 0, standardDeviation: -1), dtype: .bfloat16,
      message: "expected a standard deviation of 0 or more, found -1.0"),
    Refusal(
      distribution: .normal(mean: 0, standardDeviation: .nan), dtype: .float32,
      message: "expected a standard deviation of 0 or more, found nan"),
    Refusal(
      distribution: .normal(mean: 0, standardDeviation: 1), dtype: .int64,
      message:
        "random values need float32, float64, bfloat16 or float16; the tensor is int64"),
  ])
  func `what torch refuses is refused, empty tensors too`(refusal: Refusal) {
    for count in [0, 3] {
      let error = #expect(throws: CheckpointError.self) {
        try Sampling(refusal.distribution, dtype: refusal.dtype, count: count)
      }
      #expect(error?.message == refusal.message)
    }
  }

  @Test func `numbers are rounded to every dtype that holds them`() throws {
    #expect(try DType.float32.element(nearest: 0.1) == [0xcd, 0xcc, 0xcc, 0x3d])
    #expect(try DType.bfloat16.element(nearest: 0.1) == [0xcd, 0x3d])
    #expect(try DType.float16.element(nearest: 0.1) == [0x66, 0x2e])
    #expect(try DType.bfloat16.element(nearest: .nan) == [0xc0, 0x7f])
    #expect(try DType.int64.element(nearest: -2) == [254] + [UInt8](repeating: 255, count: 7))
    #expect(try DType.bool.element(nearest: 1) == [1])
    let error = #expect(throws: CheckpointError.self) {
      try DType.uint8.element(nearest: 256)
    }
    #expect(error?.message == "256.0 is not a value of uint8")
    #expect(throws: CheckpointError.self) { try DType.int64.element(nearest: 0.5) }
    #expect(throws: CheckpointError.self) { try DType.complex64.element(nearest: 1) }
  }

  @Test func `a copied generator draws the same and leaves the original alone`() {
    var original = Generator(seed: 3)
    _ = original.nextUInt32()
    var copy = original
    var words = [UInt32](repeating: 0, count: 3000)
    var span = words.mutableSpan
    copy.fill(&span)
    for word in words { #expect(original.nextUInt32() == word) }
  }
}
