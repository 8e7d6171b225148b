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
    let tree = PyTorchTree(
      decoder, stateMembers: stateMembers, scriptConstants: scriptConstants)
    let parts = PyTorchParts(tree)
    let isNested = readsAllParts && key == nil && !parts.parts.isEmpty
    let chosen = isNested ? parts.parts.map { ($0, $0.key) } : try parts.chosen(key)
    var entries = PyTorchEntryList(file: self, decoder: decoder)
    var (leftOut, cycles): ([String], [String]) = ([], [])
    for (part, prefix) in chosen {
      let contents = try walk(tree, part.reference, prefix: prefix)
      for leaf in contents.leaves { try entries.add(leaf) }
      leftOut += contents.leftOut
      cycles += contents.cycles
    }
    try entries.joinSlices()
    if entries.entries.isEmpty, key == nil, let frozen = try frozen() { return frozen }
    guard !entries.entries.isEmpty || !isBarePickle && pickle.items(pickle.root) != nil else {
      let reason =
        (entries.notes + Self.note(leftOut: leftOut)).first ?? notes.first {
          $0.contains(" left out: ")
        }
        ?? unknownNames
      throw CheckpointError(.missing, "contains no tensor\(reason.map { "; \($0)" } ?? "")")
    }
    var values = PickleValues(tree, keepsContainers: isNested)
    let root = key == nil || parts.parts.isEmpty ? pickle.root : chosen[0].part.reference
    var opened = Opened(
      Checkpoint(entries: entries.entries, values: values.named(root), metadata: metadata))
    opened.checkpoint.hasPickledModules = chosen.contains { tree.isModule($0.part.reference) }
    opened.checkpoint.leftOut = entries.leftOut
    opened.restoreFromTexts()
    if opened.checkpoint.modules.isEmpty, !entries.entries.isEmpty {
      try CheckpointError.placing(offset: pickleOffset) { () throws(CheckpointError) in
        let labels = try tree.labels(
          chosen.map { ($0.part.reference, $0.prefix) }, of: entries.entries.map(\.name))
        opened.checkpoint.modules = labels?.labels ?? []
        opened.checkpoint.sharedModules = labels?.shared ?? [:]
      }
    }
    opened.isChosenPart = key != nil
    // The module tree is that of the model alone, whose tensors are named otherwise here.
    if isNested { opened.checkpoint.modules = [] }
    opened.coverage = coverage
    // The fingerprint is that of all tensors, whatever part they are in.
    if key == nil, isNested || parts.parts.isEmpty { opened.carry(fingerprint) }
    opened.notes =
      notes + constantsNote + opened.notes + entries.notes + Self.note(leftOut: leftOut)
      + Self.note(cycles) + (unknownNames.map { [$0] } ?? [])
    for part in parts.parts {
      let isOpened = chosen.contains { $0.part.key == part.key }
      var all = PyTorchEntryList(file: self, decoder: decoder)
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
  /// storages; numbers of the pickle separately.
  func tensors(
    key: String?
  ) throws(CheckpointError) -> (
    opened: [(name: TensorName, tensor: PyTorchTensor)],
    numbers: [Checkpoint.Entry],
    others: [(part: String, tensors: [(name: TensorName, tensor: PyTorchTensor)])]
  ) {
    let decoder = PyTorchTensorDecoder(pickle: pickle, outside: tensors)
    let tree = PyTorchTree(decoder, stateMembers: stateMembers)
    let parts = PyTorchParts(tree)
    let chosen = try parts.chosen(key)
    var opened = PyTorchEntryList(file: self, decoder: decoder)
    for (part, prefix) in chosen {
      for leaf in try leaves(tree, part.reference, prefix: prefix) { try opened.add(leaf) }
    }
    try opened.joinSlices()
    var others: [(part: String, tensors: [(name: TensorName, tensor: PyTorchTensor)])] = []
    for part in parts.parts where !chosen.contains(where: { $0.part.key == part.key }) {
      var list = PyTorchEntryList(file: self, decoder: decoder)
      for leaf in try leaves(tree, part.reference, prefix: "") { try list.add(leaf) }
      others.append((part.key, list.tensors))
    }
    return (opened.tensors, opened.numbers, others)
  }

  /// A sentence about what modules hold besides their state.
  private static func note(leftOut names: [String]) -> [String] {
    guard let first = names.first else { return [] }
    let what = names.count > 1 ? "and \(names.count - 1) more are" : "is"
    return [
      "'\(first)' \(what) left out: not in state_dict() (a plain attribute, or a buffer that is not"
        + " persistent)"
    ]
  }

  /// A sentence about values that contain themselves.
  private static func note(_ cycles: [String]) -> [String] {
    guard let first = cycles.first else { return [] }
    return cycles.count > 1
      ? [
        "\(cycles.count) values refer back to what contains them and are not read again (first: '\(first)')"
      ] : ["'\(first)' refers back to what contains it and is not read again"]
  }

  private func leaves(
    _ tree: PyTorchTree, _ reference: Pickle.Reference, prefix: String
  ) throws(CheckpointError) -> [PyTorchTree.Leaf] {
    try walk(tree, reference, prefix: prefix).leaves
  }

  private func walk(
    _ tree: PyTorchTree, _ reference: Pickle.Reference, prefix: String
  ) throws(CheckpointError) -> PyTorchTree.Contents {
    try CheckpointError.placing(tree.walk(reference, prefix: prefix), offset: pickleOffset)
  }

  /// Names of the tensors in each storage, of every part of the file; those of a part that is not
  /// opened by default begin with its key.
  func namesByStorage() throws(CheckpointError) -> [TensorName: [TensorName]] {
    let decoder = PyTorchTensorDecoder(pickle: pickle, outside: tensors)
    let tree = PyTorchTree(decoder, stateMembers: stateMembers)
    let parts = PyTorchParts(tree)
    let chosen = try parts.chosen(nil)
    let others = parts.parts.filter { part in !chosen.contains { $0.part.key == part.key } }
    var entries = PyTorchEntryList(file: self, decoder: decoder)
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
    var entries = PyTorchEntryList(file: self, decoder: decoder)
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
    let unknown = pickle.globals.filter {
      !PyTorchGlobals.isRecognized($0) && !PyTorchGlobals.isModuleClass($0)
    }
    guard let first = unknown.first else { return nil }
    let names = Set(unknown.map(\.fullName)).count
    let what =
      names == 1
      ? "1 unrecognized class or function:"
      : "\(names) unrecognized classes or functions, first"
    return "\(what) '\(first.shownName)' at byte \(pickleOffset + first.offset); nothing was run,"
      + " see ckpt scan"
  }
}
