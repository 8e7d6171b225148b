import TensorCore

/// What a Python pickle describes, as plain values: nothing in it is called, imported or made.
///
/// Values lie in one flat list and refer to each other by place, so that nesting, sharing and cycles
/// cost nothing. A class or function is its name; what the pickle would have called is an
/// ``Object`` that says so.
struct Pickle: Sendable {
  /// The place of a value in ``values``.
  typealias Reference = Int32
  /// Places in ``bytes`` or ``tuples``, which have less than 2^31.
  typealias Places = Range<Int32>

  /// One value, in 16 bytes.
  enum Value: Sendable {
    case none
    case bool(Bool)
    case int(Int)
    /// An integer of more than 64 bits, which nothing here needs.
    case largeInt
    case float(Double)
    /// A text of valid UTF-8, as a range of ``bytes``.
    case text(Places)
    /// Bytes, as a range of ``bytes``.
    case bytes(Places)
    /// Elements, as a range of ``tuples``.
    case tuple(Places)
    /// Elements, in ``lists``.
    case list(Int)
    case set(Int)
    /// Keys and values in turn, in ``lists``.
    case dictionary(Int)
    /// A class or a function, in ``globals``.
    case global(Int)
    /// The result of a call that was not made, in ``objects``.
    case object(Int)
    /// A value that lies outside of the pickle, named by another value.
    case persistent(Reference)
  }

  /// A class or a function by name.
  struct Global: Sendable, Hashable {
    /// The module, as `torch._utils`.
    let module: String
    /// The name in it, as `_rebuild_tensor_v2`.
    let name: String
    /// Where in the pickle it is named first.
    let offset: Int

    /// Both, as `torch._utils._rebuild_tensor_v2`; a name that has dots itself, which would reach through
    /// other values, is set apart and so is none that is known.
    var fullName: String { module + (name.utf8.contains(UInt8(ascii: ".")) ? " " : ".") + name }
  }

  /// What a call would have made, and what would have been done to it.
  struct Object: Sendable {
    /// What would have been called.
    let callee: Reference
    /// Arguments, a tuple.
    let arguments: Reference
    /// What was given to `__setstate__` or put into its `__dict__`, the last time.
    var state: Reference?
    /// Keys and values set as items, in turn.
    var items: [Reference] = []
    /// Elements appended.
    var elements: [Reference] = []
    /// Where in the pickle the call is.
    let offset: Int
  }

  /// The pickle's own bytes and perhaps some behind it.
  let bytes: [UInt8]
  /// One past the last opcode.
  let end: Int
  let values: [Value]
  /// The elements of all tuples, which are many and never change.
  let tuples: [Reference]
  let lists: [[Reference]]
  let globals: [Global]
  let objects: [Object]
  /// The value that the pickle stands for.
  let root: Reference

  /// Reads the pickle that begins at byte `start`.
  ///
  /// - Throws: ``CheckpointError`` `malformed` or `unsupported`, at the offset of the opcode.
  init(_ bytes: [UInt8], at start: Int = 0) throws(CheckpointError) {
    var machine = PickleMachine(bytes, at: start)
    root = try machine.run()
    self.bytes = bytes
    end = machine.input.position
    values = machine.values
    tuples = machine.tuples
    lists = machine.lists
    globals = machine.names.globals
    objects = machine.objects
  }

  /// Largest pickle that is read, in bytes.
  static let maxSize = 64 << 20
  /// Most memory that the values of a pickle may take, in bytes; a tensor takes about 600.
  static let maxMemory = 112 << 20
  /// Most values at once on the stack, and marks.
  static let maxWaiting = 1 << 22
  /// Most classes and functions of different names.
  static let maxGlobals = 1 << 16
  /// Deepest nesting that is followed.
  static let maxDepth = 1000

  subscript(_ reference: Reference) -> Value { values[Int(reference)] }
}

// MARK: - Looking at values

extension Pickle {
  /// The elements of a tuple or a list.
  func elements(_ reference: Reference) -> [Reference]? {
    switch self[reference] {
    case .tuple(let places): Array(tuples[Int(places.lowerBound)..<Int(places.upperBound)])
    case .list(let place): lists[place]
    default: nil
    }
  }

