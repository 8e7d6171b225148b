public import TensorCore
internal import TorchRandom

/// Normally distributed values with a share of every column set to zero:
/// `torch.nn.init.sparse_`, after Martens (2010).
public struct Sparse: Initializer, Hashable {
  /// Share of each column's rows that is zero, `0 ... 1`, rounded up to whole rows.
  package let sparsity: Double
  /// Standard deviation of the other values.
  package let standardDeviation: Double

  public let name = "sparse"

  /// Makes the initializer; `fill` refuses a share outside `0 ... 1`.
  public init(sparsity: Double, standardDeviation: Double = 0.01) {
    self.sparsity = sparsity
    self.standardDeviation = standardDeviation
  }

  public func fill(for info: TensorInfo) throws -> TensorFill {
    guard info.shape.count == 2 else {
      throw CheckpointError(.mismatched, "sparse: expected 2 dimensions, found shape \(info.shape)")
    }
    guard 0...1 ~= sparsity else {
      throw CheckpointError(
        .mismatched, "sparse: expected a sparsity from 0 to 1, found \(sparsity)")
    }
    let sampling = try Sampling(
      .normal(mean: 0, standardDeviation: standardDeviation), dtype: info.dtype,
      count: info.elementCount)
    let (rows, columns) = (info.shape[0], info.shape[1])
    let zeros = Int((sparsity * Double(rows)).rounded(.up))
    let kept = rows > 0 ? Double(rows - zeros) / Double(rows) : 0
    let spread = Moments(mean: 0, standardDeviation: standardDeviation * kept.squareRoot())
    return .whole(spread) { info, generator in
      var bytes = generator.sample(sampling)
      let width = info.dtype.byteWidth
      for column in 0..<columns {
        // A permutation of all rows for each column, after all normals. PyTorch takes them from its
        // default generator even if another is given; here there is only one.
        for row in generator.randperm(rows).prefix(zeros) {
          let first = (row * columns + column) * width
          for index in first..<first + width { bytes[index] = 0 }
        }
      }
      return bytes
    }
  }

  public var description: String { Self.syntax.text(sparsity, standardDeviation) }

  static let syntax = InitializerSyntax(
    "sparse", .required("sparsity"), .number("std", default: 0.01)
  ) { values throws(CheckpointError) in
    Sparse(sparsity: try values.number(0), standardDeviation: try values.number(1))
  }
}

extension Initializer where Self == Sparse {
  /// Draws normally, then sets a share of every column to zero.
  public static func sparse(sparsity: Double, standardDeviation: Double = 0.01) -> Self {
    Sparse(sparsity: sparsity, standardDeviation: standardDeviation)
  }
}
