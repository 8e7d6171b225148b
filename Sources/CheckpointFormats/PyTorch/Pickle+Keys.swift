import TensorCore

/// Dictionaries of a pickle: what their keys are, and how keys become names.
extension Pickle {
  /// A key of a dictionary: what Python compares, and the text that stands for it in names.
  struct Key: Hashable {
    /// What a key is; keys of different kinds are different, whatever their texts.
    enum Kind: String {
      case text, number, bytes, tuple, none, object
    }

    let kind: Kind
    let text: TensorName

    init(_ kind: Kind, _ text: String) { (self.kind, self.text) = (kind, TensorName(text)) }
  }

  /// Keys and values of a dictionary or of an object that behaves like one.
  ///
  /// If a key has several values, the last one counts, at the first one's position, as in Python.
  func items(_ reference: Reference) -> [(key: Reference, value: Reference)]? {
    var flat: [Reference]
    switch self[reference] {
    case .dictionary(let index): flat = lists[index]
    case .object(let index):
      guard let name = callee(objects[index])?.fullName, PyTorchGlobals.mappings.contains(name)
      else { return nil }
      flat = argumentItems(objects[index], of: name) + objects[index].items
    default: return nil
    }
    var indices: [Key: Int] = [:]
    var items: [(key: Reference, value: Reference)] = []
    for index in stride(from: 0, to: flat.count - 1, by: 2) {
      let item = (key: flat[index], value: flat[index + 1])
      if let key = key(item.key) {
        if let known = indices[key] {
          items[known].value = item.value
          continue
        }
        indices[key] = items.count
      }
      items.append(item)
    }
    return items
  }

  /// Items given to the constructor: `OrderedDict([(k, v), …])` in old Python, `defaultdict(f, {…})`.
  private func argumentItems(_ object: Object, of name: String) -> [Reference] {
    guard let argument = elements(object.arguments)?.last else { return [] }
    if case .dictionary(let index) = self[argument] { return lists[index] }
    guard name == "collections.OrderedDict", let pairs = elements(argument) else { return [] }
    return pairs.flatMap { pair -> [Reference] in
      guard let pair = elements(pair), pair.count == 2 else { return [] }
      return pair
    }
  }

  /// Values with the names that their keys give them: different keys have different names.
  ///
  /// A key that is not a string but reads like one beside it is followed by its kind, `1 (number)`; one
  /// that has no text is named by its position, `(key 0)`.
  func named(
    _ items: [(key: Reference, value: Reference)]
  ) -> [(name: String, value: Reference)] {
    let keys = items.map { key($0.key) }
    let isPlain = !keys.contains { $0?.kind != keys.first??.kind || $0 == nil }
    if isPlain { return zip(keys, items).map { ($0?.text.text ?? "", $1.value) } }
    var names = Set(keys.compactMap { $0?.kind == .text ? $0?.text : nil })
    return zip(keys, items).enumerated().map { index, pair in
      let (key, item) = pair
      if let key, key.kind == .text { return (key.text.text, item.value) }
      var name = key?.text.text ?? "(key \(index))"
      while !names.insert(TensorName(name)).inserted {
        name += " (\(key?.kind.rawValue ?? "object"))"
      }
      return (name, item.value)
    }
  }

  /// A string unchanged, or an integer or a truth in decimal; `nil` for other values.
  func keyText(_ reference: Reference) -> String? {
    switch self[reference] {
    case .text, .int, .bool: key(reference)?.text.text
    default: nil
    }
  }

  /// What a key is and its text, as Python prints it: numbers and strings of NumPy like Python's own,
  /// members of enumerations as their values; `nil` for other values.
  func key(_ reference: Reference) -> Key? { key(reference, depth: 0) }

  private static let maxKeyDepth = 3
  private static let maxKeyParts = 64

  private func key(_ reference: Reference, depth: Int) -> Key? {
    switch self[reference] {
    case .text: return Key(.text, text(reference) ?? "")
    case .int(let number): return Key(.number, String(number))
    case .bool(let value): return Key(.number, value ? "True" : "False")
    case .float(let number): return Key(.number, Self.text(number))
    case .none: return Key(Key.Kind.none, "None")
    case .bytes: return bytesKey(reference)
    case .tuple(let range):
      guard depth < Self.maxKeyDepth, range.count <= Self.maxKeyParts else { return nil }
      var parts: [String] = []
      for index in range {
        guard let part = key(tuples[Int(index)], depth: depth + 1) else { return nil }
        switch part.kind {
        case .text: parts.append("'\(part.text)'")
        case .bytes: parts.append("b'\(part.text)'")
        case .number, .tuple, .none, .object: parts.append(part.text.text)
        }
      }
      return Key(.tuple, "(\(parts.joined(separator: ", "))\(parts.count == 1 ? "," : ""))")
    case .global(let index): return Key(.object, globals[index].fullName)
    case .object(let index): return key(reference, of: objects[index], depth: depth)
    case .largeInt, .distant, .list, .set, .dictionary, .persistent: return nil
    }
  }

