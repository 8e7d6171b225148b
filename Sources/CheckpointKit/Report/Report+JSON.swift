import TensorCore

/// A report as JSON: an object per tensor.
extension Report: Encodable {
  private struct File: Encodable {
    let path: String
    let format: String
    let tensors: Int
    let elements: Int
    let bytes: Int
    let recipe: String?
    let provenance: [Provenance.Step]
  }

  private enum CodingKeys: String, CodingKey {
    case files, answer, tensors, unread, values, valueCount
  }

  /// Writes the files with their recipes and provenance, the tensors, and the values; what cannot be read
  /// if there is any.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(
      zip(inputs, provenance).map { input, steps in
        let sizes = input.sizes
        return File(
          path: input.path, format: input.format, tensors: input.checkpoint.entries.count,
          elements: sizes.elements, bytes: sizes.bytes,
          recipe: input.checkpoint.metadata[Checkpoint.recipeKey], provenance: steps)
      }, forKey: .files)
    try values.encodeIfPresent(answer, forKey: .answer)
    try values.encode(tensors, forKey: .tensors)
    if !unread.isEmpty { try values.encode(unread.map(\.text), forKey: .unread) }
    try values.encode(self.values, forKey: .values)
    try values.encode(valueCount, forKey: .valueCount)
  }
}

extension Report.Input {
  /// Elements and bytes, tied tensors counted once.
  var sizes: (elements: Int, bytes: Int) {
    let infos = checkpoint.entries.filter { $0.alias == nil }.map(\.info)
    return (infos.map(\.elementCount).saturatedSum(), infos.map(\.byteCount).saturatedSum())
  }
}

extension Report.Tensor: Encodable {
  private enum CodingKeys: String, CodingKey {
    case name, newName, kind, dtype, newDtype, shape, newShape, alias, before, after, difference
  }

  /// Writes what is known; what is not, or is the same in both, is left out.
  ///
  /// Measures of a tensor that is `identical` or `renamed` are written once, as `before`.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(name.text, forKey: .name)
    try values.encodeIfPresent(newName?.text, forKey: .newName)
    try values.encodeIfPresent(kind, forKey: .kind)
    let info = old ?? new
    try values.encodeIfPresent(info?.dtype.rawValue, forKey: .dtype)
    try values.encodeIfPresent(info?.shape, forKey: .shape)
    if let info, let new, new.dtype != info.dtype {
      try values.encode(new.dtype.rawValue, forKey: .newDtype)
    }
    if let info, let new, new.shape != info.shape {
      try values.encode(new.shape, forKey: .newShape)
    }
    try values.encodeIfPresent(alias?.text, forKey: .alias)
    try values.encodeIfPresent(before, forKey: .before)
    if kind != .identical, kind != .renamed { try values.encodeIfPresent(after, forKey: .after) }
    try values.encodeIfPresent(difference, forKey: .difference)
  }
}
