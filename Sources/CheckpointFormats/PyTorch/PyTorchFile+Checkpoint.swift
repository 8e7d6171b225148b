import Strided
import TensorCore

/// From the values of a pickle to the entries of a checkpoint.
extension PyTorchFile {
  /// The tensors of the file, or of the part of it that `key` names.
  ///
  /// - Throws: ``CheckpointError`` naming the malformed tensor, or `missing` if there are no tensors.
  func contents(
    key: String?, readsAllParts: Bool = false
  ) throws(CheckpointError) -> Opened {
    let decoder = PyTorchTensorDecoder(pickle: pickle, outside: tensors)
    let tree = PyTorchTree(decoder, stateMembers: stateMembers)
    let parts = PyTorchParts(tree)
    let isNested = readsAllParts && key == nil && !parts.parts.isEmpty
    let chosen = isNested ? parts.parts.map { ($0, $0.key) } : try parts.chosen(key)
    var entries = EntryList(file: self, decoder: decoder)
    for (part, prefix) in chosen {
      for leaf in try leaves(tree, part.reference, prefix: prefix) { try entries.add(leaf) }
    }
    guard !entries.entries.isEmpty || !isBarePickle && pickle.items(pickle.root) != nil else {
      throw CheckpointError(.missing, "contains no tensor\(unknownNames.map { "; \($0)" } ?? "")")
    }
    var values = PickleValues(tree, keepsContainers: isNested)
    let root = key == nil || parts.parts.isEmpty ? pickle.root : chosen[0].part.reference
    var opened = Opened(
      Checkpoint(entries: entries.entries, values: values.named(root), metadata: metadata))
    opened.checkpoint.hasPickledModules = chosen.contains { tree.isModule($0.part.reference) }
    opened.checkpoint.leftOut = entries.leftOut
    opened.restoreFromTexts()
    opened.isChosenPart = key != nil
    // The module tree is that of the model alone, whose tensors are named otherwise here.
    if isNested { opened.checkpoint.modules = [] }
    opened.coverage = coverage
    // The fingerprint is that of all tensors, whatever part they are in.
    if key == nil, isNested || parts.parts.isEmpty { opened.carry(fingerprint) }
    opened.notes = notes + opened.notes + entries.notes + (unknownNames.map { [$0] } ?? [])
    for part in parts.parts {
      let isOpened = chosen.contains { $0.part.key == part.key }
      var all = EntryList(file: self, decoder: decoder)
      for leaf in try leaves(tree, part.reference, prefix: "") { try all.add(leaf) }
      opened.parts.append(
        Opened.Part(
          key: part.key, tensorCount: all.entries.count, byteCount: all.total.byteCount,
          isOpened: isOpened))
    }
    if let note = opened.partsNote { opened.notes.append(note) }
    if let note = placeholders(among: opened.checkpoint.entries) { opened.notes.append(note) }
    return opened
  }

  /// The tensors that ``contents(key:)`` gives, and those of all other parts of the file, as views of
  /// storages.
  func tensors(
    key: String?
  ) throws(CheckpointError) -> (
    opened: [(name: TensorName, tensor: PyTorchTensor)],
    others: [(part: String, tensors: [(name: TensorName, tensor: PyTorchTensor)])]
  ) {
    let decoder = PyTorchTensorDecoder(pickle: pickle, outside: tensors)
    let tree = PyTorchTree(decoder, stateMembers: stateMembers)
    let parts = PyTorchParts(tree)
    let chosen = try parts.chosen(key)
    var opened = EntryList(file: self, decoder: decoder)
    for (part, prefix) in chosen {
      for leaf in try leaves(tree, part.reference, prefix: prefix) { try opened.add(leaf) }
    }
    var others: [(part: String, tensors: [(name: TensorName, tensor: PyTorchTensor)])] = []
    for part in parts.parts where !chosen.contains(where: { $0.part.key == part.key }) {
      var list = EntryList(file: self, decoder: decoder)
      for leaf in try leaves(tree, part.reference, prefix: "") { try list.add(leaf) }
      others.append((part.key, list.tensors))
    }
    return (opened.tensors, others)
  }

  private func leaves(
    _ tree: PyTorchTree, _ reference: Pickle.Reference, prefix: String
  ) throws(CheckpointError) -> [PyTorchTree.Leaf] {
    do throws(CheckpointError) {
      return try tree.leaves(reference, prefix: prefix)
    } catch {
      throw error.adding(offset: pickleOffset)
    }
  }

  /// Names of the tensors in each storage, of every part of the file; those of a part that is not
  /// opened by default begin with its key.
  func namesByStorage() throws(CheckpointError) -> [TensorName: [TensorName]] {
    let decoder = PyTorchTensorDecoder(pickle: pickle, outside: tensors)
    let tree = PyTorchTree(decoder, stateMembers: stateMembers)
    let parts = PyTorchParts(tree)
    let chosen = try parts.chosen(nil)
    let others = parts.parts.filter { part in !chosen.contains { $0.part.key == part.key } }
    var entries = EntryList(file: self, decoder: decoder)
    for (part, prefix) in chosen + others.map({ ($0, $0.key) }) {
      for leaf in try leaves(tree, part.reference, prefix: prefix) { try entries.add(leaf) }
    }
    return entries.namesByStorage
  }

