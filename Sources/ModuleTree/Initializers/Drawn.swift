internal import TensorCore
internal import TorchRandom

/// Whole numbers drawn evenly from `low ..< high`: `torch.randint`, `Tensor.random_`.
///
/// Source: PyTorch 2.15 `random_from_to`: a 32-bit word modulo the range, 64 bits from a range of
/// 2^28 on.
struct RandomInteger: Initializer, Hashable {
  let low: Int
  let high: Int

  let name = "randint"

  func fill(for info: TensorInfo) throws -> TensorFill {
    guard low < high, info.dtype.isComputable, abs(low) < 1 << 53, abs(high) < 1 << 53 else {
      throw CheckpointError(
        .mismatched, "randint: expected low < high, found \(low) and \(high)")
    }
    let size = UInt64(high - low)
    let middle = Moments(
      mean: Double(low) + Double(size - 1) / 2, standardDeviation: Double(size) / 12.0.squareRoot())
    return .whole(middle) { [low] info, generator in
      encoded(
        (0..<info.elementCount).map { _ in
          let word = size < 1 << 28 ? UInt64(generator.nextUInt32()) : generator.nextUInt64()
          return info.dtype.settled(Double(low + Int(word % size)))
        }, as: info.dtype)
    }
  }

  var description: String { Self.syntax.text(Double(low), Double(high)) }

  static let syntax = InitializerSyntax(
    "randint", .number("low", default: 0), .number("high", default: 2)
  ) { values throws(CheckpointError) in
    RandomInteger(
      low: try values.integer(0, atLeast: -(1 << 53)),
      high: try values.integer(1, atLeast: -(1 << 53)))
  }
}

/// Ones with a probability, else zeros: `Tensor.bernoulli_(p)`, as in a dropout mask.
///
/// Source: PyTorch 2.15 `bernoulli_scalar_kernel`: a `float64` uniform below p, two words each.
struct Bernoulli: Initializer, Hashable {
  let probability: Double

  let name = "bernoulli"

  func fill(for info: TensorInfo) throws -> TensorFill {
    guard 0...1 ~= probability, info.dtype.isComputable else {
      throw CheckpointError(
        .mismatched, "bernoulli: expected a probability from 0 to 1, found \(probability)")
    }
    let moments = Moments(
      mean: probability,
      standardDeviation: (probability * (1 - probability)).squareRoot())
    return .whole(moments) { [probability] info, generator in
      encoded(
        (0..<info.elementCount).map { _ in
          Double(generator.nextUInt64() & (1 << 53 - 1)) * 0x1p-53 < probability ? 1 : 0
        }, as: info.dtype)
    }
  }

  var description: String { Self.syntax.text(probability) }

  static let syntax = InitializerSyntax(
    "bernoulli", .number("p", default: 0.5)
  ) { values throws(CheckpointError) in Bernoulli(probability: try values.number(0)) }
}

/// The numbers from 0 on in random order: `torch.randperm`.
struct RandomOrder: Initializer, Hashable {
  let name = "randperm"

  func fill(for info: TensorInfo) throws -> TensorFill {
    guard info.dtype.isComputable else {
      throw CheckpointError(
        .unsupported, "randperm: expected numbers, found \(info.dtype.torchName)")
    }
    let count = Double(info.elementCount)
    let moments = Moments(mean: (count - 1) / 2, standardDeviation: count / 12.0.squareRoot())
    return .whole(moments) { info, generator in
      encoded(
        generator.randperm(info.elementCount).map { info.dtype.settled(Double($0)) },
        as: info.dtype)
    }
  }

  var description: String { name }

  static let syntax = InitializerSyntax("randperm") { _ in RandomOrder() }
}
