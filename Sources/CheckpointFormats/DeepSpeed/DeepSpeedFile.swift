import ByteIO
import TensorCore

/// One file of a DeepSpeed checkpoint, and what its pickle holds.
struct DeepSpeedFile {
  let name: String
  let path: String
  private let file: PyTorchFile
  private let decoder: PyTorchTensorDecoder
  private var pickle: Pickle { file.pickle }

  /// Opens a file of a folder.
  init(_ name: String, in folder: Place) throws(CheckpointError) {
    self.name = name
    path = folder.path(of: name)
    file = try PyTorchFile.open(try folder.open(name))
    decoder = PyTorchTensorDecoder(pickle: file.pickle)
  }

  /// The value at nested keys; `nil` if there is none, or it is `None`.
  func item(_ keys: String...) -> Pickle.Reference? {
    var value = pickle.root
    for key in keys {
      guard let next = pickle.item(value, key) else { return nil }
      value = next
    }
    if case .none = pickle[value] { return nil }
    return value
  }

  /// The elements of a list or a tuple; `nil` for another value.
  func elements(_ reference: Pickle.Reference) -> [Pickle.Reference]? { pickle.elements(reference) }

  /// Names and values of a dictionary.
  ///
  /// - Throws: ``CheckpointError`` `malformed` for another value.
  func items(
    _ reference: Pickle.Reference, _ what: String
  ) throws(CheckpointError) -> [(name: TensorName, value: Pickle.Reference)] {
    guard let items = pickle.items(reference) else { throw unexpected(what, "a dictionary") }
    return items.compactMap { key, value in
      pickle.text(key).map { (TensorName($0), value) }
    }
  }

  /// The texts of a list.
  func texts(_ reference: Pickle.Reference) -> [TensorName] {
    (pickle.elements(reference) ?? []).compactMap { pickle.text($0).map { TensorName($0) } }
  }

  /// The text that a value is; `nil` for another value.
  func text(_ reference: Pickle.Reference) -> String? { pickle.text(reference) }

  /// An integer, or the one by which a member of an enumeration is made; `nil` for another value.
  func number(_ reference: Pickle.Reference) -> Int? {
    if let number = pickle.int(reference) { return number }
    guard let object = pickle.object(reference), let argument = pickle.elements(object.arguments),
      argument.count == 1
    else { return nil }
    return pickle.int(argument[0])
  }

  /// The sizes of a shape, which is a `torch.Size` or a list.
  func shape(_ reference: Pickle.Reference, of name: TensorName) throws(CheckpointError) -> [Int] {
    try CheckpointError.placing(decoder.sizes(reference), path: path, tensor: name.text)
  }

  /// The tensor that a value is, under a name.
  func tensor(
    _ reference: Pickle.Reference, named name: TensorName
  ) throws(CheckpointError) -> Checkpoint.Entry {
    try CheckpointError.placing(path: path, tensor: name.text) { () throws(CheckpointError) in
      var entries = PyTorchEntryList(file: file, decoder: decoder)
      guard decoder.isTensor(reference) else {
        throw CheckpointError(.malformed, "expected a tensor, found something else")
      }
      try entries.add(PyTorchTree.Leaf(name: name.text, reference: reference, makers: []))
      guard let entry = entries.entries.first, entries.entries.count == 1 else {
        throw CheckpointError(
          .unsupported, entries.leftOut[name] ?? "is not one plain tensor", tensor: name.text)
      }
      return entry
    }
  }

  /// Everything in the file that is not a tensor, by name.
  var values: [Checkpoint.Named] {
    var values = PickleValues(PyTorchTree(decoder))
    return values.named(pickle.root)
  }

  /// What checksums of the file cover.
  var coverage: ChecksumCoverage { file.coverage }

  func missing(_ key: String) -> CheckpointError {
    CheckpointError(.malformed, "expected the key '\(key)', found none", path: path)
  }

  func unexpected(_ what: String, _ wanted: String) -> CheckpointError {
    CheckpointError(
      .malformed, "expected \(wanted) as '\(what)', found something else", path: path)
  }
}
