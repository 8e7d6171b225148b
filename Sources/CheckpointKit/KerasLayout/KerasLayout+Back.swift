import ParallelWork
public import TensorCore

/// From PyTorch to Keras.
extension KerasLayout {
  /// A checkpoint with PyTorch's names, as Keras has the same layers.
  ///
  /// With a checkpoint of Keras to be `like`, its layers, names and shapes count. Without, modules are
  /// told by the module tree, or inferred, and variables get the names of Keras's older files,
  /// `encoder/first/kernel`.
  /// - Throws: `CheckpointError` when shapes contradict each other, or no layer is found.
  public static func toKeras(_ input: Checkpoint, like: Checkpoint? = nil) throws -> Result {
    var result = Result(checkpoint: input)
    var layers: [KerasLayer]
    if let like {
      layers = try KerasLayers(like).layers
    } else {
      let tree = try input.tree()
      result.notes += tree.notes
      layers = KerasModules(input, tree.module, notes: &result.notes).layers
    }
    let tensors = input.entriesByName
    var used: Set<TensorName> = []
    var entries: [Checkpoint.Entry] = []
    for stored in layers {
      var layer = stored
      let refusal = layer.dequantize()
      let mapping = KerasMapping(layer)
      let prefix = layer.path.isEmpty ? "" : layer.path + "."
      let quantized = layer.isDequantized ? "its weights are quantized" : nil
      if let reason = refusal ?? quantized ?? mapping.reason {
        result.notes.append(
          "Keras layer '\(layer.path)' cannot be built from PyTorch tensors: \(reason)")
        continue
      }
      let wanted = Set(mapping.slots.map { TensorName(prefix + $0.tensor) })
      let missing = wanted.filter { tensors[$0] == nil }
      guard missing.isEmpty else {
        let names = listed(missing.map(\.text).sorted())
        result.notes.append(
          "Keras layer '\(layer.path)' is left out: the checkpoint lacks \(names)")
        continue
      }
      for variable in layer.variables {
        entries.append(try keras(variable, mapping, prefix, tensors))
      }
      used.formUnion(wanted)
      for second in mapping.second { used.insert(TensorName(prefix + second.name)) }
    }
    guard !entries.isEmpty else {
      throw CheckpointError(
        .mismatched,
        (["no tensor belongs to a Keras layer"] + result.notes).joined(separator: "; "))
    }
    let (counters, left) = divided(input.entries.filter { !used.contains($0.name) })
    if !counters.isEmpty {
      result.notes.append("\(listed(counters)): left out, since Keras does not count batches")
    }
    let kept = Set(like?.entries.map(\.name) ?? [])
    let unknown = left.filter { !kept.contains($0.name) }
    if !unknown.isEmpty {
      let names = listed(unknown.map(\.name.text))
      result.notes.append("\(names) stay as they are: no Keras layer has them")
    }
    result.checkpoint.entries = try unique(entries + left)
    result.checkpoint.modules = []
    return result
  }

  private static func divided(
    _ entries: [Checkpoint.Entry]
  ) -> (counters: [String], others: [Checkpoint.Entry]) {
    let isCounter = { (entry: Checkpoint.Entry) in
      entry.name.parentAndLeaf.leaf == "num_batches_tracked"
    }
    return (entries.filter(isCounter).map(\.name.text), entries.filter { !isCounter($0) })
  }

  private static func keras(
    _ variable: KerasLayer.Variable, _ mapping: KerasMapping, _ prefix: String,
    _ tensors: [TensorName: Checkpoint.Entry]
  ) throws -> Checkpoint.Entry {
    let slots = mapping.slots.filter { $0.variable == variable.name }
    let parts = try slots.sorted { $0.part.index < $1.part.index }.map { slot in
      guard var entry = tensors[TensorName(prefix + slot.tensor)] else {
        throw CheckpointError(.missing, "missing", tensor: prefix + slot.tensor)
      }
      if let second = mapping.second.first(where: { $0.first == slot.tensor }),
        let added = tensors[TensorName(prefix + second.name)]
      {
        entry = try entry.adding(added)
      }
      let part = try entry.part(slot.tensorPart.index, of: slot.tensorPart.count)
      return try slot.arrangement.keras(part)
    }
    var result = try Checkpoint.Entry.joined(parts, name: variable.entry.name)
    result.alias = nil
    return result
  }
}

extension Checkpoint.Entry {
  /// The sum with another floating-point tensor of the same type and shape, rounded to that type;
  /// where one summand is zero the other's bits are kept.
  func adding(_ other: Checkpoint.Entry) throws(CheckpointError) -> Checkpoint.Entry {
    guard info == other.info, info.dtype.isFloatingPoint else {
      throw CheckpointError(
        .mismatched,
        "expected \(info.dtype.rawValue) \(info.shape), which can be added to '\(name)', found "
          + "\(other.info.dtype.rawValue) \(other.info.shape)", tensor: other.name.text)
    }
    let (first, dtype) = (self, info.dtype)
    return Checkpoint.Entry(name: name, info: info) { range, target in
      try target.fillElements(range, width: dtype.byteWidth) { elements, sum in
        let start = elements.lowerBound * dtype.byteWidth
        var buffer = ChunkBuffer(capacity: sum.byteCount)
        var values: (left: [Double], right: [Double]) = ([], [])
        ElementConversion.decode(
          try first.read(start, sum.byteCount, using: &buffer), as: dtype, into: &values.left)
        ElementConversion.decode(
          try other.read(start, sum.byteCount, using: &buffer), as: dtype, into: &values.right)
        for index in values.left.indices where values.right[index] != 0 {
          values.left[index] =
            values.left[index] == 0 ? values.right[index] : values.left[index] + values.right[index]
        }
        ElementConversion.encode(values.left.span, as: dtype, into: &sum)
      }
    }
  }
}
