public import TensorCore
internal import TorchRandom

/// A matrix with orthonormal rows or columns, whichever are fewer.
///
/// Source: PyTorch 2.15 `torch.nn.init.orthogonal_`, after Saxe et al. (2013).
/// The tensor is read as `[size 0, all the rest]`. The normals drawn are PyTorch's; their QR
/// decomposition is done in `float64`, so values agree with PyTorch's within 5e-6 (its own last
/// bits change with the number of threads).
public struct Orthogonal: Initializer, Hashable {
  /// Factor on every value.
  package let gain: Double

  public let name = "orthogonal"

  /// The types that PyTorch decomposes matrices in.
  private static let dtypes = [DType.float32, .float64]

  /// Makes the initializer of its gain.
  public init(gain: Double = 1) { self.gain = gain }

  public func fill(for info: TensorInfo) throws -> TensorFill {
    guard info.shape.count >= 2 else {
      throw CheckpointError(
        .mismatched, "orthogonal: expected 2 or more dimensions, found shape \(info.shape)")
    }
    if info.elementCount == 0 { return .nothing }
    guard Self.dtypes.contains(info.dtype) else {
      throw CheckpointError(
        .unsupported,
        "orthogonal needs \(Self.dtypes.alternatives), as in PyTorch; "
          + "the tensor is \(info.dtype.torchName)")
    }
    let sampling = try Sampling(
      .normal(mean: 0, standardDeviation: 1), dtype: info.dtype, count: info.elementCount)
    let rows = info.shape[0]
    // Columns (or rows) of unit length, their elements evenly spread.
    let longer = max(rows, info.elementCount / rows)
    let spread = Moments(mean: 0, standardDeviation: abs(gain) / Double(longer).squareRoot())
    return .whole(spread) { info, generator in
      var values: [Double] = []
      let drawn = generator.sample(sampling)
      drawn.withRawSpan { ElementConversion.decode($0, as: info.dtype, into: &values) }
      var matrix = Matrix(rows: rows, columns: info.elementCount / rows, elements: values)
      let isWide = matrix.rows < matrix.columns
      if isWide { matrix = matrix.transposed }
      matrix = matrix.orthonormalColumns()
      if isWide { matrix = matrix.transposed }
      let scale = info.dtype.rounded(gain)
      // Q is rounded to the dtype first, then multiplied by the gain in that dtype, as
      // `q.mul_(gain)` does.
      values = matrix.elements.map { info.dtype.rounded($0) * scale }
      var bytes = drawn
      bytes.withMutableRawSpan {
        _ = ElementConversion.encode(values.span, as: info.dtype, into: &$0)
      }
      return bytes
    }
  }

  public var description: String { Self.syntax.text(gain) }

  static let syntax = InitializerSyntax(
    "orthogonal", .gain("gain")
  ) { values throws(CheckpointError) in
    Orthogonal(gain: try values.number(0))
  }
}

extension Initializer where Self == Orthogonal {
  /// Orthonormal rows or columns, times `gain`.
  public static func orthogonal(gain: Double = 1) -> Self { Orthogonal(gain: gain) }
}
