import JSONText
import TensorCore

/// Shapes that GGUF cannot express: scalars, more than four dimensions, or without elements.
///
/// Such a tensor is stored in one or two dimensions with the same number of elements, and not at all
/// if it is empty; a metadata value records its shape.
enum GGUFShapes {
  /// Metadata key of the JSON list of name, dtype, shape, and index.
  static let key = "ckpt.shapes"

  /// The dimensions with which a tensor is stored, fastest first; `nil` if it has no elements.
  static func dimensions(_ shape: Shape) -> [Int]? {
    if shape.contains(0) { return nil }
    guard let last = shape.last else { return [1] }
    if shape.count <= GGUF.maxRank { return shape.reversed() }
    // The last dimension stays as it is: rows of block types consist of whole blocks.
    return [last, shape.product(along: ..<(shape.count - 1))]
  }

  /// The list of a checkpoint's tensors that need it; `nil` if there are none.
  static func text(_ entries: [Checkpoint.Entry]) -> String? {
    let odd = entries.enumerated().filter {
      let shape = $0.element.info.shape
      return dimensions(shape) != shape.reversed()
    }
    if odd.isEmpty { return nil }
    var json = JSONWriter()
    json.array { json in
      for (index, entry) in odd {
        json.array { json in
          json.string(entry.name.text)
          json.string(entry.info.dtype.rawValue)
          json.numbers(entry.info.shape)
          json.number(index)
        }
      }
    }
    return json.text
  }

  /// Gives tensors the shapes in the list, and adds those without elements.
  ///
  /// A list that does not match the tensors stays in the metadata, with a note.
  static func restore(_ opened: inout Opened) {
    guard let text = opened.checkpoint.metadata[key] else { return }
    guard let entries = entries(text, opened.checkpoint.entries) else {
      opened.notes.append("metadata '\(key)' does not match the tensors; left as it is")
      return
    }
    opened.checkpoint.entries = entries
    opened.checkpoint.setText(nil, for: key)
  }

  private static func entries(
    _ text: String, _ stored: [Checkpoint.Entry]
  ) -> [Checkpoint.Entry]? {
    guard let items = (try? JSONValue(text))?.elements else { return nil }
    // Those without elements come at ascending indices of the result, between the stored ones.
    var entries: [Checkpoint.Entry] = []
    var rest = stored[...]
    var names = Set(stored.map(\.name))
    for item in items {
      guard let parts = item.elements, parts.count == 4, let name = parts[0].text,
        let dtype = parts[1].text.flatMap(DType.init(rawValue:)), let shape = parts[2].integers,
        let index = parts[3].integer, index >= 0,
        let info = try? TensorInfo(dtype: dtype, shape: shape)
      else { return nil }
      guard index >= entries.count, index - entries.count <= rest.count else { return nil }
      let passed = index - entries.count
      entries += rest.prefix(passed)
      rest = rest.dropFirst(passed)
      if info.elementCount == 0 {
        guard names.insert(TensorName(name)).inserted else { return nil }
        entries.append(Checkpoint.Entry(name: TensorName(name), info: info) { _, _ in })
      } else {
        guard let entry = rest.popFirst(), entry.name == TensorName(name),
          entry.info.dtype == dtype, let reshaped = try? entry.reshaped(shape)
        else { return nil }
        entries.append(reshaped)
      }
    }
    return entries + rest
  }
}
