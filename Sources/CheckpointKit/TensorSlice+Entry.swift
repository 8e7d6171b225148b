import Strided
public import TensorCore

extension TensorSlice {
  /// The part as a tensor of its own, with the same name; nothing is read until it is.
  ///
  /// - Throws: `CheckpointError` `mismatched` when the slice was made for another shape, `unsupported`
  ///   for types that store elements in blocks.
  public func entry(of tensor: Checkpoint.Entry) throws(CheckpointError) -> Checkpoint.Entry {
    let sizes = tensor.info.shape
    let isInside = zip(axes, sizes).allSatisfy { axis, size in
      axis.count == 0 || axis.start + (axis.count - 1) * axis.step < size
    }
    guard axes.count == sizes.count, isInside else {
      throw CheckpointError(
        .mismatched, "expected a slice of shape \(sizes), found one of another shape",
        tensor: tensor.name.text)
    }
    let info = try TensorInfo(dtype: tensor.info.dtype, shape: shape)
    // An empty part may begin after the last element; nothing of it is read.
    let first = [Int](repeating: 0, count: axes.count)
    let offset = info.byteCount == 0 ? 0 : elementOffset(of: first, in: tensor.info)
    let strides = zip(axes, sizes.contiguousStrides).compactMap { axis, stride in
      axis.isIndex ? nil : stride.saturated(times: axis.step)
    }
    let view = StridedView(try StridedLayout(info, strides: strides, offset: offset))
    return Checkpoint.Entry(tensor.name, info, gathering: view, from: tensor)
  }
}
