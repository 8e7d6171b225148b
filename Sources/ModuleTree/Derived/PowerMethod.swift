internal import TensorCore
internal import TorchRandom

/// A left or right singular vector of a weight after sixteen steps of the power method: what the
/// parametrization `spectral_norm` keeps.
///
/// Near PyTorch's values and not equal to them: its matrix products' last bits depend on the
/// kernels of the machine. Computed in `float64`.
/// Source: PyTorch 2.15 `_SpectralNorm._power_method`.
struct PowerMethod: Initializer {
  let weight: TensorValues
  let start: TensorValues
  /// The weight's dimension that the matrix's rows are along.
  let rows: Int
  let givesLeft: Bool

  let name = "power_method"

  /// Fifteen by the constructor, and one by the check that the registration makes.
  static let steps = 16

  func fill(for info: TensorInfo) throws -> TensorFill {
    .computed { [self] in
      let shape = weight.info.shape
      let height = shape[rows]
      let inner = shape.product(along: (rows + 1)...)
      let outer = shape.product(along: ..<rows)
      let width = outer * inner
      let values = try numbers(weight)
      /// Element of the matrix whose rows are moved to the front.
      func element(_ row: Int, _ column: Int) -> Double {
        values[(column / max(inner, 1) * height + row) * inner + column % max(inner, 1)]
      }
      func unit(_ vector: [Double]) -> [Double] {
        let norm = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return vector.map { $0 / max(norm, 1e-12) }
      }
      var v = try numbers(start)
      var u: [Double] = []
      // u = W v and v = Wᵀ u, each divided by its norm or by 1e-12, as `F.normalize` does.
      for _ in 0..<Self.steps {
        u = unit(
          (0..<height).map { row in (0..<width).reduce(0) { $0 + element(row, $1) * v[$1] } })
        v = unit(
          (0..<width).map { column in
            (0..<height).reduce(0) { $0 + element($1, column) * u[$1] }
          })
      }
      let result = givesLeft ? u : v
      var bytes = [UInt8](repeating: 0, count: info.byteCount)
      if result.isEmpty { return bytes }
      bytes.withMutableRawSpan {
        _ = ElementConversion.encode(result.span, as: info.dtype, into: &$0)
      }
      return bytes
    }
  }

  private func numbers(_ tensor: TensorValues) throws -> [Double] {
    var numbers: [Double] = []
    try tensor.bytes().withRawSpan {
      ElementConversion.decode($0, as: tensor.info.dtype, into: &numbers)
    }
    return numbers
  }

  var description: String { "power method" }
}
