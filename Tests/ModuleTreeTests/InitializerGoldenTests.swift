import FoundationEssentials
import ModuleTree
import TensorCore
import TestSupport
import Testing
import TorchRandom

@Suite struct InitializerGoldenTests {
  static let exact = [
    "uniform_", "normal_", "trunc_normal_", "constant_", "ones_", "zeros_", "eye_", "dirac_",
    "sparse_", "xavier_uniform_", "xavier_normal_", "kaiming_uniform_", "kaiming_normal_",
  ]

  static func cases(of operations: [String]) throws -> [OpCase] {
    let all =
      try Fixtures.cases("goldens/ops.json", as: OpCase.self)
      + Fixtures.cases("goldens-extra/draws.json", as: OpCase.self)
    return all.filter {
      operations.contains($0.op)
        && ($0.layout == "contiguous" || !["normal_", "uniform_"].contains($0.op))
    }
  }

  @Test(arguments: try cases(of: exact))
  func `initializers equal torch's bytes and leave its generator`(golden: OpCase) throws {
    let tensor = try #require(golden.tensor)
    let info = try tensor.info
    var generator = Generator(seed: golden.seed)
    let initializer = try golden.initializer
    let stored = try initializer.fill(for: info).bytes(of: info, from: &generator)
    let order = OpCase.storageOrder(shape: info.shape.sizes, layout: try #require(golden.layout))
    let width = info.dtype.byteWidth
    let bytes = order.flatMap { stored[$0 * width..<($0 + 1) * width] }
    #expect(Digest(of: bytes).description == tensor.sha256)
    #expect(golden.rng_after.follows(generator.cachedNormal) { generator.nextUInt32() })
  }

  @Test(arguments: try cases(of: ["orthogonal_"]))
  func `orthogonal values are within 5e-6 of torch's`(golden: OpCase) throws {
    let tensor = try #require(golden.tensor)
    let info = try tensor.info
    var generator = Generator(seed: golden.seed)
    let bytes = try golden.initializer.fill(for: info).bytes(of: info, from: &generator)
    let text = try #require(tensor.values_b64)
    let expected = Array(try #require(Data(base64Encoded: text)))
    #expect(bytes.count == expected.count)
    let tolerance = info.dtype == .float64 ? 1e-13 : 5e-6
    for index in 0..<info.elementCount {
      let difference =
        info.dtype.number(at: index, in: bytes) - info.dtype.number(at: index, in: expected)
      #expect(abs(difference) < tolerance, "element \(index)")
    }
    #expect(golden.rng_after.follows(generator.cachedNormal) { generator.nextUInt32() })
  }

  struct Refusal: Decodable, CustomStringConvertible, Sendable {
    let id: String
    let op: String
    let shape: [Int]
    let result: String
    var description: String { id }
  }

  @Test(arguments: try Fixtures.cases("goldens/errors.json", as: Refusal.self))
  func `shapes are refused where torch refuses them`(golden: Refusal) throws {
    let info = try TensorInfo(dtype: .float32, shape: golden.shape)
    let initializer = try InitializerText.parse(golden.op)
    if golden.result == "ok" {
      var generator = Generator(seed: 0)
      let bytes = try initializer.fill(for: info).bytes(of: info, from: &generator)
      #expect(bytes.count == info.byteCount)
    } else {
      let error = #expect(throws: CheckpointError.self) { try initializer.fill(for: info) }
      #expect(error?.message.contains("\(golden.shape)") == true, "\(String(describing: error))")
    }
  }
}

extension OpCase {
  /// The initializer of the case, made from the text that a user would write.
  var initializer: any Initializer {
    get throws {
      let values = (args ?? [:]).sorted { $0.key < $1.key }.map { name, value in
        switch value {
        case .number(let number): "\(name)=\(number)"
        case .word(let word): "\(name)='\(word)'"
        }
      }
      return try InitializerText.parse("\(op)(\(values.joined(separator: ", ")))")
    }
  }
}

extension TensorFill {
  /// All bytes of a tensor that is filled so.
  func bytes(of info: TensorInfo, from generator: inout Generator) throws -> [UInt8] {
    func repeated(_ value: Double) throws -> [UInt8] {
      let element = try info.dtype.element(nearest: value)
      return (0..<info.elementCount).flatMap { _ in element }
    }
    let width = info.dtype.byteWidth
    switch self {
    case .constant(let value): return try repeated(value)
    case .ones(let places):
      var bytes = try repeated(0)
      let one = try info.dtype.element(nearest: 1)
      #expect(places == places.sorted())
      for place in places { bytes.replaceSubrange(place * width..<(place + 1) * width, with: one) }
      return bytes
    case .random(let distribution, let zeroed):
      var bytes = generator.sample(
        try Sampling(distribution, dtype: info.dtype, count: info.elementCount))
      for index in zeroed ?? 0..<0 {
        for byte in index * width..<(index + 1) * width { bytes[byte] = 0 }
      }
      return bytes
    case .whole(_, let make): return try make(info, &generator)
    case .mapped(let base, let steps):
      var bytes = try base.bytes(of: info, from: &generator)
      bytes.withMutableRawSpan { ElementStep.apply(steps, to: &$0, as: info.dtype) }
      return bytes
    case .streamed:
      Issue.record("no golden is filled so")
      return []
    case .nothing: return [UInt8](repeating: 0, count: info.byteCount)
    }
  }
}