  /// The key that an object is: a number or a string of NumPy, bytes, or a member of an enumeration.
  private func key(_ reference: Reference, of object: Object, depth: Int) -> Key? {
    guard depth < Self.maxKeyDepth, let callee = callee(object),
      let arguments = elements(object.arguments)
    else { return nil }
    switch callee.fullName {
    case "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar":
      switch numpyScalar(arguments) {
      case .integer(let number)?: return Key(.number, String(number))
      case .real(let number)?: return Key(.number, Self.text(number))
      case .bool(let value)?: return Key(.number, value ? "True" : "False")
      case .text(let text)?: return Key(.text, text)
      default: return nil
      }
    case "_codecs.encode", "builtins.bytes", "__builtin__.bytes": return bytesKey(reference)
    case "builtins.getattr", "__builtin__.getattr":
      // Some versions of Python write the member of an enumeration by its name.
      guard arguments.count == 2, let name = text(arguments[1]) else { return nil }
      return Key(.object, name)
    default:
      guard arguments.count == 1, object.state == nil, object.items.isEmpty,
        object.elements.isEmpty, !PyTorchGlobals.isRecognized(callee)
      else { return nil }
      return key(arguments[0], depth: depth + 1).map { Key(.object, $0.text.text) }
    }
  }

  private func bytesKey(_ reference: Reference) -> Key? {
    guard let bytes = pickledBytes(reference), bytes.count <= Self.maxScalar else { return nil }
    return array(bytes).flatMap { String(validating: $0, as: UTF8.self) }.map { Key(.bytes, $0) }
  }

  /// A number as Python prints it.
  private static func text(_ number: Double) -> String {
    number.isNaN ? "nan" : String(number)
  }

  /// A number or a string of NumPy, such as `numpy.float64(0.5)`: its type and its bytes.
  func numpyScalar(_ arguments: [Reference]) -> TensorCore.Value? {
    guard arguments.count == 2, let type = object(arguments[0]),
      let name = elements(type.arguments)?.first.flatMap({ text($0) }),
      let pickled = pickledBytes(arguments[1]), pickled.count <= Self.maxScalar,
      let stored = array(pickled)
    else { return nil }
    let order = type.state.flatMap { elements($0) }.flatMap { state in
      state.count > 1 ? text(state[1]) : nil
    }
    if name.hasPrefix("U") {
      let units = stride(from: 0, to: stored.count - 3, by: 4).map { start in
        stored[start..<start + 4].enumerated().reduce(UInt32(0)) { sum, byte in
          sum | UInt32(byte.element) << UInt32(8 * (order == ">" ? 3 - byte.offset : byte.offset))
        }
      }
      return stored.count % 4 == 0
        ? String(validating: units, as: UTF32.self).map(TensorCore.Value.text) : nil
    }
    guard stored.count <= 8 else { return nil }
    var bits: UInt64 = 0
    for byte in order == ">" ? stored : stored.reversed() { bits = bits << 8 | UInt64(byte) }
    let unused = UInt64(64 - 8 * stored.count)
    switch name {
    case "f8" where stored.count == 8: return .real(Double(bitPattern: bits))
    case "f4" where stored.count == 4:
      return .real(Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits))))
    case "f2" where stored.count == 2:
      return .real(Double(Float16(bitPattern: UInt16(truncatingIfNeeded: bits))))
    case "b1": return .bool(bits != 0)
    case "i8", "i4", "i2", "i1":
      return .integer(Int(Int64(bitPattern: bits << unused) >> Int64(unused)))
    case "u4", "u2", "u1": return .integer(Int(bits))
    case "u8": return Int(exactly: bits).map(TensorCore.Value.integer)
    default: return nil
    }
  }

  /// Most bytes of a string of NumPy, or of bytes, that become a key.
  private static let maxScalar = 1 << 12
}
