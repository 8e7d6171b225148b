import TensorCore

/// Large parameters that PaddlePaddle writes in slices, since pickles of protocols 2 and 3 have a limit.
///
/// Source: paddle 3.3, `framework/io_utils.py` (`_unpack_saved_dict`, `_pack_loaded_dict`).
extension PyTorchEntryList {
  private static let key = "UnpackBigParamInfor@@"

  /// Joins the slices that a state dict lists, each of them flat, in the place of the first.
  ///
  /// - Throws: ``CheckpointError`` `malformed` when they are not what the list says.
  mutating func joinSlices() throws(CheckpointError) {
    let pickle = file.pickle
    guard let list = pickle.item(pickle.root, Self.key), let items = pickle.items(list) else {
      return
    }
    var indices: [TensorName: Int] = [:]
    for (index, entry) in entries.enumerated() { indices[entry.name] = index }
    var joined = Joined()
    for (name, value) in pickle.named(items) {
      do throws(CheckpointError) {
        guard let shape = pickle.item(value, "OriginShape").flatMap(pickle.elements),
          let slices = pickle.item(value, "slices").flatMap(pickle.elements)
        else {
          throw CheckpointError(.malformed, "expected its shape and its slices in '\(Self.key)'")
        }
        let sizes = shape.compactMap(pickle.int)
        guard sizes.count == shape.count else {
          throw CheckpointError(.malformed, "expected integers as sizes in '\(Self.key)'")
        }
        try join(slices, sizes, TensorName(name), indices, &joined)
      } catch {
        try Rescue.leaveOut(error.adding(tensor: name))
      }
    }
    replace(joined.parts, by: joined.entries)
  }

  /// What was joined so far.
  private struct Joined {
    /// Joined tensors, by the index of their first slice.
    var entries: [Int: Checkpoint.Entry] = [:]
    /// Indices of all slices.
    var parts: Set<Int> = []
    var names: Set<TensorName> = []
  }

  private mutating func join(
    _ slices: [Pickle.Reference], _ shape: [Int], _ name: TensorName,
    _ indices: [TensorName: Int], _ joined: inout Joined
  ) throws(CheckpointError) {
    guard joined.names.insert(name).inserted,
      indices[name].map(joined.parts.contains) ?? true
    else {
      throw CheckpointError(.malformed, "is there as a whole and in slices")
    }
    var parts: [Int] = []
    var boxes: [BoxedTensor.Box] = []
    var offset = 0
    for slice in slices {
      guard let text = file.pickle.text(slice), let index = indices[TensorName(text)],
        entries[index].info.shape.count == 1,
        entries[index].info.dtype == entries[parts.first ?? index].info.dtype
      else {
        throw CheckpointError(.malformed, "one of its slices is missing, or not a flat array")
      }
      let entry = entries[index]
      parts.append(index)
      boxes.append(
        BoxedTensor.Box(offsets: [offset], sizes: entry.info.shape.sizes) { _ in entry })
      offset = [offset, entry.info.elementCount].saturatedSum()
    }
    guard let first = parts.min(), Set(parts).count == parts.count,
      joined.parts.isDisjoint(with: parts)
    else {
      throw CheckpointError(.malformed, "expected slices, found none, or one of them twice")
    }
    let info = try TensorInfo(dtype: entries[first].info.dtype, shape: shape)
    let flat = try TensorInfo(dtype: info.dtype, shape: [info.elementCount])
    let tensor = try BoxedTensor(flat, boxes)
    joined.parts.formUnion(parts)
    joined.entries[first] = Checkpoint.Entry(name: name, info: info) {
      try tensor.read($0, into: &$1)
    }
  }
}
