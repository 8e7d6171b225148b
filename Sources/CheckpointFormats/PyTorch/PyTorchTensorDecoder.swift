import Strided
import TensorCore

/// Turns the calls that a pickle describes into tensors; source: torch 2.15 `_utils.py`, `_tensor.py`.
struct PyTorchTensorDecoder {
  let pickle: Pickle
  /// Tensors that the pickle refers to by persistent IDs of their own, as in the oldest files.
  var outside: [String: PyTorchTensor] = [:]
  /// Storages that are files of PyTorch in bytes of the pickle; `nil` inside of such a file.
  private let nested: PickledStorages?

  init(pickle: Pickle, outside: [String: PyTorchTensor] = [:], isNested: Bool = false) {
    self.pickle = pickle
    self.outside = outside
    nested = isNested ? nil : PickledStorages()
  }

  /// Whether a value is a call that makes a tensor.
  func isTensor(_ reference: Pickle.Reference) -> Bool {
    switch pickle[reference] {
    case .object(let index):
      guard let callee = pickle.callee(pickle.objects[index]) else { return false }
      let name = callee.fullName
      return PyTorchGlobals.tensorMakers.contains(name)
        || PyTorchGlobals.unreadTensorMakers.contains(name)
        || PickledArray.isMaker(callee) && array(reference)?.isTensor == true
    case .persistent(let identifier):
      return !outside.isEmpty && outside[pickle.keyText(identifier) ?? ""] != nil
    default: return false
    }
  }

  /// The tensor that a value describes; ``isTensor(_:)`` must be true for it.
  ///
  /// - Throws: ``CheckpointError`` `malformed` when its arguments are not those that PyTorch writes.
  func decode(_ reference: Pickle.Reference) throws(CheckpointError) -> PyTorchValue {
    try decode(reference, depth: 0)
  }

  func decode(
    _ reference: Pickle.Reference, depth: Int
  ) throws(CheckpointError) -> PyTorchValue {
    if case .persistent(let identifier) = pickle[reference],
      let tensor = outside[pickle.keyText(identifier) ?? ""]
    {
      return .tensor(tensor)
    }
    guard let object = pickle.object(reference), let callee = pickle.callee(object),
      let arguments = pickle.elements(object.arguments), depth < 8
    else { throw Self.refused("a tensor", "something else") }
    return try CheckpointError.placing(offset: object.offset) { () throws(CheckpointError) in
      if let array = array(reference) { return try decode(array) }
      guard object.items.isEmpty, object.elements.isEmpty else {
        throw Self.refused("a tensor", "an object with items")
      }
      return try decode(callee.fullName, arguments, depth: depth)
    }
  }

  func decode(
    _ name: String, _ arguments: [Pickle.Reference], depth: Int
  ) throws(CheckpointError) -> PyTorchValue {
    func require(_ count: Int) throws(CheckpointError) {
      guard arguments.count >= count else {
        throw CheckpointError(
          .malformed, "\(name): expected \(count) arguments, found \(arguments.count)")
      }
    }
    switch name {
    case "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2":
      try require(4)
      let metadata = arguments.count > 6 ? arguments[6] : nil
      return try view(arguments, dtype: nil, metadata: metadata)
    case "torch._utils._rebuild_tensor_v3":
      try require(7)
      guard let dtype = pickle.global(arguments[6]) else {
        throw Self.refused("a dtype", "something else")
      }
      return try view(
        arguments, dtype: dtype, metadata: arguments.count > 7 ? arguments[7] : nil)
    case "torch._utils._rebuild_qtensor":
      try require(5)
      return try quantized(arguments, depth: depth)
    case "torch._utils._rebuild_sparse_tensor":
      try require(2)
      return try sparse(arguments, depth: depth)
    case "torch._utils._rebuild_meta_tensor_no_storage":
      try require(2)
      let dtype = pickle.global(arguments[0])?.shownName ?? "an unknown type"
      let shape = try sizes(arguments[1])
      return .unread("of \(dtype) and shape \(shape) was on the meta device and has no elements")
    case "torch._tensor._rebuild_from_type_v2", "torch._tensor._rebuild_from_type",
      "torch.tensor._rebuild_from_type":
      try require(3)
      return try subclass(arguments, depth: depth)
    case _ where PyTorchGlobals.unreadTensorMakers.contains(name):
      return .unread("is stored through \(name), which is not supported")
    default:
      // A parameter, or a copy from another device: its first argument is the tensor.
      try require(1)
      guard isTensor(arguments[0]) else { throw Self.refused("a tensor", "something else") }
      return try decode(arguments[0], depth: depth + 1)
    }
  }

  static func refused(_ wanted: String, _ found: String) -> CheckpointError {
    CheckpointError(.malformed, "expected \(wanted), found \(found)")
  }

  // MARK: - Views of storages

