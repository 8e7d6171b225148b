import ByteIO
import TensorCore

/// The values of a pickle that are not tensors: epochs, learning rates, arguments, random states.
///
/// Objects become their class name and those of their members that are plain; nothing is called.
/// Tensors are left out, and so is what holds nothing else.
struct PickleValues {
  private let tree: PyTorchTree
  private let pickle: Pickle
  /// Whether what holds only tensors is kept, so that it can be filled again.
  private let keepsContainers: Bool
  private var room = ValueRoom()
  /// Bytes of strings that may still become values.
  private var longBytes = Pickle.maxSize
  /// Whether the value is a part of a random generator of NumPy, whose arrays are values.
  private var isInRandomState = false
  /// The lists, dictionaries, and objects that contain the value.
  private var path: Set<Pickle.Reference> = []

  init(_ tree: PyTorchTree, keepsContainers: Bool = false) {
    self.tree = tree
    pickle = tree.pickle
    self.keepsContainers = keepsContainers
  }

  /// The values that a dictionary, a list, or a tuple holds, by name; none for anything else, such as
  /// a whole module.
  mutating func named(_ root: Pickle.Reference) -> [Checkpoint.Named] {
    guard let value = value(root, depth: 0) else { return [] }
    var names: Set<TensorName> = []
    switch value {
    case .dictionary(let members):
      return members.compactMap { member in
        names.insert(TensorName(member.name)).inserted
          ? Checkpoint.Named(member.name, member.value) : nil
      }
    case .list(let elements), .tuple(let elements):
      return elements.enumerated().map { Checkpoint.Named(String($0), $1) }
    default: return []
    }
  }

  /// What the whole pickle describes; `nil` if there are only tensors.
  var wholeIfAny: Value? {
    mutating get { value(pickle.root, depth: 0) }
  }

  /// What the whole pickle describes.
  var whole: Value {
    mutating get { wholeIfAny ?? .tensor }
  }

  /// An attribute of a module: a number, a text, or lists of such up to three levels deep.
  mutating func attribute(_ reference: Pickle.Reference) -> Value? {
    value(reference, depth: Value.maxDepth - 3)
  }

  /// What a value is without its tensors; `nil` if nothing is left of it.
  private mutating func value(_ reference: Pickle.Reference, depth: Int) -> Value? {
    switch pickle[reference] {
    case .list, .set, .dictionary, .object: break
    default: return content(reference, depth: depth)
    }
    guard path.insert(reference).inserted else { return .unread("what contains it") }
    defer { path.remove(reference) }
    return content(reference, depth: depth)
  }

  private mutating func content(_ reference: Pickle.Reference, depth: Int) -> Value? {
    if !isInRandomState, tree.decoder.isTensor(reference) {
      if case .other(let what)? = tree.decoder.array(reference)?.elements { return .unread(what) }
      return nil
    }
    guard room.take() else { return .unread("more than \(Budget.current.maxValues) values") }
    guard depth <= Value.maxDepth else {
      return .unread("values nested deeper than \(Value.maxDepth) levels")
    }
    switch pickle[reference] {
    case .none: return .null
    case .bool(let value): return .bool(value)
    case .int(let number): return .integer(number)
    case .largeInt(nil): return .unread("an integer of more than 64 bits, written as text")
    case .largeInt(let places?):
      return LargeInteger.value(
        pickle.bytes[Int(places.lowerBound)..<Int(places.upperBound)])
    case .float(let number): return .real(number)
    case .text: return .text(pickle.text(reference) ?? "")
    case .bytes(let range):
      return bytes(reference).map(Value.bytes) ?? .unread("a string of \(range.count) bytes")
    case .distant(let place): return long(pickle.distant[place])
    case .list: return elements(reference, depth).map(Value.list)
    case .tuple: return elements(reference, depth).map(Value.tuple)
    case .set(let place): return set(pickle.lists[place], "set", depth)
    case .dictionary: return members(pickle.items(reference) ?? [], depth).map(Value.dictionary)
    case .global(let place): return .opaque(pickle.globals[place].fullName, [])
    case .persistent: return .unread("data outside the pickle")
    case .object(let place): return object(reference, pickle.objects[place], depth)
    }
  }

  // MARK: - Containers

  /// The elements of a list or a tuple, tensors as such; `nil` if there are only tensors.
  private mutating func elements(_ reference: Pickle.Reference, _ depth: Int) -> [Value]? {
    elements(pickle.elements(reference) ?? [], depth)
  }

  private mutating func elements(_ references: [Pickle.Reference], _ depth: Int) -> [Value]? {
    var isPlain = references.isEmpty || keepsContainers
    var values: [Value] = []
    values.reserveCapacity(references.count)
    for reference in references {
      let value = self.value(reference, depth: depth + 1)
      if value != nil { isPlain = true }
      values.append(value ?? .tensor)
    }
    return isPlain ? values : nil
  }

  private mutating func members(
    _ items: [(key: Pickle.Reference, value: Pickle.Reference)], _ depth: Int
  ) -> [Value.Member]? {
    var members: [Value.Member] = []
    for (key, reference) in items {
      let key = self.value(key, depth: depth + 1) ?? .tensor
      if let value = value(reference, depth: depth + 1) {
        members.append(Value.Member(key, value))
      } else if keepsContainers, key.kind != .text {
        members.append(Value.Member(key, .tensor))
      }
    }
    return members.isEmpty && !items.isEmpty && !keepsContainers ? nil : members
  }

