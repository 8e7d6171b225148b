internal import TensorCore
internal import TorchRandom

/// The Euclidean norms of another tensor's slices along a dimension: what `weight_norm` keeps
/// beside the weight.
///
/// In `float32` the sum of a row runs as in PyTorch's AVX2 and AVX-512 builds
/// (`binary_kernel_reduce_lastdim`, found by experiment on rows of 1 to 100 000): eight sums side by
/// side, each product rounded before it is added, then those sums in order; of what is left four
/// elements the same way, if there are that many, and the rest fused. In `float64` it is four sums,
/// and all that is left is fused. So the bits are PyTorch's. The sum of a column, along the last dimension, takes one element after another and fuses nothing.
/// With several threads PyTorch divides the norm of a whole tensor of 32 768 or more elements
/// among them; this is that of one thread.
struct Norms: Initializer {
  let source: TensorValues
  /// The dimension that is kept; `nil` for the one norm of everything.
  let dimension: Int?

  let name = "norms"

  init(of source: TensorValues, along dimension: Int?) {
    self.source = source
    self.dimension = dimension
  }

  func fill(for info: TensorInfo) throws -> TensorFill {
    let shape = source.info.shape
    let count = dimension.map { $0 < shape.count ? shape[$0] : 1 } ?? 1
    guard info.elementCount == count, info.dtype == source.info.dtype else {
      throw CheckpointError(
        .mismatched,
        "expected \(count) norms of \(source.info.dtype.rawValue), found shape \(info.shape) of "
          + "\(info.dtype.rawValue)")
    }
    return .computed { [self] in
      let bytes = try source.bytes()
      let inner = dimension.map { shape.product(along: ($0 + 1)...) } ?? 1
      let length = count > 0 ? source.info.elementCount / count : 0
      if let dimension, dimension > 0 {
        if dimension == shape.count - 1 {
          return norms(ofColumns: bytes, width: count, as: info.dtype)
        }
        return norms(
          ofRows: transposed(bytes, rows: count, inner: inner, width: info.dtype.byteWidth),
          rows: count, length: length, as: info.dtype)
      }
      return norms(ofRows: bytes, rows: count, length: length, as: info.dtype)
    }
  }

  var description: String { dimension.map { "norms along \($0)" } ?? "norm" }

  /// The elements with the first dimension and the one of size `rows` exchanged, as PyTorch lays
  /// them out before it sums.
  private func transposed(_ bytes: [UInt8], rows: Int, inner: Int, width: Int) -> [UInt8] {
    let first = source.info.shape[0]
    let middle = first * rows * inner > 0 ? bytes.count / width / (first * rows * inner) : 0
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    for row in 0..<rows {
      for between in 0..<middle {
        for outer in 0..<first {
          let start = ((outer * middle + between) * rows + row) * inner * width
          result += bytes[start..<start + inner * width]
        }
      }
    }
    return result
  }
}

/// Another tensor's values divided by their common norm: what `spectral_norm` keeps of a draw.
///
/// Source: PyTorch 2.15 `torch.nn.functional.normalize`, with `eps` 1e-12.
struct UnitVector: Initializer {
  let source: TensorValues

  let name = "unit_vector"

  init(of source: TensorValues) { self.source = source }

  func fill(for info: TensorInfo) throws -> TensorFill {
    .computed { [source] in
      let bytes = try source.bytes()
      let count = source.info.elementCount
      let norm = decoded(
        norms(ofRows: bytes, rows: 1, length: count, as: info.dtype), as: info.dtype)
      let divisor = max(norm.first ?? 0, info.dtype.rounded(1e-12))
      return encoded(decoded(bytes, as: info.dtype).map { $0 / divisor }, as: info.dtype)
    }
  }

  var description: String { "unit length" }
}

private func norms(
  ofRows bytes: [UInt8], rows: Int, length: Int, as dtype: DType
) -> [UInt8] {
  let values = decoded(bytes, as: dtype)
  let result = (0..<rows).map { row -> Double in
    let elements = values[row * length..<(row + 1) * length]
    return dtype == .float64
      ? sumOfSquares(elements, lanes: 4, halving: false).squareRoot()
      : Double(sumOfSquares(elements.map { Float($0) }[...], lanes: 8, halving: true).squareRoot())
  }
  return encoded(result, as: dtype)
}

private func norms(ofColumns bytes: [UInt8], width: Int, as dtype: DType) -> [UInt8] {
  var sums = [Double](repeating: 0, count: width)
  let round = dtype == .float64 ? dtype.rounded : DType.float32.rounded
  for (index, value) in decoded(bytes, as: dtype).enumerated() {
    // Square and sum are rounded one by one: PyTorch fuses nothing along a column.
    sums[index % width] = round(sums[index % width] + round(value * value))
  }
  return encoded(sums.map { round($0.squareRoot()) }, as: dtype)
}

private func sumOfSquares<Number: BinaryFloatingPoint>(
  _ elements: ArraySlice<Number>, lanes: Int, halving: Bool
) -> Number {
  var sums = [Number](repeating: 0, count: lanes)
  let blocked = elements.count / lanes * lanes
  for index in 0..<blocked {
    let element = elements[elements.startIndex + index]
    sums[index % lanes] += element * element
  }
  var sum = sums.dropFirst().reduce(sums[0], +)
  var rest = elements.dropFirst(blocked)
  if halving, rest.count >= lanes / 2 {
    for element in rest.prefix(lanes / 2) { sum += element * element }
    rest = rest.dropFirst(lanes / 2)
  }
  for element in rest { sum.addProduct(element, element) }
  return sum
}

private func decoded(_ bytes: [UInt8], as dtype: DType) -> [Double] {
  var values: [Double] = []
  bytes.withRawSpan { ElementConversion.decode($0, as: dtype, into: &values) }
  return values
}
