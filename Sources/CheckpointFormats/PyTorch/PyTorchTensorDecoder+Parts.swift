import TensorCore

/// Tensors that PyTorch stores as several: quantized and sparse ones.
extension PyTorchTensorDecoder {
  /// The integers of a quantized tensor, and what turns them into numbers.
  func quantized(
    _ arguments: [Pickle.Reference], depth: Int
  ) throws(CheckpointError) -> PyTorchValue {
    guard case .tensor(let integers) = try view(arguments, dtype: nil, metadata: nil),
      let scheme = pickle.elements(arguments[4]), scheme.count >= 3,
      let name = pickle.global(scheme[0])?.fullName
    else { throw Self.refused("a quantized tensor", "something else") }
    var parts = [(suffix: "", tensor: integers)]
    if name == "torch.per_tensor_affine" {
      guard case .float(let scale) = pickle[scheme[1]], let zero = pickle.int(scheme[2]) else {
        throw Self.refused("a scale and a zero point", "something else")
      }
      return .parts(
        parts, numbers: [("q_scale", .real(scale)), ("q_zero_point", .integer(zero))],
        note: "is quantized with scale \(scale) and zero point \(zero): its integers are read, and "
          + "both numbers as tensors beside them")
    }
    let names = ["q_per_channel_scales", "q_per_channel_zero_points"]
    for (suffix, part) in zip(names, scheme[1...]) where isTensor(part) {
      guard case .tensor(let tensor) = try decode(part, depth: depth + 1) else { continue }
      parts.append((suffix, tensor))
    }
    let axis = scheme.count > 3 ? pickle.int(scheme[3]) : nil
    return .parts(
      parts, numbers: axis.map { [("q_per_channel_axis", .integer($0))] } ?? [],
      note: "is quantized (\(name)): its integers, scales, and zero points are read")
  }

  /// The parts of a sparse tensor, and its shape.
  func sparse(
    _ arguments: [Pickle.Reference], depth: Int
  ) throws(CheckpointError) -> PyTorchValue {
    guard let layout = pickle.object(arguments[0]),
      let kind = pickle.elements(layout.arguments)?.first.flatMap({ pickle.text($0) }),
      let data = pickle.elements(arguments[1])
    else { throw Self.refused("a sparse tensor", "something else") }
    let names: [String]
    switch kind {
    case "torch.sparse_coo": names = ["indices", "values"]
    case "torch.sparse_csr", "torch.sparse_bsr": names = ["crow_indices", "col_indices", "values"]
    case "torch.sparse_csc", "torch.sparse_bsc": names = ["ccol_indices", "row_indices", "values"]
    default: return .unread("has layout \(kind), which is not supported")
    }
    guard data.count > names.count else {
      throw CheckpointError(
        .malformed, "\(kind): expected \(names.count + 1) parts, found \(data.count)")
    }
    var parts: [(suffix: String, tensor: PyTorchTensor)] = []
    for (name, part) in zip(names, data) {
      guard isTensor(part), case .tensor(let tensor) = try decode(part, depth: depth + 1) else {
        throw Self.refused("the \(name) of a sparse tensor", "something else")
      }
      parts.append((name, tensor))
    }
    let shape = try sizes(data[names.count])
    return .parts(
      parts, numbers: [("size", .integers(shape))],
      note: "of shape \(shape) is sparse (\(kind)):"
        + " its \(names.joined(separator: ", ")) are read, and its shape as 'size'")
  }
}
