public import TensorCore
internal import TorchRandom

/// Values of a normal distribution, one row of the tensor zeroed if asked for:
/// `torch.nn.init.normal_`, and what `Embedding` does with its padding row.
public struct Normal: Initializer, Hashable {
  /// Center of the distribution.
  package let mean: Double
  /// Standard deviation, zero or more; zero still draws.
  package let standardDeviation: Double
  /// Row of the first dimension that is set to zero after drawing.
  package let paddingIndex: Int?

  public let name = "normal"

  /// Makes the initializer of its parameters; `fill` refuses a negative standard deviation.
  public init(mean: Double = 0, standardDeviation: Double = 1, paddingIndex: Int? = nil) {
    self.mean = mean
    self.standardDeviation = standardDeviation
    self.paddingIndex = paddingIndex
  }

  public func fill(for info: TensorInfo) throws -> TensorFill {
    var zeroed: Range<Int>?
    if let paddingIndex {
      guard let rows = info.shape.first, 0..<rows ~= paddingIndex else {
        throw CheckpointError(
          .mismatched,
          "padding_idx \(paddingIndex) names no row of shape \(info.shape)")
      }
      let width = info.elementCount / rows
      zeroed = paddingIndex * width..<(paddingIndex + 1) * width
    }
    return try .random(
      .normal(mean: mean, standardDeviation: standardDeviation), for: info, zeroed: zeroed)
  }

  public var description: String {
    Self.syntax.text(mean, standardDeviation, paddingIndex.map(Double.init))
  }

  static let syntax = InitializerSyntax(
    "normal", .number("mean", default: 0), .number("std", default: 1), .optional("padding_idx")
  ) { values throws(CheckpointError) in
    Normal(
      mean: try values.number(0), standardDeviation: try values.number(1),
      paddingIndex: try values.optionalInteger(2, atLeast: 0))
  }
}

extension Initializer where Self == Normal {
  /// Draws around `mean`; the row `paddingIndex` is then set to zero.
  public static func normal(
    mean: Double = 0, standardDeviation: Double = 1, paddingIndex: Int? = nil
  ) -> Self {
    Normal(mean: mean, standardDeviation: standardDeviation, paddingIndex: paddingIndex)
  }
}