  /// Whether the file is of `pickle.dump`, which also holds what is not a checkpoint at all.
  private var isBarePickle: Bool {
    if case .file = container { storages.isEmpty && otherPickles.isEmpty } else { false }
  }

  /// Everything that a pickle holds, tensors named after a prefix, and what was left out.
  func everything(
    named prefix: String
  ) throws(CheckpointError) -> (entries: [Checkpoint.Entry], value: Value?, notes: [String]) {
    let decoder = PyTorchTensorDecoder(pickle: pickle, outside: tensors)
    let tree = PyTorchTree(decoder)
    var entries = EntryList(file: self, decoder: decoder)
    for leaf in try leaves(tree, pickle.root, prefix: prefix) { try entries.add(leaf) }
    var values = PickleValues(tree)
    return (entries.entries, values.wholeIfAny, entries.notes + (unknownNames.map { [$0] } ?? []))
  }

  /// One sentence about tensors of shape [0], which a rank of a partitioned model keeps in place of its
  /// own (ZeRO-3, FSDP).
  private func placeholders(among entries: [Checkpoint.Entry]) -> String? {
    let empty = entries.filter { $0.info.shape == [0] && $0.alias == nil }
    guard let first = empty.first else { return nil }
    return empty.count == 1
      ? "1 tensor has no elements: '\(first.name)'"
      : "\(empty.count) tensors have no elements (first: '\(first.name)'); if a rank of a partitioned "
        + "model wrote the file, their values are in other files"
  }

  /// The storage that a tensor is a view of: a record, or bytes of the pickle.
  func storage(_ reference: PyTorchStorageReference) -> PyTorchStorage? {
    if let pickled = reference.pickled { return PyTorchStorage(pickle, pickled) }
    return storages[TensorName(reference.key)]
  }

  /// One sentence about the names that the reader does not recognize.
  private var unknownNames: String? {
    let unknown = pickle.globals.filter { !PyTorchGlobals.isRecognized($0) }
    guard let first = unknown.first else { return nil }
    let names = Set(unknown.map(\.fullName)).count
    let what =
      names == 1
      ? "1 unrecognized class or function:"
      : "\(names) unrecognized classes or functions, first"
    return "\(what) '\(first.fullName)' at byte \(pickleOffset + first.offset); nothing was run,"
      + " see ckpt scan"
  }
}

/// Collects the entries of a checkpoint.
private struct EntryList {
  let file: PyTorchFile
  let decoder: PyTorchTensorDecoder
  private(set) var entries: [Checkpoint.Entry] = []
  /// The entries' tensors as views of storages.
  private(set) var tensors: [(name: TensorName, tensor: PyTorchTensor)] = []
  /// Total size of the tensors in bytes; tied tensors count once.
  private(set) var total = CheckpointTotal()
  /// Names of the tensors in each storage.
  private(set) var namesByStorage: [TensorName: [TensorName]] = [:]
  private var names: Set<TensorName> = []
  private var firsts: [PyTorchTensor.Identity: TensorName] = [:]
  private var remarks: [String] = []
  /// Tensors that cannot be read, with the reason.
  private(set) var leftOut: [TensorName: String] = [:]
  /// Names and places of tensors of which the file has only one process's part.
  private var locals: [(name: String, place: String)] = []

  /// Number of remarks that are reported individually.
  private static let maxRemarks = 5

  init(file: PyTorchFile, decoder: PyTorchTensorDecoder) {
    self.file = file
    self.decoder = decoder
  }

  /// Remarks about values that cannot be represented as one tensor.
  var notes: [String] {
    let more = remarks.count - Self.maxRemarks
    return localNote + Array(remarks.prefix(Self.maxRemarks))
      + (more > 0 ? ["and \(more) more tensor\(more == 1 ? "" : "s") of unsupported kinds"] : [])
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
    let name = leaf.reference == file.pickle.root ? "tensor" : leaf.name
    do throws(CheckpointError) {
      switch try decoder.decode(leaf.reference) {
      case .tensor(let tensor): try add(TensorName(name), tensor)
      case .parts(let parts, let note):
        remarks.append("tensor '\(name)' \(note)")
        for (suffix, tensor) in parts {
          try add(TensorName(suffix.isEmpty ? name : "\(name).\(suffix)"), tensor)
        }
      case .local(let tensor, let place):
        locals.append((name, place))
        try add(TensorName(name), tensor)
      case .unread(let reason):
        remarks.append("tensor '\(name)' \(reason)")
        leftOut[TensorName(name)] = reason
      }
    } catch {
      var error = error.adding(tensor: name)
      if error.path == nil, let offset = error.offset { error.offset = file.pickleOffset + offset }
      throw error
    }
  }

  private mutating func add(
    _ name: TensorName, _ tensor: PyTorchTensor
  ) throws(CheckpointError) {
    guard names.insert(name).inserted else {
      throw CheckpointError(.malformed, "two tensors have this name", tensor: name.text)
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
