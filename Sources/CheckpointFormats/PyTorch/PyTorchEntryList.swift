import Strided
import TensorCore

/// Collects the entries of a checkpoint.
struct PyTorchEntryList {
  let file: PyTorchFile
  let decoder: PyTorchTensorDecoder
  private(set) var entries: [Checkpoint.Entry] = []
  /// The entries' tensors as views of storages.
  private(set) var tensors: [(name: TensorName, tensor: PyTorchTensor)] = []
  /// Those of ``entries`` that are numbers of the pickle.
  private(set) var numbers: [Checkpoint.Entry] = []
  /// Total size of the tensors in bytes; tied tensors count once.
  private(set) var total = CheckpointTotal()
  /// Names of the tensors in each storage.
  private(set) var namesByStorage: [TensorName: [TensorName]] = [:]
  private var names: Set<TensorName> = []
  private var firsts: [PyTorchTensor.Identity: TensorName] = [:]
  private var remarks: [String] = []
  /// The number that the next tensor of a name gets.
  private var nextNumber: [TensorName: Int] = [:]
  /// What second tensors of one name are called, and that name.
  private var renamed: [(name: TensorName, original: TensorName)] = []
  /// Tensors that cannot be read, with the reason.
  private(set) var leftOut: [TensorName: String] = [:]
  /// Names and places of tensors of which the file has only one process's part.
  private var locals: [(name: String, place: String)] = []

  /// Number of remarks that are reported individually.
  private static let maxRemarks = 5

  /// Whether PaddlePaddle wrote the file: its tensors of 16-bit unsigned integers are bfloat16.
  private let isPaddle: Bool

  init(file: PyTorchFile, decoder: PyTorchTensorDecoder) {
    self.file = file
    self.decoder = decoder
    isPaddle = Self.isPaddle(file.pickle)
  }

  /// Whether a pickle has the mark of PaddlePaddle's state dicts, or its pickled tensors.
  private static func isPaddle(_ pickle: Pickle) -> Bool {
    if pickle.item(pickle.root, "StructuredToParameterName@@") != nil { return true }
    guard pickle.globals.contains(where: { $0.name == "tuple" }) else { return false }
    return pickle.objects.contains { pickle.paddleArray($0) != nil }
  }

  /// Remarks about values that cannot be represented as one tensor.
  var notes: [String] {
    let more = remarks.count - Self.maxRemarks
    return localNote + renamedNote + Array(remarks.prefix(Self.maxRemarks))
      + (more > 0 ? ["and \(more) more tensor\(more == 1 ? "" : "s") of unsupported kinds"] : [])
  }

  /// One sentence about tensors of one name, as `{'a.b': …, 'a': {'b': …}}` has them.
  private var renamedNote: [String] {
    guard let first = renamed.first else { return [] }
    return [
      renamed.count == 1
        ? "two tensors have the name '\(first.original)': the second is called '\(first.name)'"
        : "\(renamed.count) tensors have names of others (first: '\(first.original)', whose second "
          + "tensor is called '\(first.name)')"
    ]
  }

  /// A name that no other tensor has, nor with one of these endings.
  private mutating func unique(_ text: String, endings: [String] = [""]) -> TensorName {
    let original = TensorName(text)
    var name = original
    func isTaken(_ ending: String) -> Bool {
      let whole = ending.isEmpty ? name : TensorName("\(name).\(ending)")
      return names.contains(whole) || leftOut[whole] != nil
    }
    while endings.contains(where: isTaken) {
      // Many may have one name, so the search goes on where it ended.
      let number = nextNumber[original, default: 2]
      name = TensorName("\(text) (\(number))")
      nextNumber[original] = number + 1
    }
    if name != original { renamed.append((name, original)) }
    return name
  }

  /// One sentence about distributed tensors.
  private var localNote: [String] {
    guard let first = locals.first else { return [] }
    let place = first.place.isEmpty ? "" : " is \(first.place)"
    return [
      locals.count == 1
        ? "tensor '\(first.name)' is a DTensor: the part of this rank is read"
          + (place.isEmpty ? "" : ", which\(place)")
        : "\(locals.count) tensors are DTensors: the parts of this rank are read"
          + " (first: '\(first.name)'\(place))"
    ]
  }

