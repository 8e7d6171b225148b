public import TensorCore
internal import TorchRandom

/// How far Kaiming values spread: `gain / √fan`.
///
/// Source: PyTorch 2.15 `kaiming_uniform_`, `kaiming_normal_`, after He et al. (2015).
package struct KaimingScale: Sendable, Hashable {
  /// Negative slope of the leaky ReLU that follows; other nonlinearities ignore it.
  package let slope: Double
  /// Which fan counts.
  package let mode: FanMode
  /// The function that follows the layer.
  package let nonlinearity: Nonlinearity

  /// The standard deviation, or `nil` for an empty tensor, which PyTorch leaves alone before it
  /// looks at the number of dimensions.
  fileprivate func deviation(
    of info: TensorInfo, for name: String
  ) throws(CheckpointError) -> Double? {
    if info.shape.contains(0) { return nil }
    let fan = try Fans(of: info, for: name)[mode]
    // In Python's order of operations, all in float64: another order changes the last bit of some
    // bounds.
    return nonlinearity.gain(slope) / Double(fan).squareRoot()
  }

  fileprivate func text(_ name: String) -> String {
    var parts: [String] = []
    if slope != 0 { parts.append("a=\(InitializerSyntax.text(slope))") }
    if mode != .fanIn { parts.append("mode=\(mode.rawValue)") }
    if nonlinearity != .leakyReLU { parts.append("nonlinearity=\(nonlinearity.rawValue)") }
    return parts.isEmpty ? name : "\(name)(\(parts.joined(separator: ", ")))"
  }

  fileprivate static func syntax(
    _ name: String, _ make: @escaping @Sendable (Self) -> any Initializer
  ) -> InitializerSyntax {
    InitializerSyntax(
      name, .number("a", default: 0), .word("mode", default: FanMode.fanIn.rawValue),
      .word("nonlinearity", default: Nonlinearity.leakyReLU.rawValue)
    ) { values throws(CheckpointError) in
      make(
        Self(
          slope: try values.number(0), mode: try values.word(1, FanMode.self),
          nonlinearity: try values.word(2, Nonlinearity.self)))
    }
  }
}

/// Values drawn evenly so that variance is kept in one direction through a rectifier.
///
/// Source: `torch.nn.init.kaiming_uniform_`; with `a` = √5 the default of Linear and Conv weights.
public struct KaimingUniform: Initializer, Hashable {
  /// Slope, fan and nonlinearity.
  package let scale: KaimingScale

  public let name = "kaiming_uniform"

  /// Makes the initializer of its parameters.
  public init(
    a: Double = 0, mode: FanMode = .fanIn, nonlinearity: Nonlinearity = .leakyReLU
  ) {
    scale = KaimingScale(slope: a, mode: mode, nonlinearity: nonlinearity)
  }

  public func fill(for info: TensorInfo) throws -> TensorFill {
    guard let deviation = try scale.deviation(of: info, for: name) else { return .nothing }
    let bound = 3.0.squareRoot() * deviation
    return try .random(.uniform(from: -bound, to: bound), for: info)
  }

  public var description: String { scale.text(name) }

  static let syntax = KaimingScale.syntax("kaiming_uniform") {
    KaimingUniform(a: $0.slope, mode: $0.mode, nonlinearity: $0.nonlinearity)
  }
}

/// Normally distributed values so that variance is kept in one direction through a rectifier:
/// `torch.nn.init.kaiming_normal_`.
public struct KaimingNormal: Initializer, Hashable {
  /// Slope, fan and nonlinearity.
  package let scale: KaimingScale

  public let name = "kaiming_normal"

  /// Makes the initializer of its parameters.
  public init(
    a: Double = 0, mode: FanMode = .fanIn, nonlinearity: Nonlinearity = .leakyReLU
  ) {
    scale = KaimingScale(slope: a, mode: mode, nonlinearity: nonlinearity)
  }

  public func fill(for info: TensorInfo) throws -> TensorFill {
    guard let deviation = try scale.deviation(of: info, for: name) else { return .nothing }
    return try .random(.normal(mean: 0, standardDeviation: deviation), for: info)
  }

  public var description: String { scale.text(name) }

  static let syntax = KaimingScale.syntax("kaiming_normal") {
    KaimingNormal(a: $0.slope, mode: $0.mode, nonlinearity: $0.nonlinearity)
  }
}

extension Initializer where Self == KaimingUniform {
  /// Draws evenly; `.kaimingUniform(a: 5.0.squareRoot())` is the default of Linear and Conv.
  public static func kaimingUniform(
    a: Double = 0, mode: FanMode = .fanIn, nonlinearity: Nonlinearity = .leakyReLU
  ) -> Self {
    KaimingUniform(a: a, mode: mode, nonlinearity: nonlinearity)
  }
}

extension Initializer where Self == KaimingNormal {
  /// Draws normally, with variance kept in one direction.
  public static func kaimingNormal(
    a: Double = 0, mode: FanMode = .fanIn, nonlinearity: Nonlinearity = .leakyReLU
  ) -> Self {
    KaimingNormal(a: a, mode: mode, nonlinearity: nonlinearity)
  }
}
