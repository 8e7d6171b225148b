internal import TensorCore
internal import TorchRandom

/// The Euclidean norm of each row of another tensor: what `weight_norm` keeps beside the weight.
///
/// The rows are along the first dimension. In `float32` the sum runs as in PyTorch's AVX2 and
/// AVX-512 builds (`binary_kernel_reduce_lastdim`, found by experiment on rows of 1 to 100 000):
/// eight sums side by side, each product rounded before it is added, then those sums in order;
/// of what is left four elements the same way, if there are so many, and the rest fused. So the
/// bits are PyTorch's. In `float64` the same holds of four sums but not of every remainder: the
/// last bit may differ.
struct RowNorms: Initializer {
  let source: TensorValues

  let name = "row_norms"

  init(of source: TensorValues) { self.source = source }

  func fill(for info: TensorInfo) throws -> TensorFill {
    let rows = source.info.shape.first ?? 1
    guard info.elementCount == rows, info.dtype == source.info.dtype else {
      throw CheckpointError(
        .mismatched,
        "found shape \(info.shape) of \(info.dtype.rawValue), required \(rows) norms of "
          + "\(source.info.dtype.rawValue)")
    }
    return .computed { [source] in
      let bytes = try source.bytes()
      let length = source.info.elementCount / max(rows, 1)
      return try norms(of: bytes, rows: rows, length: length, as: info.dtype)
    }
  }

  var description: String { "norms of rows" }
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
      var values: [Double] = []
      var norm: [Double] = []
      bytes.withRawSpan { ElementConversion.decode($0, as: info.dtype, into: &values) }
      try norms(of: bytes, rows: 1, length: count, as: info.dtype)
        .withRawSpan { ElementConversion.decode($0, as: info.dtype, into: &norm) }
      let divisor = max(norm.first ?? 0, info.dtype.rounded(1e-12))
      return encoded(values.map { $0 / divisor }, as: info.dtype)
    }
  }

  var description: String { "unit length" }
}

private func norms(
  of bytes: [UInt8], rows: Int, length: Int, as dtype: DType
) throws -> [UInt8] {
  var values: [Double] = []
  bytes.withRawSpan { ElementConversion.decode($0, as: dtype, into: &values) }
  let result = (0..<rows).map { row -> Double in
    let elements = values[row * length..<(row + 1) * length]
    return dtype == .float64
      ? sumOfSquares(elements, lanes: 4).squareRoot()
      : Double(sumOfSquares(elements.map { Float($0) }[...], lanes: 8).squareRoot())
  }
  return encoded(result, as: dtype)
}

private func sumOfSquares<Number: BinaryFloatingPoint>(
  _ elements: ArraySlice<Number>, lanes: Int
) -> Number {
  var sums = [Number](repeating: 0, count: lanes)
  let blocked = elements.count / lanes * lanes
  for index in 0..<blocked {
    let element = elements[elements.startIndex + index]
    sums[index % lanes] += element * element
  }
  var sum = sums.dropFirst().reduce(sums[0], +)
  var rest = elements.dropFirst(blocked)
  if rest.count >= lanes / 2 {
    for element in rest.prefix(lanes / 2) { sum += element * element }
    rest = rest.dropFirst(lanes / 2)
  }
  for element in rest { sum.addProduct(element, element) }
  return sum
}

private func encoded(_ values: [Double], as dtype: DType) -> [UInt8] {
  var bytes = [UInt8](repeating: 0, count: values.count * dtype.byteWidth)
  guard !bytes.isEmpty else { return bytes }
  bytes.withMutableRawSpan { _ = ElementConversion.encode(values.span, as: dtype, into: &$0) }
  return bytes
}
