public import TensorCore

/// A convolution that passes its inputs through: `torch.nn.init.dirac_`.
///
/// In each of the groups, output channel d has a one at input channel d in the middle of the
/// kernel, as far as there are input channels.
public struct Dirac: Initializer, Hashable {
  /// Parts into which the output channels are divided, each passing through all its inputs.
  package let groups: Int

  public let name = "dirac"

  /// Makes the initializer; `fill` refuses sizes that `groups` does not divide.
  public init(groups: Int = 1) { self.groups = groups }

  public func fill(for info: TensorInfo) throws -> TensorFill {
    guard 3...5 ~= info.shape.count else {
      throw CheckpointError(
        .mismatched, "dirac: expected 3, 4, or 5 dimensions, found shape \(info.shape)")
    }
    let outputs = info.shape[0]
    guard groups > 0, outputs.isMultiple(of: groups) else {
      throw CheckpointError(
        .mismatched,
        "dirac: expected a first size that groups=\(groups) divides, found shape \(info.shape)")
    }
    guard info.elementCount > 0 else { return .ones(at: []) }
    let inputs = info.shape[1]
    let plane = info.shape.product(along: 2...)
    // In each kernel dimension the index size / 2, as PyTorch takes it for even sizes.
    let middle = zip(info.shape, info.shape.contiguousStrides).dropFirst(2).reduce(0) {
      $0 + $1.0 / 2 * $1.1
    }
    let perGroup = outputs / groups
    return .ones(
      at: (0..<groups).flatMap { group in
        (0..<min(perGroup, inputs)).map { channel in
          ((group * perGroup + channel) * inputs + channel) * plane + middle
        }
      })
  }

  public var description: String { Self.syntax.text(Double(groups)) }

  static let syntax = InitializerSyntax(
    "dirac", .number("groups", default: 1)
  ) { values throws(CheckpointError) in
    Dirac(groups: try values.integer(0, atLeast: 1))
  }
}

extension Initializer where Self == Dirac {
  /// A convolution that passes its inputs through, group by group.
  public static func dirac(groups: Int = 1) -> Self { Dirac(groups: groups) }
}