  mutating func add(_ leaf: PyTorchTree.Leaf) throws(CheckpointError) {
    let isAlone = leaf.reference == file.pickle.root || leaf.name.isEmpty && isPaddle
    let name = isAlone ? "tensor" : leaf.name
    do throws(CheckpointError) {
      switch try decoder.decode(leaf.reference) {
      case .tensor(let tensor): try add(unique(name), tensor)
      case .parts(let parts, let numbers, let note):
        let name = unique(name, endings: parts.map(\.0) + numbers.map(\.0)).text
        remarks.append("tensor '\(name)' \(note)")
        for (suffix, tensor) in parts {
          try add(TensorName(suffix.isEmpty ? name : "\(name).\(suffix)"), tensor)
        }
        for (suffix, numbers) in numbers { try add(TensorName("\(name).\(suffix)"), numbers) }
      case .local(let tensor, let place):
        locals.append((name, place))
        try add(unique(name), tensor)
      case .unread(let reason):
        let name = unique(name)
        remarks.append("tensor '\(name)' \(reason)")
        leftOut[name] = reason
      }
    } catch {
      var error = error.adding(tensor: name)
      if error.path == nil, let offset = error.offset { error.offset = file.pickleOffset + offset }
      try Rescue.leaveOut(error)
    }
  }

  /// Leaves out the tensors at some indices, and puts others in the places of some of these.
  mutating func replace(_ parts: Set<Int>, by others: [Int: Checkpoint.Entry]) {
    if parts.isEmpty { return }
    let names = Set(parts.map { entries[$0].name })
    entries = entries.indices.compactMap { index in
      parts.contains(index) ? others[index] : entries[index]
    }
    tensors.removeAll { names.contains($0.name) }
  }

  private mutating func add(
    _ name: TensorName, _ numbers: PickledNumbers
  ) throws(CheckpointError) {
    try names.add(tensor: name)
    let info = try numbers.info()
    try total.add(info)
    let bytes = numbers.bytes
    let entry = Checkpoint.Entry(name: name, info: info) { range, target in
      for (offset, index) in range.enumerated() {
        target.storeBytes(of: bytes[index], toByteOffset: offset, as: UInt8.self)
      }
    }
    entries.append(entry)
    self.numbers.append(entry)
  }

  private mutating func add(
    _ name: TensorName, _ tensor: PyTorchTensor
  ) throws(CheckpointError) {
    try names.add(tensor: name)
    var tensor = tensor
    if isPaddle, tensor.info.dtype == .uint16 {
      // NumPy has no bfloat16, and PaddlePaddle no unsigned integers of 16 bits.
      tensor.info = try TensorInfo(dtype: .bfloat16, shape: tensor.info.shape)
    }
    let reference = tensor.storage
    guard let storage = file.storage(reference) else {
      throw CheckpointError(
        .malformed, "its storage '\(reference.key)' is not in the file", tensor: name.text)
    }
    if reference.pickled == nil {
      namesByStorage[TensorName(reference.key), default: []].append(name)
    }
    let (end, overflow) = reference.viewOffset.addingReportingOverflow(reference.byteCount)
    guard !overflow, end <= storage.byteCount else {
      throw CheckpointError(
        .malformed,
        "expected \(reference.byteCount) bytes in storage '\(reference.key)',"
          + " found \(storage.byteCount)", tensor: name.text)
    }
    // Equal storage, offset, sizes, and strides: Python wrote one tensor under two names.
    let alias = firsts[tensor.identity]
    if alias == nil {
      firsts[tensor.identity] = name
      do { try total.add(tensor.info) } catch { throw error.adding(tensor: name.text) }
    }
    var entry = Checkpoint.Entry(
      name: name, info: tensor.info, alias: alias, reader: storage.reader(of: tensor))
    if tensor.layout.contiguousRange == nil {
      entry.preferredReadSize = StridedView.preferredReadSize
    }
    entries.append(entry)
    tensors.append((name, tensor))
  }
}
