import TensorCore
import Testing
import TorchRandom

@Suite struct SamplingCursorTests {
  static let dtypes: [DType] = [.float32, .float64, .bfloat16, .float16]
  static let distributions: [Distribution] = [
    .uniform(from: -1.5, to: 0.5), .uniform(from: -0.1, to: 0.1),
    .normal(mean: 0.25, standardDeviation: 2),
  ]
  static let counts = Array(0...70) + [255, 256, 257, 624, 1000, 2497, 4099]

  /// A draw and the generators it is tried from: fresh, and with a normal left over.
  struct Trial: CustomStringConvertible, Sendable {
    let dtype: DType
    let distribution: Distribution
    let contiguous: Bool
    var description: String { "\(dtype) \(distribution) contiguous=\(contiguous)" }

    static let all = SamplingCursorTests.dtypes.flatMap { dtype in
      SamplingCursorTests.distributions.flatMap { distribution in
        [true, false].map {
          Trial(dtype: dtype, distribution: distribution, contiguous: $0)
        }
      }
    }

    func sampling(_ count: Int) throws -> Sampling {
      try Sampling(distribution, dtype: dtype, count: count, contiguous: contiguous)
    }

    var starts: [Generator] {
      var used = Generator(seed: 7)
      used.skip(words: 617)
      used.cachedNormal = -0.75
      return [Generator(seed: 7), used]
    }
  }

  @Test(arguments: Trial.all)
  func `reading in parts gives the bytes of the whole`(trial: Trial) throws {
    var random = Generator(seed: 99)
    for count in Self.counts {
      let sampling = try trial.sampling(count)
      let width = trial.dtype.byteWidth
      for start in trial.starts {
        var generator = start
        let whole = generator.sample(sampling)
        var cursor = SamplingCursor(sampling, from: start)
        var parts: [UInt8] = []
        var position = 0
        while position < count {
          let length =
            1 + Int(random.nextUInt32()) % max(1, min(count, [1, 20, count][position % 3]))
          let range = position..<min(position + length, count)
          parts += cursor.bytes(range, width: width)
          position = range.upperBound
        }
        #expect(parts == whole, "\(count) elements in sequence")
        for _ in 0..<8 where count > 0 {
          let lower = Int(random.nextUInt32()) % count
          let upper = lower + Int(random.nextUInt32()) % (count - lower + 1)
          #expect(
            cursor.bytes(lower..<upper, width: width)
              == Array(whole[lower * width..<upper * width]),
            "\(lower)..<\(upper) of \(count)")
        }
      }
    }
  }

  @Test(arguments: Trial.all)
  func `skipping leaves the generator as the values one by one do`(trial: Trial) throws {
    for count in Self.counts {
      for start in trial.starts {
        var skipped = start
        try trial.sampling(count).skip(&skipped)
        let (words, cached) = trial.consumption(count: count, from: start)
        var expected = start
        expected.skip(words: words)
        #expect(skipped.nextUInt64() == expected.nextUInt64(), "\(count) elements")
        #expect((skipped.cachedNormal == nil) == !cached, "\(count) elements")
      }
    }
  }

  @Test func `elements do not depend on those before them in memory`() throws {
    let sampling = try Sampling(
      .normal(mean: 0, standardDeviation: 1), dtype: .float32, count: 1 << 40)
    var cursor = SamplingCursor(sampling, from: Generator(seed: 1))
    #expect(cursor.bytes(100_000..<100_003, width: 4).count == 12)
  }

  @Test func `a range outside the draw is a caller's mistake`() async {
    await #expect(processExitsWith: .failure) {
      let sampling = try Sampling(.uniform(from: 0, to: 1), dtype: .float32, count: 3)
      var cursor = SamplingCursor(sampling, from: Generator(seed: 1))
      _ = cursor.bytes(2..<4, width: 4)
    }
  }
}

extension SamplingCursorTests.Trial {
  /// Words that torch consumes, and whether it leaves a normal, as the facts' tables say.
  func consumption(count: Int, from start: Generator) -> (words: Int, cached: Bool) {
    let perUniform = dtype == .float64 ? 2 : 1
    let hadNormal = start.cachedNormal != nil
    guard case .normal = distribution else { return (count * perUniform, hadNormal) }
    if count < 16 || !contiguous {
      guard count > 0 else { return (0, hadNormal) }
      let fresh = hadNormal ? count - 1 : count
      return (4 * ((fresh + 1) / 2), fresh % 2 == 1)
    }
    let tail = count % 16 == 0 ? 0 : 16
    let body = dtype.byteWidth == 2 ? count / 16 * 16 : count
    return ((body + tail) * perUniform, hadNormal)
  }
}

extension SamplingCursor {
  mutating func bytes(_ elements: Range<Int>, width: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: elements.count * width)
    bytes.withMutableRawSpan { read(elements: elements, into: &$0) }
    return bytes
  }
}
