public import TensorCore
internal import TorchRandom

/// Values drawn evenly so that variance is kept in both directions:
/// `torch.nn.init.xavier_uniform_`, after Glorot and Bengio (2010).
public struct XavierUniform: Initializer, Hashable {
  /// Factor that makes up for the nonlinearity.
  package let gain: Double

  public let name = "xavier_uniform"

  /// Makes the initializer of its gain.
  public init(gain: Double = 1) { self.gain = gain }

  public func fill(for info: TensorInfo) throws -> TensorFill {
    let bound = 3.0.squareRoot() * (try xavierDeviation(gain, of: info, for: name))
    return try .random(.uniform(from: -bound, to: bound), for: info)
  }

  public var description: String { Self.syntax.text(gain) }

  static let syntax = InitializerSyntax(
    "xavier_uniform", .gain("gain")
  ) { values throws(CheckpointError) in
    XavierUniform(gain: try values.number(0))
  }
}

/// Normally distributed values so that variance is kept in both directions:
/// `torch.nn.init.xavier_normal_`, after Glorot and Bengio (2010).
public struct XavierNormal: Initializer, Hashable {
  /// Factor that makes up for the nonlinearity.
  package let gain: Double

  public let name = "xavier_normal"

  /// Makes the initializer of its gain.
  public init(gain: Double = 1) { self.gain = gain }

  public func fill(for info: TensorInfo) throws -> TensorFill {
    let deviation = try xavierDeviation(gain, of: info, for: name)
    return try .random(.normal(mean: 0, standardDeviation: deviation), for: info)
  }

  public var description: String { Self.syntax.text(gain) }

  static let syntax = InitializerSyntax(
    "xavier_normal", .gain("gain")
  ) { values throws(CheckpointError) in
    XavierNormal(gain: try values.number(0))
  }
}

/// `gain · √(2 / (fan_in + fan_out))`, in PyTorch's order of operations.
private func xavierDeviation(
  _ gain: Double, of info: TensorInfo, for name: String
) throws(CheckpointError) -> Double {
  let fans = try Fans(of: info, for: name)
  let sum = Double(fans.input) + Double(fans.output)
  guard sum > 0 else {
    throw CheckpointError(
      .mismatched, "\(name): expected a fan above zero, found shape \(info.shape)")
  }
  return gain * (2.0 / sum).squareRoot()
}

extension Initializer where Self == XavierUniform {
  /// Draws evenly, with variance kept in both directions.
  public static func xavierUniform(gain: Double = 1) -> Self { XavierUniform(gain: gain) }
}

extension Initializer where Self == XavierNormal {
  /// Draws normally, with variance kept in both directions.
  public static func xavierNormal(gain: Double = 1) -> Self { XavierNormal(gain: gain) }
}
