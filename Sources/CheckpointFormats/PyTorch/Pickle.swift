import ByteIO
import TensorCore

/// The values that a Python pickle describes: nothing in it is called, imported, or instantiated.
///
/// Values are in one flat list and refer to each other by index, so that nesting, sharing, and cycles
/// cost nothing. A class or function is only its name; a call that the pickle would make is an
/// ``Object``.
struct Pickle: Sendable {
  /// Index of a value in ``values``.
  typealias Reference = Int32
  /// Indices in ``bytes`` or ``tuples``, which have fewer than 2^31 elements.
  typealias CompactRange = Range<Int32>

  /// One value, in 16 bytes.
  enum Value: Sendable {
    case none
    case bool(Bool)
    case int(Int)
    /// An integer of more than 64 bits, as a range of ``bytes``; `nil` if it is written as text.
    case largeInt(CompactRange?)
    case float(Double)
    /// A string of valid UTF-8, as a range of ``bytes``.
    case text(CompactRange)
    /// Bytes, as a range of ``bytes``.
    case bytes(CompactRange)
    /// A long string that is not in ``bytes``, in ``distant``.
    case distant(Int)
    /// Elements, as a range of ``tuples``.
    case tuple(CompactRange)
    /// Elements, in ``lists``.
    case list(Int)
    case set(Int)
    /// Alternating keys and values, in ``lists``.
    case dictionary(Int)
    /// A class or a function, in ``globals``.
    case global(Int)
    /// The result of a call that was not made, in ``objects``.
    case object(Int)
    /// A value outside the pickle, identified by another value (a persistent ID).
    case persistent(Reference)
  }

  /// A class or a function by name.
  struct Global: Sendable, Hashable {
    /// The module, such as `torch._utils`.
    let module: String
    /// The name in the module, such as `_rebuild_tensor_v2`.
    let name: String
    /// Offset in the pickle of the first opcode that names it.
    let offset: Int

    /// Both names, such as `torch._utils._rebuild_tensor_v2`.
    ///
    /// A name with dots, which would access attributes of other values, is separated by a space and
    /// so is never a recognized one.
    var fullName: String { module + (name.utf8.contains(UInt8(ascii: ".")) ? " " : ".") + name }

    /// ``fullName`` as a message quotes it: a file may give a very long one.
    var shownName: String { fullName.escapingControls.shortened(to: 100) }
  }

  /// A call that was not made, and the operations on its result.
  struct Object: Sendable {
    /// The class or function that would have been called.
    let callee: Reference
    /// Arguments, a tuple.
    let arguments: Reference
    /// The last state given to `__setstate__`, or to be merged into `__dict__` (BUILD).
    var state: Reference?
    /// Items set (SETITEM, SETITEMS): alternating keys and values.
    var items: [Reference] = []
    /// Elements appended (APPEND, APPENDS).
    var elements: [Reference] = []
    /// Offset of the call's opcode in the pickle.
    let offset: Int
  }

  /// The strings that values refer to.
  let bytes: [UInt8]
  /// Long strings, which are in ``source``.
  let distant: [PickleInput.Distant]
  /// What the pickle was read from, if it is still needed.
  let source: ByteSource
  /// Where the elements of arrays are in ``source`` that joblib put among the opcodes, by the index of
  /// the object that describes each.
  let arrays: [Int: Range<Int>]
  /// The same for arrays of objects: the array that was pickled after its description.
  let objectArrays: [Int: Reference]
  /// Number of bytes of the pickle.
  let end: Int
  let values: [Value]
  /// The elements of all tuples, which are many and never change.
  let tuples: [Reference]
  let lists: [[Reference]]
  let globals: [Global]
  let objects: [Object]
  /// The result of the pickle.
  let root: Reference

  /// Reads the pickle at the beginning of a source.
  ///
  /// - Throws: ``CheckpointError`` `malformed` or `unsupported`, at the offset of the opcode.
  init(_ source: ByteSource) throws(CheckpointError) {
    var machine = PickleMachine(source, 0..<source.size)
    try self.init(&machine)
  }

  /// Runs a machine to the end of its pickle.
  init(_ machine: inout PickleMachine) throws(CheckpointError) {
    let root = try machine.run()
    self.init(machine, root: root)
  }

  /// What a machine made before it had to stop: names, and calls that Python would have run by then.
  init(stopped machine: PickleMachine) { self.init(machine, root: 0) }

