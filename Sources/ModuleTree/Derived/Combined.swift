internal import TensorCore
internal import TorchRandom

/// The sum, difference, product, … of two tensors of one type, element by element.
///
/// Rounded once, as PyTorch rounds it; 16-bit types are computed in `float32`.
struct Combined: Initializer {
  let left: TensorValues
  let right: TensorValues
  let sign: DerivedStep.Operator

  let name = "combined"

  func fill(for info: TensorInfo) throws -> TensorFill {
    guard left.info.dtype == info.dtype, right.info.dtype == info.dtype, info.dtype.isDrawable,
      left.info.elementCount == info.elementCount, right.info.elementCount == info.elementCount
    else {
      throw CheckpointError(
        .mismatched,
        "expected two tensors of \(info.elementCount) elements of \(info.dtype.torchName), found "
          + "\(left.info.dtype.torchName) \(left.info.shape) and \(right.info.dtype.torchName) "
          + "\(right.info.shape)")
    }
    return .streamed { [left, right, sign] in
      let (readLeft, readRight) = (try left.reader(), try right.reader())
      let dtype = info.dtype
      return { range, target in
        try target.fillElements(range, width: dtype.byteWidth) { elements, bytes in
          let part = elements.lowerBound * dtype.byteWidth..<elements.upperBound * dtype.byteWidth
          var (ours, theirs): ([Double], [Double]) = ([], [])
          try readLeft(part, &bytes)
          ElementConversion.decode(bytes.bytes, as: dtype, into: &ours)
          try readRight(part, &bytes)
          ElementConversion.decode(bytes.bytes, as: dtype, into: &theirs)
          for index in ours.indices {
            ours[index] = dtype.computingType.rounded(sign.apply(ours[index], theirs[index]))
          }
          _ = ElementConversion.encode(ours.span, as: dtype, into: &bytes)
        }
      }
    }
  }

  var description: String { "combined by \(sign.rawValue)" }
}

extension DerivedStep.Operator {
  fileprivate func apply(_ left: Double, _ right: Double) -> Double {
    switch self {
    case .plus: left + right
    case .minus: left - right
    case .times: left * right
    case .over: left / right
    case .minimum: left.isNaN || right.isNaN ? .nan : min(left, right)
    case .keep: right == 0 ? 0 : left
    case .maximum: left.isNaN || right.isNaN ? .nan : max(left, right)
    }
  }
}
