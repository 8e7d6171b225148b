internal import TensorCore
internal import TorchRandom

/// Draws that a script makes and throws away, as text: `10`, `randn(1000)`, `Linear(3, 4)`.
///
/// A bare number counts 32-bit words of the generator. A call consumes what PyTorch's does, a cached
/// normal included; sizes stand alone or in a tuple, `dtype=` may follow. A layer is constructed.
public struct Skip: Sendable, CustomStringConvertible {
  /// The text that was read.
  public let description: String
  /// The steps that move the generator.
  package let steps: [ConstructionStep]

  /// Words of the generator at most, so that no sum overflows.
  private static let maxWords = 1 << 60

  /// Reads the text.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` with code `malformed`, naming what was expected.
  public init(_ text: String) throws {
    let text = text.trimmed
    description = text
    if let words = Int(text), (0...Self.maxWords).contains(words) {
      steps = [.advance(words: words)]
      return
    }
    guard let (call, arguments) = PrintedArguments.call(text) else { throw Self.refuse(text) }
    if let draw = Draw(rawValue: call) {
      guard let steps = try draw.steps(arguments) else { throw Self.refuse(text) }
      self.steps = steps
    } else if KnownLayers.knows(call) || call == "Sequential" {
      steps = try LayerText.module(text).discarding()
    } else {
      throw Self.refuse(text)
    }
  }

  private static func refuse(_ text: String) -> CheckpointError {
    CheckpointError(
      .malformed,
      "skip '\(text)': expected a number of 32-bit words, a call such as randn(1000), rand(3, 4), "
        + "randint(10, (100,)), randperm(100), normal(0, 1, (10,)), or bernoulli(0.5, (10,)), "
        + "or a layer such as Linear(3, 4) or MultiheadAttention(8, 2)")
  }

  /// The functions of PyTorch that are known, by their names.
  private enum Draw: String {
    case rand, randn, randint, randperm, normal, bernoulli, uniform
    case dropout

    /// Arguments that are given by name: values in the order of their places, then others.
    private static let values = ["low", "high", "mean", "std", "a", "b", "n", "p"]
    private static let others = ["size", "dtype", "requires_grad"]

    func steps(_ arguments: PrintedArguments) throws -> [ConstructionStep]? {
      // Others, such as a generator or a device, draw from another stream.
      if let name = arguments.names.first(where: { !(Self.values + Self.others).contains($0) }) {
        throw CheckpointError(
          .malformed,
          "skip \(rawValue): expected arguments such as size and dtype, found '\(name)'")
      }
      let dtype = try arguments.text("dtype").map { text in
        guard let dtype = DType(spelled: text) else {
          throw CheckpointError(.malformed, "unknown dtype '\(text)'")
        }
        return dtype
      }
      var values = arguments.positionals
      for name in Self.values {
        if let value = arguments.text(name) { values.append(value) }
      }
      func numbers(_ count: Int) -> [Double]? {
        let taken = values.prefix(count).compactMap { try? InitializerText.number($0).constant }
        values.removeFirst(min(count, values.count))
        return taken.count == count ? taken : nil
      }
      func shape() -> [Int]? {
        let text = arguments.text("size") ?? values.joined(separator: ",")
        let parts = text.split { "()[], ".contains($0) }
        let sizes = parts.compactMap { Int($0) }.filter { $0 >= 0 }
        return sizes.count == parts.count ? sizes : nil
      }
      func filled(_ initializer: any Initializer) throws -> [ConstructionStep]? {
        guard let shape = shape() else { return nil }
        _ = try initializer.fill(for: TensorInfo(dtype: dtype ?? .float32, shape: shape))
        return [.discard(shape: shape, dtype: dtype, initializer)]
      }
      func words(_ each: Int) throws -> [ConstructionStep]? {
        guard let shape = shape() else { return nil }
        let count = try TensorInfo(dtype: .float64, shape: shape).elementCount
        return [.advance(words: count.saturated(times: each))]
      }
      switch self {
      case .rand: return try filled(Uniform())
      case .randn: return try filled(Normal())
      case .normal, .uniform:
        guard let pair = numbers(2) else { return nil }
        return try filled(
          self == .normal
            ? Normal(mean: pair[0], standardDeviation: pair[1])
            : Uniform(lower: pair[0], upper: pair[1]))
      case .randint:
        // The size is the last value, in a tuple, or `size=`.
        let hasTuple = values.last.map { "([".contains($0.first ?? " ") } ?? false
        let bounds = hasTuple ? values.count - 1 : values.count
        guard 1...2 ~= bounds, hasTuple || arguments.text("size") != nil,
          let limits = numbers(bounds)
        else { return nil }
        let range = limits.count == 2 ? limits[1] - limits[0] : limits[0]
        guard range > 0 else { return nil }
        return try words(range < 0x1p28 ? 1 : 2)
      case .randperm:
        guard let count = numbers(1).flatMap({ Int(exactly: $0[0]) }),
          (0...Skip.maxWords).contains(count)
        else { return nil }
        return [.advance(words: Generator.wordsOfRandperm(count))]
      case .bernoulli:
        // `torch.empty(…).bernoulli_(p)`: a float64 uniform for each element.
        guard numbers(1) != nil else { return nil }
        return try words(2)
      case .dropout: return try words(2)
      }
    }
  }
}

extension Module {
  /// What constructing the module draws, without the module.
  package func discarding() throws -> [ConstructionStep] {
    let plan = try Initialization(of: self, generator: Generator(seed: 0))
    return try plan.flatConstruction().compactMap { step in
      switch step.kind {
      case .fill(let name, let initializer):
        guard let info = plan.info(of: TensorName(name)) else { return nil }
        let isOwn = namedTensors(removeDuplicates: false)
          .first { $0.name == TensorName(name) }.map { $0.dtype(inModelOf: .float16) != .float16 }
        return .discard(
          shape: info.shape.sizes, dtype: isOwn == true ? info.dtype : nil, initializer)
      case .fillPart(_, let elements, let initializer):
        return .discard(shape: [elements.count], dtype: nil, initializer)
      case .discard, .advance: return step
      default: return nil
      }
    }
  }
}
