import Strided
import TensorCore

/// Arrays of NumPy, and tensors whose bytes are in the pickle.
extension PyTorchTensorDecoder {
  /// The array of NumPy that a value is; `nil` for another value.
  func array(_ reference: Pickle.Reference) -> PickledArray? {
    PickledArray(reference, in: pickle)
  }

  /// The tensor that an array is.
  ///
  /// - Throws: ``CheckpointError`` `malformed` when shape and bytes do not agree.
  func decode(_ array: PickledArray) throws(CheckpointError) -> PyTorchValue {
    guard case .numbers(let dtype, let isBigEndian, _) = array.elements else {
      guard case .other(let what) = array.elements else {
        throw Self.refused("an array of numbers", "an array of objects")
      }
      return .unread("is \(what), which is not supported")
    }
    guard let bytes = array.bytes(in: pickle) else {
      throw Self.refused("the bytes of an array", "something else")
    }
    let shape = try Shape(sizes(array.shape))
    let info = try TensorInfo(dtype: dtype, shape: shape)
    guard bytes.count == info.byteCount else {
      throw CheckpointError(
        .malformed,
        "expected \(info.byteCount) bytes for shape \(shape) of \(dtype.rawValue), found "
          + "\(bytes.count)")
    }
    let strides =
      array.isFortranOrder && info.byteCount > 0
      ? shape.indices.map { shape.product(along: ..<$0) } : shape.contiguousStrides
    let storage = PyTorchStorageReference(
      key: "", elementWidth: dtype.byteWidth, byteCount: bytes.count,
      pickled: PyTorchStorageReference.Pickled(bytes: bytes, isBigEndian: isBigEndian))
    return .tensor(
      PyTorchTensor(
        storage: storage, info: info, layout: try StridedLayout(info, strides: strides, offset: 0)))
  }

  /// The elements of an array of objects, named by their indices; `nil` for another value.
  ///
  /// The only element of an array without dimensions has an empty name: `numpy.save` makes such an
  /// array of a dictionary.
  func objects(
    _ reference: Pickle.Reference
  ) -> [(name: String, value: Pickle.Reference)]? {
    guard let array = array(reference), case .objects = array.elements,
      let elements = array.objects(in: pickle)
    else { return nil }
    let shape = (try? sizes(array.shape)) ?? [elements.count]
    if shape.isEmpty, elements.count == 1 { return [("", elements[0])] }
    return elements.enumerated().map { index, element in
      var rest = index
      var indices: [Int] = []
      for size in shape.dropFirst().reversed() where size > 0 {
        indices.append(rest % size)
        rest /= size
      }
      indices.append(rest)
      return (indices.reversed().map(String.init).joined(separator: "."), element)
    }
  }

  /// Whether a value is a random generator of NumPy, whose arrays are its state and no tensors.
  func isRandomState(_ reference: Pickle.Reference) -> Bool {
    guard case .object(let index) = pickle[reference],
      let callee = pickle.callee(pickle.objects[index])
    else { return false }
    return PyTorchGlobals.isRandomState(callee)
  }

  /// A tensor of a subclass, from the arguments of `_rebuild_from_type_v2`.
  func subclass(
    _ arguments: [Pickle.Reference], depth: Int
  ) throws(CheckpointError) -> PyTorchValue {
    guard let maker = pickle.global(arguments[0])?.fullName else {
      return .unread("is made by an unrecognized function")
    }
    if maker == "torch._utils._rebuild_wrapper_subclass",
      let local = try local(arguments, depth: depth)
    {
      return local
    }
    guard PyTorchGlobals.tensorMakers.contains(maker), let inner = pickle.elements(arguments[2])
    else { return .unread("is made by an unrecognized function") }
    return try decode(maker, inner, depth: depth + 1)
  }

  /// The local part of a tensor that is distributed among several processes (`DTensor`), and where it
  /// belongs; `nil` for another subclass.
  func local(
    _ arguments: [Pickle.Reference], depth: Int
  ) throws(CheckpointError) -> PyTorchValue? {
    guard arguments.count > 3, let type = pickle.global(arguments[1]), type.name == "DTensor",
      // The state is the `__dict__`, or the slots, or a pair of both.
      let state = ([arguments[3]] + (pickle.elements(arguments[3]) ?? [])).first(where: { state in
        pickle.items(state) != nil && pickle.item(state, "_local_tensor") != nil
      }),
      let part = pickle.item(state, "_local_tensor"), isTensor(part),
      case .tensor(let tensor) = try decode(part, depth: depth + 1)
    else { return nil }
    return .local(tensor, place: pickle.item(state, "_spec").flatMap(place) ?? "")
  }

  /// Where a local part belongs: `Shard(0) of [4, 3]`.
  private func place(_ specification: Pickle.Reference) -> String? {
    guard let fields = pickle.object(specification)?.state else { return nil }
    let placements = (pickle.item(fields, "placements").flatMap { pickle.elements($0) } ?? []).map {
      placement -> String in
      guard let object = pickle.object(placement), let name = pickle.callee(object)?.name else {
        return "?"
      }
      let dimension = object.state.flatMap { pickle.item($0, "dim") }.flatMap { pickle.int($0) }
      return "\(name)(\(dimension.map(String.init) ?? ""))"
    }
    let whole = pickle.item(fields, "tensor_meta").flatMap { meta -> [Int]? in
      guard let object = pickle.object(meta),
        let shape = pickle.elements(object.arguments)?.first
          ?? object.state.flatMap({ pickle.item($0, "shape") })
      else { return nil }
      return try? sizes(shape)
    }
    return placements.joined(separator: ", ") + (whole.map { " of \($0)" } ?? "")
  }
}
