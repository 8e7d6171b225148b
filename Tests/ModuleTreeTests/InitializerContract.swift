import ModuleTree
import TensorCore
import TestSupport
import Testing
import TorchRandom

/// What every initializer is held to, over the whole visible list.
@Suite struct InitializerContract {
  static let shapes = [
    [], [5], [0], [0, 5], [5, 0], [0, 0], [2, 3], [3, 2], [20, 30], [4, 3, 3], [6, 2, 3, 3],
    [2, 2, 1, 2, 3], [2, 0, 3], [2, 1, 1, 1, 1, 1],
  ]

  static let dtypes: [DType] = [.float32, .float64, .bfloat16, .float16, .int64]

  @Test(arguments: InitializerText.examples)
  func `a fill gives all bytes and the same twice, or names what it cannot serve`(
    text: String
  ) throws {
    let initializer = try InitializerText.parse(text)
    var served = 0
    for shape in Self.shapes {
      for dtype in Self.dtypes {
        let info = try TensorInfo(dtype: dtype, shape: shape)
        var generators = [Generator(seed: 4), Generator(seed: 4)]
        do {
          let bytes = try generators.indices.map {
            try initializer.fill(for: info).bytes(of: info, from: &generators[$0])
          }
          #expect(bytes[0].count == info.byteCount)
          #expect(bytes[0] == bytes[1])
          #expect(generators[0].nextUInt64() == generators[1].nextUInt64())
          #expect(generators[0].cachedNormal == generators[1].cachedNormal)
          served += 1
        } catch let error as CheckpointError {
          #expect(
            error.message.contains("\(shape)") || error.message.contains(dtype.torchName),
            "\(error)")
        }
      }
    }
    #expect(served >= 8)
  }

  @Test(arguments: InitializerText.examples)
  func `the description reads back as an equal value`(text: String) throws {
    let initializer = try InitializerText.parse(text)
    let again = try InitializerText.parse(initializer.description)
    #expect(initializer is any Hashable)
    #expect(AnyHashable(equal: again) == AnyHashable(equal: initializer))
    #expect(again.description == initializer.description)
  }

  @Test func `a padding row outside the table is refused`() throws {
    let info = try TensorInfo(dtype: .float32, shape: [3, 4])
    let error = #expect(throws: CheckpointError.self) {
      try Normal(paddingIndex: 3).fill(for: info)
    }
    #expect(error?.message == "padding_idx 3 names no row of shape [3, 4]")
    guard case .random(_, let zeroed) = try Normal(paddingIndex: 2).fill(for: info) else {
      Issue.record("an embedding's normal is drawn")
      return
    }
    #expect(zeroed == 8..<12)
  }

  @Test func `bounds that cut nothing are streamed`() throws {
    let info = try TensorInfo(dtype: .float32, shape: [1 << 20, 1 << 15])
    let narrow = try TruncatedNormal(standardDeviation: 0.02).fill(for: info)
    guard case .random(.normal(mean: 0, standardDeviation: 0.02), zeroed: nil) = narrow else {
      Issue.record("needs the whole tensor")
      return
    }
  }

  @Test(arguments: [
    ("trunc_normal(std=0)", "trunc_normal: expected a standard deviation above 0, found 0.0"),
    ("trunc_normal(a=2, b=1)", "trunc_normal: expected its lower bound first, found 2.0 to 1.0"),
    ("sparse(1.5)", "sparse: expected a sparsity from 0 to 1, found 1.5"),
    ("xavier_uniform(gain=-1)", "expected a uniform range with its lower bound first"),
    ("normal(std=-1)", "expected a standard deviation of 0 or more, found -1.0"),
    ("dirac", "dirac: expected 3, 4, or 5 dimensions, found shape [6, 2]"),
    ("constant(0.5)", nil),
  ])
  func `values that torch refuses are refused`(text: String, message: String?) throws {
    let info = try TensorInfo(dtype: .float32, shape: [6, 2])
    let initializer = try InitializerText.parse(text)
    guard let message else {
      _ = try initializer.fill(for: info)
      return
    }
    let error = #expect(throws: CheckpointError.self) { try initializer.fill(for: info) }
    #expect(error?.message.hasPrefix(message) == true, "\(String(describing: error))")
  }

  @Test func `fans count no groups`() throws {
    let info = try TensorInfo(dtype: .float32, shape: [8, 2, 3, 3])
    let bounds = try [FanMode.fanIn, .fanOut].map { mode in
      guard
        case .random(.normal(_, let deviation), _) = try KaimingNormal(
          mode: mode, nonlinearity: .linear
        ).fill(for: info)
      else { return 0.0 }
      return deviation
    }
    #expect(bounds == [1 / 18.0.squareRoot(), 1 / 72.0.squareRoot()])
  }

  @Test func `gains are calculate_gain's`() {
    #expect(Nonlinearity.leakyReLU.gain() == (2 / 1.0001).squareRoot())
    #expect(Nonlinearity.leakyReLU.gain(1) == 1)
    #expect(Nonlinearity.tanh.gain() == 5.0 / 3)
    #expect(Nonlinearity.selu.gain() == 0.75)
    #expect(Nonlinearity.relu.gain(7) == 2.0.squareRoot())
    #expect(Nonlinearity(rawValue: "conv_transpose3d")?.gain() == 1)
  }

  @Test func `a layer's bias range follows its fan, and draws zeros for none`() {
    #expect(Uniform(fan: 4) == Uniform(lower: -0.5, upper: 0.5))
    #expect(Uniform(fan: 0).lower.sign == .plus)
  }
}
