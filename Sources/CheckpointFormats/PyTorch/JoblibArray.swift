import TensorCore

/// What follows the description of an array, a `NumpyArrayWrapper`, in a pickle that joblib writes.
///
/// Source: joblib 1.5 `numpy_pickle.py` (`NumpyArrayWrapper.read_array`).
enum JoblibArray {
  /// The elements; if they are aligned, after a byte that gives the number of bytes before them.
  case bytes(count: Int, isAligned: Bool)
  /// A pickle of an array of objects.
  case objects

  /// Whether a name is that of the description.
  static func describes(_ global: Pickle.Global) -> Bool {
    global.name == "NumpyArrayWrapper" && global.module.hasSuffix("joblib.numpy_pickle")
  }
}

extension PickleMachine {
  /// Moves after an array that follows its description.
  mutating func pass(_ array: JoblibArray, of object: Int) throws(CheckpointError) {
    switch array {
    case .bytes(let count, let isAligned):
      if isAligned { _ = try input.skip(Int(try input.byte())) }
      arrays[object] = try input.skip(count)
    case .objects:
      guard nesting < 4 else {
        throw CheckpointError(.unsupported, "arrays of objects are nested too deeply")
      }
      nesting += 1
      let outer = (stack, memo)
      (stack, memo) = (PickleStack(), PickleMemo())
      objectArrays[object] = try run()
      (stack, memo) = outer
      nesting -= 1
    }
  }

  /// What follows an object whose state was just set; `nil` if it describes no array.
  func joblibArray(_ object: Pickle.Object) -> JoblibArray? {
    guard case .global(let index) = values[Int(object.callee)],
      JoblibArray.describes(names.globals[index]), let state = object.state,
      let shape = item(state, "shape").flatMap(elements),
      let type = item(state, "dtype"), case .object(let maker) = values[Int(type)],
      let first = elements(objects[maker].arguments)?.first,
      case .text(let range) = values[Int(first)]
    else { return nil }
    let name = input.text(range)
    if name.hasPrefix("O") { return .objects }
    guard let width = Int(name.drop { !$0.isNumber }) else { return nil }
    var count = name.hasPrefix("U") ? width.saturated(times: 4) : width
    for size in shape {
      guard case .int(let size) = values[Int(size)], size >= 0 else { return nil }
      count = count.saturated(times: size)
    }
    var isAligned = false
    if let alignment = item(state, "numpy_array_alignment_bytes"),
      case .int = values[Int(alignment)]
    {
      isAligned = true
    }
    return .bytes(count: count, isAligned: isAligned)
  }

  private func elements(_ reference: Reference) -> ArraySlice<Reference>? {
    guard case .tuple(let range) = values[Int(reference)] else { return nil }
    return tuples[Int(range.lowerBound)..<Int(range.upperBound)]
  }

  private func item(_ dictionary: Reference, _ name: String) -> Reference? {
    guard case .dictionary(let index) = values[Int(dictionary)] else { return nil }
    let items = lists[index]
    // The description has six members; more are not looked through with every object.
    guard items.count <= 32 else { return nil }
    for position in stride(from: 0, to: items.count - 1, by: 2) {
      if case .text(let range) = values[Int(items[position])], input.text(range) == name {
        return items[position + 1]
      }
    }
    return nil
  }
}
