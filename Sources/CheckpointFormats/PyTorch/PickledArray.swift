import TensorCore

/// An array of NumPy in a pickle.
///
/// Source: numpy 2.4 `_core/src/multiarray/methods.c` (`array_reduce`, `array_setstate`),
/// `_core/numeric.py` (`_frombuffer`), `_core/src/multiarray/descriptor.c` (`arraydescr_reduce`).
struct PickledArray {
  /// What the elements are.
  enum Elements {
    /// Numbers or Booleans.
    case numbers(DType, isBigEndian: Bool, isGuess: Bool)
    /// Python's objects.
    case objects
    /// Strings of a fixed length, by NumPy's name of their type, such as `<U5`.
    case text(String)
    /// Anything else, in words.
    case other(String)
  }

  let elements: Elements
  /// A tuple of sizes.
  let shape: Pickle.Reference
  /// Whether the first axis is the fastest.
  let isFortranOrder: Bool
  /// The bytes, or the list of the objects.
  private let data: Data

  /// Where the elements are.
  private enum Data {
    case value(Pickle.Reference)
    /// In the pickle's source, where joblib writes them.
    case range(Range<Int>)
  }

  /// The functions that make arrays; their state or their arguments are what is in them.
  static let makers: Set<String> = [
    "numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct",
    "numpy.core.numeric._frombuffer", "numpy._core.numeric._frombuffer",
    "numpy.ma.core._mareconstruct", "jax._src.array._reconstruct_array",
  ]

  /// Whether a function or class makes arrays.
  static func isMaker(_ global: Pickle.Global) -> Bool {
    makers.contains(global.fullName) || JoblibArray.describes(global)
  }

  /// The bytes of an array of numbers or strings.
  func bytes(in pickle: Pickle) -> PickledBytes? {
    switch data {
    case .value(let reference): pickle.pickledBytes(reference)
    case .range(let range):
      PickledBytes(stored: range, isText: false, count: range.count, isDistant: true)
    }
  }

  /// The elements of an array of objects.
  func objects(in pickle: Pickle) -> [Pickle.Reference]? {
    if case .value(let reference) = data { pickle.elements(reference) } else { nil }
  }

  /// The array that a value describes; `nil` for other values, and for an array without content.
  init?(_ reference: Pickle.Reference, in pickle: Pickle) {
    guard case .object(let index) = pickle[reference],
      let callee = pickle.callee(pickle.objects[index])
    else { return nil }
    if JoblibArray.describes(callee) {
      // What follows the description of objects is the whole array.
      if let inner = pickle.objectArrays[index], inner != reference {
        guard case .object(let other) = pickle[inner], pickle.objectArrays[other] == nil,
          let array = PickledArray(inner, in: pickle)
        else { return nil }
        self = array
        return
      }
      guard let range = pickle.arrays[index], let state = pickle.objects[index].state,
        let shape = pickle.item(state, "shape"), let type = pickle.item(state, "dtype"),
        let order = pickle.item(state, "order")
      else { return nil }
      self.shape = shape
      isFortranOrder = pickle.isText(order, "F")
      data = .range(range)
      elements = Self.elements(of: type, in: pickle)
      return
    }
    let name = callee.fullName
    guard Self.makers.contains(name),
      let arguments = pickle.elements(pickle.objects[index].arguments)
    else { return nil }
    let type: Pickle.Reference
    if name.hasSuffix("._frombuffer") {
      guard arguments.count == 4 else { return nil }
      (data, type, shape) = (.value(arguments[0]), arguments[1], arguments[2])
      isFortranOrder = pickle.isText(arguments[3], "F")
    } else {
      // JAX keeps NumPy's function, its arguments, and the state; NumPy's pickles have a state.
      let isJAX = name.hasPrefix("jax.")
      let state = isJAX && arguments.count > 2 ? arguments[2] : pickle.objects[index].state
      guard var fields = state.flatMap({ pickle.elements($0) }) else { return nil }
      // The version comes first, except in the oldest pickles.
      if fields.count > 4, pickle.int(fields[0]) != nil { fields.removeFirst() }
      guard fields.count >= 4 else { return nil }
      (shape, type, data) = (fields[0], fields[1], .value(fields[3]))
      switch pickle[fields[2]] {
      case .bool(let truth): isFortranOrder = truth
      case .int(let number): isFortranOrder = number != 0
      default: return nil
      }
    }
    elements =
      name.hasPrefix("numpy.ma.")
      ? .other("a masked array") : Self.elements(of: type, in: pickle)
  }

  /// Whether it is a tensor, or stands for one that cannot be read.
  var isTensor: Bool {
    switch elements {
    case .numbers, .other: true
    case .objects, .text: false
    }
  }

  /// What `numpy.dtype` and its state describe.
  private static func elements(of type: Pickle.Reference, in pickle: Pickle) -> Elements {
    guard let object = pickle.object(type), pickle.callee(object)?.fullName == "numpy.dtype",
      let first = pickle.elements(object.arguments)?.first
    else { return .other("an array of an unrecognized type") }
    let state = object.state.flatMap { pickle.elements($0) } ?? []
    let order = state.count > 1 ? pickle.text(state[1]) ?? "" : ""
    let isBigEndian = order == ">"
    // Types of ml_dtypes are named by their class.
    if let global = pickle.global(first) {
      let known = PyTorchGlobals.dtype(
        Pickle.Global(module: "torch", name: global.name, offset: global.offset))
      guard global.module == "ml_dtypes", let known, known.isComputable else {
        return .other("an array of \(global.fullName)")
      }
      return .numbers(known, isBigEndian: isBigEndian && known.byteWidth > 1, isGuess: false)
    }
    guard let name = pickle.text(first) else { return .other("an array of an unrecognized type") }
    if state.count > 4, case .none = pickle[state[3]] {
      // No names of fields.
    } else if state.count > 4 {
      return .other("an array of records")
    }
    if name.hasPrefix("O") { return .objects }
    if name.hasPrefix("U") || name.hasPrefix("S") || name.hasPrefix("a") {
      return .text((isBigEndian ? ">" : "<") + name.replacingPrefix("a", with: "S"))
    }
    if state.count > 2, pickle.elements(state[2]) != nil {
      return .other("an array whose elements are arrays")
    }
    let description = (order == "=" || order.isEmpty ? "<" : order) + name
    guard let found = try? NPYHeader.type(description) else {
      return .other("an array of type '\(description.shortened(to: 40))'")
    }
    return .numbers(found.dtype, isBigEndian: found.isBigEndian, isGuess: found.isGuess)
  }
}

extension Pickle {
  /// The array of a tensor of PaddlePaddle, which is pickled as `tuple((name, array))`; Python itself
  /// never writes a tuple so.
  func paddleArray(_ object: Object) -> Reference? {
    guard let name = callee(object)?.fullName,
      name == "builtins.tuple" || name == "__builtin__.tuple",
      let arguments = elements(object.arguments), arguments.count == 1,
      let pair = elements(arguments[0]), pair.count == 2, text(pair[0]) != nil,
      PickledArray(pair[1], in: self)?.isTensor == true
    else { return nil }
    return pair[1]
  }
}

extension String {
  fileprivate func replacingPrefix(_ prefix: String, with other: String) -> String {
    hasPrefix(prefix) ? other + dropFirst(prefix.count) : self
  }
}
