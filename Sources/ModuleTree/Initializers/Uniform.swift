public import TensorCore
internal import TorchRandom

/// Values drawn evenly from `lower ..< upper`: `torch.nn.init.uniform_`.
public struct Uniform: Initializer, Hashable {
  /// Least value.
  package let lower: Double
  /// Bound that no value reaches, unless it equals `lower`.
  package let upper: Double

  public let name = "uniform"

  /// Makes the initializer of its bounds; `fill` refuses a reversed range.
  public init(lower: Double = 0, upper: Double = 1) {
    self.lower = lower
    self.upper = upper
  }

  /// The range that most layers' biases take: ±1/√fan, or zeros, still drawn, if `fan` is zero.
  package init(fan: Int) {
    let bound = fan > 0 ? 1 / Double(fan).squareRoot() : 0
    self.init(lower: 0 - bound, upper: bound)
  }

  public func fill(for info: TensorInfo) throws -> TensorFill {
    try .random(.uniform(from: lower, to: upper), for: info)
  }

  public var description: String { Self.syntax.text(lower, upper) }

  static let syntax = InitializerSyntax(
    "uniform", .number("a", default: 0), .number("b", default: 1)
  ) { values throws(CheckpointError) in
    Uniform(lower: try values.number(0), upper: try values.number(1))
  }
}

extension Initializer where Self == Uniform {
  /// Draws from `lower ..< upper`.
  public static func uniform(_ lower: Double = 0, _ upper: Double = 1) -> Self {
    Uniform(lower: lower, upper: upper)
  }

  /// Draws from ±`bound`.
  public static func uniform(within bound: Double) -> Self {
    Uniform(lower: -bound, upper: bound)
  }

  /// Draws from ±1/√`fan`, the default of most biases and of recurrent layers.
  public static func uniform(fan: Int) -> Self { Uniform(fan: fan) }
}
