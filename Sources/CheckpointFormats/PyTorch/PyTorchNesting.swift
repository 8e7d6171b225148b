import TensorCore

/// The nested dictionary of a training checkpoint: values, and tensors at the places that their names
/// give, `optimizer.state.0.exp_avg`.
///
/// A tensor goes into the container whose names begin its own; what is left of its name is its key,
/// dots included, as in a state dict.
final class PyTorchNesting {
  /// What a container holds at a key or an index.
  enum Item {
    case value(Value)
    /// The checkpoint's tensor of this index.
    case tensor(Int)
    case container(PyTorchNesting)
  }

  /// Kind of container: `list`, `tuple`, or `dictionary`.
  let kind: Value.Kind
  /// Keys, which are indices in lists, and items.
  private(set) var items: [(key: Value, item: Item)] = []
  /// The items into which a tensor can go, by name.
  private var places: [TensorName: Int] = [:]

  /// Nests the tensors of a checkpoint among its own values.
  convenience init(_ checkpoint: Checkpoint) {
    self.init(
      .dictionary, checkpoint.ownValues.map { Value.Member($0.name, $0.value) })
    for (index, entry) in checkpoint.entries.enumerated() {
      _ = place(index, at: entry.name.text[...])
    }
  }

  private init(_ kind: Value.Kind, _ members: [Value.Member]) {
    self.kind = kind
    for member in members {
      let item = Self.item(member.value)
      let isOpen = if case .container = item { true } else { member.value == .tensor }
      if isOpen { places[TensorName(member.name)] = items.count }
      items.append((member.key, item))
    }
  }

  /// A value as an item; an object that PyTorch would not load becomes the dictionary of its members.
  private static func item(_ value: Value) -> Item {
    func numbered(_ elements: [Value]) -> [Value.Member] {
      elements.enumerated().map { Value.Member(.integer($0), $1) }
    }
    return switch value {
    case .list(let elements): .container(PyTorchNesting(.list, numbered(elements)))
    case .tuple(let elements): .container(PyTorchNesting(.tuple, numbered(elements)))
    case .dictionary(let members): .container(PyTorchNesting(.dictionary, members))
    case .opaque(_, let members) where !members.isEmpty && !loads(value):
      .container(PyTorchNesting(.dictionary, members))
    case .null, .bool, .integer, .real, .text, .bytes, .opaque: .value(value)
    }
  }

  /// Puts a tensor where its name leads; false if that is a list without such an index.
  private func place(_ tensor: Int, at address: Substring) -> Bool {
    var end = address.startIndex
    while !places.isEmpty, end < address.endIndex {
      end = address[end...].firstIndex(of: ".") ?? address.endIndex
      if let index = places[TensorName(String(address[..<end]))] {
        let rest = address[end...].dropFirst()
        switch items[index].item {
        case .container(let inner) where end < address.endIndex:
          if inner.place(tensor, at: rest) { return true }
        case .value where end == address.endIndex:
          items[index].item = .tensor(tensor)
          return true
        case .value, .tensor, .container: break
        }
      }
      if end < address.endIndex { end = address.index(after: end) }
    }
    guard kind == .dictionary else { return false }
    items.append((.text(String(address)), .tensor(tensor)))
    return true
  }

  // MARK: - Pickle

  /// Number of items per SETITEMS or APPENDS opcode, as in Python.
  private static let batch = 1000

  /// Writes the container; `tensor` writes a tensor.
  func write(
    to writer: inout PickleWriter,
    tensor: (Int, inout PickleWriter) throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    switch kind {
    case .tuple:
      writer.mark()
      for (_, item) in items { try Self.write(item, to: &writer, tensor: tensor) }
      writer.endTuple()
    case .list:
      writer.emptyList()
      for start in stride(from: 0, to: items.count, by: Self.batch) {
        writer.mark()
        for (_, item) in items[start..<min(start + Self.batch, items.count)] {
          try Self.write(item, to: &writer, tensor: tensor)
        }
        writer.append()
      }
    default:
      writer.emptyDictionary()
      for start in stride(from: 0, to: items.count, by: Self.batch) {
        writer.mark()
        for (key, item) in items[start..<min(start + Self.batch, items.count)] {
          Self.write(key: key, to: &writer)
          try Self.write(item, to: &writer, tensor: tensor)
        }
        writer.setItems()
      }
    }
  }

  private static func write(
    _ item: Item, to writer: inout PickleWriter,
    tensor: (Int, inout PickleWriter) throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    switch item {
    case .value(let value): write(value, to: &writer)
    case .tensor(let index): try tensor(index, &writer)
    case .container(let inner): try inner.write(to: &writer, tensor: tensor)
    }
  }

  /// A key must be hashable; those that are not become text.
  private static func write(key: Value, to writer: inout PickleWriter) {
    switch key {
    case .null, .bool, .integer, .real, .text, .bytes: write(key, to: &writer)
    case .list, .tuple, .dictionary, .opaque: writer.text(Value.Member(key, .null).name)
    }
  }

  private static func write(_ value: Value, to writer: inout PickleWriter) {
    switch value {
    case .bool(let truth): writer.bool(truth)
    case .integer(let number): writer.int(number)
    case .real(let number): writer.real(number)
    case .text(let text): writer.text(text)
    case .bytes(let bytes): writer.encoded(bytes)
    case .opaque("set", let members) where loads(value):
      writer.global("__builtin__", "set")
      writer.mark()
      writer.emptyList()
      writer.mark()
      for member in members { write(key: member.value, to: &writer) }
      writer.append()
      writer.endTuple()
      writer.reduce()
    case .opaque("int", _) where loads(value):
      if let bytes = LargeInteger.bytes(value) { writer.long(bytes) }
    case .opaque(let name, _) where loads(value):
      writer.global("torch", String(name.dropFirst("torch.".count)))
    case .null, .list, .tuple, .dictionary, .opaque: writer.none()
    }
  }

  /// Whether `torch.load(weights_only=True)` has this object: sets of scalars, large integers, and
  /// PyTorch's dtypes.
  static func loads(_ object: Value) -> Bool {
    guard case .opaque(let name, let members) = object else { return false }
    if LargeInteger.bytes(object) != nil { return true }
    if name == "set" {
      return members.allSatisfy { member in
        ![.list, .tuple, .dictionary, .opaque].contains(member.value.kind)
      }
    }
    let parts = name.split(separator: ".")
    return parts.count == 2
      && PyTorchGlobals.dtype(
        Pickle.Global(module: String(parts[0]), name: String(parts[1]), offset: 0)) != nil
  }
}