  /// The text, if it is one.
  func text(_ reference: Reference) -> String? {
    if case .text(let places) = self[reference] { text(at: places) } else { nil }
  }

  private func text(at places: Places) -> String {
    String(decoding: bytes[Int(places.lowerBound)..<Int(places.upperBound)], as: UTF8.self)
  }

  /// Whether a value is this text.
  func isText(_ reference: Reference, _ text: String) -> Bool {
    guard case .text(let places) = self[reference], places.count == text.utf8.count else {
      return false
    }
    return bytes[Int(places.lowerBound)..<Int(places.upperBound)].elementsEqual(text.utf8)
  }

  /// The whole number, if it is one.
  func int(_ reference: Reference) -> Int? {
    if case .int(let number) = self[reference] { number } else { nil }
  }

  /// The object, if it is one.
  func object(_ reference: Reference) -> Object? {
    if case .object(let place) = self[reference] { objects[place] } else { nil }
  }

  /// The class or function, if it is one.
  func global(_ reference: Reference) -> Global? {
    if case .global(let place) = self[reference] { globals[place] } else { nil }
  }

  /// What an object would have been made by.
  func callee(_ object: Object) -> Global? { global(object.callee) }

  /// Keys and values of a dictionary or of what behaves like one, in turn.
  ///
  /// With several values for one key the last one counts, at the first one's place, as in Python.
  func items(_ reference: Reference) -> [(key: Reference, value: Reference)]? {
    var flat: [Reference]
    switch self[reference] {
    case .dictionary(let place): flat = lists[place]
    case .object(let place):
      guard let name = callee(objects[place])?.fullName, PyTorchGlobals.mappings.contains(name)
      else { return nil }
      flat = argumentItems(objects[place], of: name) + objects[place].items
    default: return nil
    }
    var places: [TensorName: Int] = [:]
    var items: [(key: Reference, value: Reference)] = []
    for place in stride(from: 0, to: flat.count - 1, by: 2) {
      let item = (key: flat[place], value: flat[place + 1])
      if let key = keyText(item.key).map({ TensorName($0) }) {
        if let known = places[key] {
          items[known].value = item.value
          continue
        }
        places[key] = items.count
      }
      items.append(item)
    }
    return items
  }

  /// Items given to the constructor: `OrderedDict([(k, v), …])` of old Python, `defaultdict(f, {…})`.
  private func argumentItems(_ object: Object, of name: String) -> [Reference] {
    guard let argument = elements(object.arguments)?.last else { return [] }
    if case .dictionary(let place) = self[argument] { return lists[place] }
    guard name == "collections.OrderedDict", let pairs = elements(argument) else { return [] }
    return pairs.flatMap { pair -> [Reference] in
      guard let pair = elements(pair), pair.count == 2 else { return [] }
      return pair
    }
  }

  /// A key as it becomes part of a name: text as it is, whole numbers in digits.
  func keyText(_ reference: Reference) -> String? {
    switch self[reference] {
    case .text(let places): text(at: places)
    case .int(let number): String(number)
    case .bool(let value): value ? "True" : "False"
    default: nil
    }
  }

  /// The value of a key of a dictionary, or of an object's `__dict__`.
  func item(_ reference: Reference, _ key: String) -> Reference? {
    items(reference)?.first { isText($0.key, key) }?.value
  }

  /// Calls `body` for each value that a value holds.
  func forEachChild(of reference: Reference, _ body: (Reference) -> Void) {
    switch self[reference] {
    case .tuple(let places): for place in places { body(tuples[Int(place)]) }
    case .list(let place), .set(let place), .dictionary(let place): lists[place].forEach(body)
    case .object(let place):
      let object = objects[place]
      body(object.callee)
      body(object.arguments)
      if let state = object.state { body(state) }
      object.items.forEach(body)
      object.elements.forEach(body)
    case .persistent(let identifier): body(identifier)
    default: break
    }
  }
}
