public import TensorCore

/// Names and layouts of tensors, from Keras to PyTorch and back.
///
/// Layers are recognized by Keras's names, by the description of the model where the file has one,
/// and by shapes. Each is mapped by one table, `KerasMapping`, read forward or backward, so that
/// a round trip gives the same bits. Tensors are rearranged as they are read. What has no
/// counterpart stays as it is and is reported.
public enum KerasLayout {
  /// A checkpoint in the other layout.
  public struct Result: Sendable {
    /// The tensors under their new names; metadata that only describes the old layout is gone.
    public var checkpoint: Checkpoint
    /// What could not be expressed, one sentence each.
    public var notes: [String] = []
  }

  /// A checkpoint with Keras's names, as `state_dict()` of the same modules in PyTorch.
  ///
  /// A module is named after its Keras layers: `encoder.first.weight`.
  /// - Throws: `CheckpointError` when there is no Keras layer, or two would have the same name.
  public static func toTorch(_ input: Checkpoint) throws -> Result {
    var result = Result(checkpoint: input)
    let found = try KerasLayers(input)
    guard !found.layers.isEmpty else {
      throw CheckpointError(
        .mismatched,
        "no tensor has a Keras name such as 'dense/kernel' or 'layers/dense/vars/0'")
    }
    var entries: [Checkpoint.Entry] = []
    var left = found.others
    var padded: [String] = []
    var divided: [String] = []
    for stored in found.layers {
      var layer = stored
      let refusal = layer.dequantize()
      let mapping = KerasMapping(layer)
      if let reason = refusal ?? mapping.reason {
        result.notes.append(
          "layer '\(layer.path)'\(layer.kind.map { " (\($0))" } ?? "") stays as Keras has it: \(reason)"
        )
        left += stored.variables.map(\.entry)
        continue
      }
      if layer.isDequantized { divided.append(layer.path) }
      entries += try torch(layer, mapping)
      if !mapping.second.isEmpty { padded.append(layer.path) }
    }
    if !padded.isEmpty {
      result.notes.append(
        "the second bias of \(listed(padded)) is zero: Keras has one, PyTorch adds two")
    }
    if !divided.isEmpty {
      result.notes.append(
        "the int8 weights of \(listed(divided)) become float32, divided by their scales; Keras also "
          + "rounds the inputs of such layers, PyTorch does not")
    }
    if !found.others.isEmpty {
      let names = listed(found.others.map(\.name.text))
      result.notes.append(
        "\(names) stay as they are: cannot tell which weights of a layer they are")
    }
    if input.entries.contains(where: { $0.alias != nil }) {
      result.notes.append("tied tensors are written out separately")
    }
    result.checkpoint.entries = try unique(entries + left)
    result.checkpoint.modules = []
    result.checkpoint.setText(nil, for: Checkpoint.kerasLayersKey)
    return result
  }

  private static func torch(
    _ layer: KerasLayer, _ mapping: KerasMapping
  ) throws -> [Checkpoint.Entry] {
    var order: [String] = []
    var parts: [String: [(index: Int, entry: Checkpoint.Entry)]] = [:]
    for slot in mapping.slots {
      guard let variable = layer.variables.first(where: { $0.name == slot.variable }) else {
        continue
      }
      let part = try variable.entry.part(slot.part.index, of: slot.part.count)
      if parts[slot.tensor] == nil { order.append(slot.tensor) }
      parts[slot.tensor, default: []].append(
        (slot.tensorPart.index, try slot.arrangement.torch(part)))
    }
    let prefix = layer.path.isEmpty ? "" : layer.path + "."
    var entries: [Checkpoint.Entry] = []
    for tensor in order {
      let sorted = (parts[tensor] ?? []).sorted { $0.index < $1.index }.map(\.entry)
      entries.append(try .joined(sorted, name: TensorName(prefix + tensor)))
      if let second = mapping.second.first(where: { $0.first == tensor }), let like = entries.last {
        entries.append(.zeros(TensorName(prefix + second.name), like.info))
      }
    }
    return entries.map { entry in
      var entry = entry
      entry.alias = nil
      return entry
    }
  }

  static func unique(_ entries: [Checkpoint.Entry]) throws(CheckpointError) -> [Checkpoint.Entry] {
    var names: Set<TensorName> = []
    for entry in entries where !names.insert(entry.name).inserted {
      throw CheckpointError(
        .mismatched, "two tensors would both be called '\(entry.name)'; change --rename or --map")
    }
    return entries
  }

  static func listed(_ names: [String]) -> String {
    names.map { "'\($0)'" }.listed(upTo: 5)
  }
}
