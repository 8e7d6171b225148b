import FoundationEssentials
import ModuleTree
import TensorCore
import TestSupport
import Testing
import TorchRandom

/// timm's truncated normals and `erfinv`, against bytes that torch made (`Tools/fixtures/make_erfinv.py`).
@Suite struct InvertedNormalTests {
  struct Golden: Decodable, CustomStringConvertible, Sendable {
    let rule: String
    let dtype: String
    let size: Int
    let sha256: String?
    let values: String?
    var description: String { "\(rule), \(size) of \(dtype)" }
  }

  static func goldens() throws -> [Golden] {
    try Fixtures.cases("goldens-extra/erfinv.json", as: Golden.self)
  }

  @Test(arguments: try goldens())
  func `values are torch's, or near where that is documented`(golden: Golden) throws {
    let dtype = try #require(DType(named: golden.dtype))
    let info = try TensorInfo(dtype: dtype, shape: [golden.size])
    var generator = Generator(seed: 5)
    let initializer = try InitializerText.parse(golden.rule)
    let bytes = try initializer.fill(for: info).bytes(of: info, from: &generator)
    if let sha256 = golden.sha256 {
      #expect(Digest(of: bytes).description == sha256)
      return
    }
    let text = try #require(golden.values)
    let expected = Array(try #require(Data(base64Encoded: text)))
    let tolerance = info.dtype == .float64 ? 4e-15 : 0x1p-23
    for index in 0..<golden.size {
      let value = info.dtype.number(at: index, in: expected)
      let difference = abs(info.dtype.number(at: index, in: bytes) - value)
      #expect(difference <= tolerance * max(1, abs(value)), "element \(index)")
    }
  }

  @Test(arguments: [
    ("timm_trunc_normal(std=0.02)", 0.02), ("timm_trunc_normal_tf", 0.8796256610342398),
    ("uniform(-1, 1) erfinv", 0.5.squareRoot()),
  ])
  func `the spread is that of the distribution`(text: String, deviation: Double) throws {
    let info = try TensorInfo(dtype: .float32, shape: [4])
    let fill = try InitializerText.parse(text).fill(for: info)
    let moments = try #require(fill.moments)
    #expect(abs(moments.standardDeviation / deviation - 1) < 1e-3)
    #expect(abs(moments.mean) < 1e-12)
  }

  @Test func `bounds in the wrong order are refused`() throws {
    let info = try TensorInfo(dtype: .float32, shape: [4])
    let error = #expect(throws: CheckpointError.self) {
      try InitializerText.parse("timm_trunc_normal(a=2, b=1)").fill(for: info)
    }
    #expect(
      error?.message == "timm_trunc_normal: expected its lower bound first, found 2.0 to 1.0")
  }
}