  private init(_ machine: PickleMachine, root: Reference) {
    self.root = root
    bytes = machine.input.kept
    distant = machine.input.distant
    // A source in memory is not kept for nothing.
    let isUsed = !machine.input.distant.isEmpty || !machine.arrays.isEmpty
    source = isUsed ? machine.input.source : ByteSource([], name: machine.input.source.name)
    arrays = machine.arrays
    objectArrays = machine.objectArrays
    end = machine.input.position
    values = machine.values
    tuples = machine.tuples
    lists = machine.lists
    globals = machine.names.globals
    objects = machine.objects
  }

  // Limits of the structure; memory and work are charged to the budget.

  /// Largest pickle whose strings are all in memory, longest line, and most bytes of values that are
  /// strings, in bytes.
  static let maxSize = 64 << 20
  /// Deepest stack of values, and of marks.
  static let maxWaiting = 1 << 22
  /// Largest number of distinct classes and functions.
  static let maxGlobals = 1 << 16
  /// Deepest nesting of values.
  static let maxDepth = 1000

  subscript(_ reference: Reference) -> Value { values[Int(reference)] }
}

// MARK: - Inspecting values

extension Pickle {
  /// The elements of a tuple or a list; `nil` for other values.
  func elements(_ reference: Reference) -> [Reference]? {
    switch self[reference] {
    case .tuple(let range): Array(tuples[Int(range.lowerBound)..<Int(range.upperBound)])
    case .list(let index): lists[index]
    default: nil
    }
  }

  /// The string; `nil` for other values.
  func text(_ reference: Reference) -> String? {
    if case .text(let range) = self[reference] { text(at: range) } else { nil }
  }

  private func text(at range: CompactRange) -> String {
    String(decoding: bytes[Int(range.lowerBound)..<Int(range.upperBound)], as: UTF8.self)
  }

  /// Whether a value is this string.
  func isText(_ reference: Reference, _ text: String) -> Bool {
    guard case .text(let range) = self[reference], range.count == text.utf8.count else {
      return false
    }
    return bytes[Int(range.lowerBound)..<Int(range.upperBound)].elementsEqual(text.utf8)
  }

  /// The integer; `nil` for other values and beyond 64 bits.
  func int(_ reference: Reference) -> Int? {
    if case .int(let number) = self[reference] { number } else { nil }
  }

  /// The object; `nil` for other values.
  func object(_ reference: Reference) -> Object? {
    if case .object(let index) = self[reference] { objects[index] } else { nil }
  }

  /// The class or function; `nil` for other values.
  func global(_ reference: Reference) -> Global? {
    if case .global(let index) = self[reference] { globals[index] } else { nil }
  }

  /// The class or function that an object would have been made by.
  func callee(_ object: Object) -> Global? { global(object.callee) }

  /// The value of a key in a dictionary or in an object that behaves like one.
  func item(_ reference: Reference, _ key: String) -> Reference? {
    if case .dictionary(let index) = self[reference] {
      // The last value of a key counts; no table of the keys is made, since many tensors may share
      // one dictionary.
      let flat = lists[index]
      let last = stride(from: flat.count / 2 * 2 - 2, through: 0, by: -2)
      return last.first { isText(flat[$0], key) }.map { flat[$0 + 1] }
    }
    return items(reference)?.first { isText($0.key, key) }?.value
  }

  /// Number of values that must be looked at to list what a value holds: its own, and those of its
  /// arguments and its state.
  func breadth(_ reference: Reference) -> Int {
    guard case .object(let index) = self[reference] else { return ownBreadth(reference) }
    let object = objects[index]
    var count = object.items.count + object.elements.count + ownBreadth(object.arguments)
    if let state = object.state { count += ownBreadth(state) }
    if let last = elements(object.arguments)?.last { count += ownBreadth(last) }
    return count
  }

  private func ownBreadth(_ reference: Reference) -> Int {
    switch self[reference] {
    case .tuple(let range): range.count
    case .list(let index), .set(let index), .dictionary(let index): lists[index].count
    default: 0
    }
  }

  /// Calls `body` with each value that a value contains.
  func forEachChild(of reference: Reference, _ body: (Reference) -> Void) {
    switch self[reference] {
    case .tuple(let range): for index in range { body(tuples[Int(index)]) }
    case .list(let index), .set(let index), .dictionary(let index): lists[index].forEach(body)
    case .object(let index):
      let object = objects[index]
      body(object.callee)
      body(object.arguments)
      if let state = object.state { body(state) }
      object.items.forEach(body)
      object.elements.forEach(body)
      if let inner = objectArrays[index] { body(inner) }
    case .persistent(let identifier): body(identifier)
    default: break
    }
  }
}