  func view(
    _ arguments: [Pickle.Reference], dtype: Pickle.Global?, metadata: Pickle.Reference?
  ) throws(CheckpointError) -> PyTorchValue {
    let (storage, type) = try storage(arguments[0])
    let element: DType
    switch (dtype, type) {
    case (nil, .typed(let typed)): element = typed
    case (nil, .untyped): throw Self.refused("a storage of elements", "a storage of bytes")
    case (let dtype?, _):
      guard let known = PyTorchGlobals.dtype(dtype) else {
        return .unread("has dtype \(dtype.fullName), which is not supported")
      }
      element = known
    }
    // Arguments: storage, offset, sizes, strides (the last three in elements), requires_grad,
    // hooks; then the dtype in version 3, and a dictionary such as {'conj': True}.
    guard let offset = pickle.int(arguments[1]) else {
      throw Self.refused("a storage offset", "something else")
    }
    var shape = try Shape(sizes(arguments[2]))
    var strides = try sizes(arguments[3])
    var start = offset
    if element == .float4e2m1 {
      // PyTorch counts pairs of elements; here, as in safetensors, each element counts.
      guard strides == shape.contiguousStrides else {
        return .unread("of \(element.torchName) is a view with gaps, which is not supported")
      }
      shape = try Shape(
        shape.isEmpty ? [2] : shape.dropLast() + [try doubled(shape[shape.count - 1])])
      strides = shape.contiguousStrides
      start = try doubled(offset)
    }
    let info = try TensorInfo(dtype: element, shape: shape)
    let layout = try StridedLayout(info, strides: strides, offset: start)
    // The check that keeps a pickle from reading beyond its storage: offset and strides are its
    // own.
    guard layout.reach <= storage.byteCount else {
      throw CheckpointError(
        .malformed,
        "shape \(shape) with strides \(strides) at offset \(offset) extends to byte \(layout.reach)"
          + " of its storage, which has \(storage.byteCount)")
    }
    var tensor = PyTorchTensor(storage: storage, info: info, layout: layout)
    if let metadata {
      let isTrue = { (key: String) in
        guard let value = pickle.item(metadata, key), case .bool(true) = pickle[value] else {
          return false
        }
        return true
      }
      tensor.change = ElementChange(isConjugate: isTrue("conj"), isNegative: isTrue("neg"))
    }
    return .tensor(tensor)
  }

  private func doubled(_ number: Int) throws(CheckpointError) -> Int {
    let (double, overflow) = number.multipliedReportingOverflow(by: 2)
    if overflow { throw CheckpointError(.malformed, "overflow: twice \(number)") }
    return double
  }

  /// A list of sizes or strides: a tuple, a list, or a `torch.Size`.
  func sizes(_ reference: Pickle.Reference) throws(CheckpointError) -> [Int] {
    var elements = pickle.elements(reference)
    if elements == nil, let object = pickle.object(reference),
      pickle.callee(object)?.fullName == "torch.Size",
      let argument = pickle.elements(object.arguments)?.first
    {
      elements = pickle.elements(argument)
    }
    guard let elements else { throw Self.refused("a tuple of sizes", "something else") }
    guard elements.count <= StridedLayout.maxRank else {
      throw CheckpointError(
        .malformed,
        "expected at most \(StridedLayout.maxRank) dimensions, found \(elements.count)")
    }
    var sizes: [Int] = []
    for element in elements {
      guard let size = pickle.int(element) else {
        throw Self.refused("a 64-bit integer", "something else")
      }
      sizes.append(size)
    }
    return sizes
  }

  /// The storage of a persistent ID `('storage', class, key, location, count[, view])`.
  func storage(
    _ reference: Pickle.Reference
  ) throws(CheckpointError) -> (PyTorchStorageReference, PyTorchGlobals.StorageType) {
    if let nested, let found = try nested.storage(reference, in: pickle) { return found }
    guard case .persistent(let identifier) = pickle[reference],
      let parts = pickle.elements(identifier), parts.count == 5 || parts.count == 6,
      pickle.text(parts[0]) == "storage"
    else { throw Self.refused("a storage", "something else") }
    guard let global = pickle.global(parts[1]), let type = PyTorchGlobals.storage(global) else {
      throw Self.refused(
        "a storage class", pickle.global(parts[1])?.fullName ?? "something else")
    }
    guard let key = pickle.keyText(parts[2]), !key.isEmpty,
      !key.utf8.contains(where: { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") }),
      key != ".", key != ".."
    else { throw Self.refused("the name of a storage's record", "something else") }
    let byteCount = try bytes(parts[4], of: type)
    var storage = PyTorchStorageReference(
      key: key, elementWidth: type.byteWidth, byteCount: byteCount)
    if parts.count == 6, let view = pickle.elements(parts[5]) {
      guard view.count == 3 else { throw Self.refused("a part of a storage", "something else") }
      storage = PyTorchStorageReference(
        key: key, elementWidth: type.byteWidth, byteCount: try bytes(view[2], of: type),
        viewOffset: try bytes(view[1], of: type))
      let (end, overflow) = storage.viewOffset.addingReportingOverflow(storage.byteCount)
      guard !overflow, end <= byteCount else {
        throw CheckpointError(
          .malformed, "a part of storage '\(key)' extends beyond its \(byteCount) bytes")
      }
    }
    return (storage, type)
  }

  private func bytes(
    _ reference: Pickle.Reference, of type: PyTorchGlobals.StorageType
  ) throws(CheckpointError) -> Int {
    guard let count = pickle.int(reference), count >= 0 else {
      throw Self.refused("a count of elements", "something else")
    }
    let (bytes, overflow) = count.multipliedReportingOverflow(by: type.byteWidth)
    if overflow { throw CheckpointError(.malformed, "overflow: a storage of \(count) elements") }
    return bytes
  }
}