  private mutating func set(
    _ references: [Pickle.Reference], _ name: String, _ depth: Int
  ) -> Value? {
    elements(references, depth).map { Self.numbered(name, $0) }
  }

  private static func numbered(_ name: String, _ elements: [Value]) -> Value {
    .opaque(name, elements.enumerated().map { Value.Member(.integer($0), $1) })
  }

  // MARK: - Objects

  private mutating func object(
    _ reference: Pickle.Reference, _ object: Pickle.Object, _ depth: Int
  ) -> Value? {
    let name = pickle.callee(object)?.fullName ?? "object"
    if let array = tree.decoder.array(reference), !array.isTensor {
      return self.array(array, depth)
    }
    if let callee = pickle.callee(object), PyTorchGlobals.isRandomState(callee), !isInRandomState {
      isInRandomState = true
      defer { isInRandomState = false }
      return opaque(
        object, name, pickle.elements(object.arguments) ?? [], holdsTensor: false, depth)
    }
    if let items = pickle.items(reference) { return members(items, depth).map(Value.dictionary) }
    let arguments = pickle.elements(object.arguments) ?? []
    switch name {
    case "torch.Size":
      return arguments.first.flatMap { elements($0, depth) }.map(Value.tuple)
    case "builtins.set", "__builtin__.set", "builtins.frozenset", "__builtin__.frozenset":
      let elements = arguments.first.flatMap { pickle.elements($0) } ?? []
      return set(elements, name.hasSuffix("frozenset") ? "frozenset" : "set", depth)
    case "_codecs.encode", "builtins.bytes", "__builtin__.bytes", "builtins.bytearray":
      if let bytes = bytes(reference) { return .bytes(bytes) }
    case "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar":
      if let value = pickle.numpyScalar(arguments) { return value }
    default: break
    }
    if tree.isModule(reference) { return tree.holdsTensor(reference) ? nil : .opaque(name, []) }
    return opaque(object, name, arguments, holdsTensor: tree.holdsTensor(reference), depth)
  }

  /// The strings or the objects of an array.
  private mutating func array(_ array: PickledArray, _ depth: Int) -> Value? {
    let shape = (try? tree.decoder.sizes(array.shape)) ?? []
    switch array.elements {
    case .objects:
      let elements = array.objects(in: pickle) ?? []
      if shape.isEmpty, elements.count == 1 { return value(elements[0], depth: depth + 1) }
      return self.elements(elements, depth).map(Value.list)
    case .text(let type):
      guard let bytes = array.bytes(in: pickle) else { return .unread("strings") }
      let fields = NPYDictionary.Fields(
        description: type, isFortranOrder: array.isFortranOrder, shape: shape)
      guard let stored = pickle.array(bytes) else { return .unread("strings") }
      return
        (try? NPYText.value(fields, size: stored.count, in: &room) { Array(stored[$0]) })
        .flatMap { $0 } ?? .unread("an array of strings")
    case .numbers, .other: return nil
    }
  }

  /// An object as its class and what it was given: arguments, items, elements, and state.
  private mutating func opaque(
    _ object: Pickle.Object, _ name: String, _ arguments: [Pickle.Reference], holdsTensor: Bool,
    _ depth: Int
  ) -> Value? {
    if name.hasSuffix("._reconstructor"), let made = arguments.first.flatMap({ pickle.global($0) })
    {
      return opaque(object, made.fullName, [], holdsTensor: holdsTensor, depth)
    }
    var found: [Value.Member] = []
    for (index, argument) in arguments.enumerated() {
      if let value = value(argument, depth: depth + 1) {
        found.append(Value.Member(.integer(index), value))
      }
    }
    let items = stride(from: 0, to: object.items.count - 1, by: 2).map {
      (key: object.items[$0], value: object.items[$0 + 1])
    }
    found += members(items, depth) ?? []
    if !object.elements.isEmpty, let elements = elements(object.elements, depth) {
      found.append(Value.Member("elements", .list(elements)))
    }
    // A state is the `__dict__`, or a pair of it and the slots, or a value for `__setstate__`.
    if let state = object.state {
      if let items = pickle.items(state) {
        found += members(items, depth) ?? []
      } else if let value = value(state, depth: depth + 1) {
        found.append(Value.Member("state", value))
      }
    }
    return found.isEmpty && holdsTensor ? nil : .opaque(name, found)
  }

  // MARK: - Bytes

  private mutating func bytes(_ reference: Pickle.Reference) -> [UInt8]? {
    if case .text = pickle[reference] { return nil }
    guard let pickled = pickle.pickledBytes(reference), takeLong(pickled.count) else { return nil }
    return pickle.array(pickled)
  }

  /// A long string.
  private mutating func long(_ string: PickleInput.Distant) -> Value {
    let count = string.range.count
    guard takeLong(count), let bytes = try? pickle.source.bytes(string.range) else {
      return .unread("a string of \(count) bytes")
    }
    return string.isText ? .text(String(decoding: bytes, as: UTF8.self)) : .bytes(bytes)
  }

  /// Takes room for a string that would be in memory twice.
  private mutating func takeLong(_ count: Int) -> Bool {
    guard count <= longBytes else { return false }
    longBytes -= count
    return true
  }
}
