import TensorCore

/// Layers as PyTorch would have them: what Keras divides into parts is one module there.
extension KerasModel {
  /// The names of a layer's variables, in the order of its tensors; `nil` where they are numbered and the
  /// class does not tell their order.
  func variables(of index: Int) -> [String]? {
    let layer = layers[index]
    guard layer.tensors.contains(where: \.name.isNumbered) else {
      return layer.tensors.map(\.name.variable)
    }
    let infos = layer.tensors.map(\.entry.info)
    return KerasClass.variables(layer.kind, description(of: index)?.options, infos)
  }

  /// The description's entry for a layer, or for the one that makes it from its own options.
  func description(of index: Int) -> KerasDescription.Layer? {
    let layer = layers[index]
    if let own = layer.described { return own }
    guard let whole = layer.parent, let kind = layers[whole].kind,
      KerasClass.isRecurrent(kind) || KerasClass.isAttention(kind)
    else { return nil }
    return layers[whole].described
  }

  /// Dotted path of a layer.
  func path(of index: Int) -> String {
    var names: [String] = []
    var current = index
    while let parent = layers[current].parent {
      names.append(layers[current].name.replacing("/", with: "."))
      current = parent
    }
    return names.reversed().joined(separator: ".")
  }

  /// The layer that PyTorch's module stands for, and what a part is in it: `forward/`, `query/` or nothing.
  func owner(of index: Int, _ own: [KerasLayer.Variable]) -> (layer: Int, role: String) {
    let layer = layers[index]
    guard let parent = layer.parent, parent != 0 else { return (index, "") }
    func shape(_ variable: String) -> Shape? {
      own.first { $0.name == variable }?.entry.info.shape
    }
    if shape("recurrent_kernel") != nil {
      var whole = index
      if isCell(index) { whole = parent }
      if let wrapper = layers[whole].parent, wrapper != 0,
        let side = ["forward", "backward"].first(where: { hasRole(layers[whole], "\($0)_") })
      {
        return (wrapper, side + "/")
      }
      return (whole, "")
    }
    if shape("kernel")?.count == 3,
      let role = Self.projections[layer.role] ?? Self.projections[layer.name]
    {
      return (parent, role + "/")
    }
    return (layers[parent].kind == "TimeDistributed" ? parent : index, "")
  }

  /// Whether a layer is the only cell of the one that it is part of.
  private func isCell(_ index: Int) -> Bool {
    let layer = layers[index]
    guard let parent = layer.parent, layer.role != "cells",
      layers[parent].role != "cells", layers[parent].kind != "StackedRNNCells"
    else { return false }
    return layer.role == "cell" || layer.kind?.hasSuffix("Cell") == true
  }

  private func hasRole(_ layer: Layer, _ prefix: String) -> Bool {
    layer.role.hasPrefix(prefix) || layer.name.hasPrefix(prefix)
  }

  /// The dense layers of an attention, as either file calls them.
  static let projections = [
    "query": "query", "key": "key", "value": "value", "attention_output": "output",
    "query_dense": "query", "key_dense": "key", "value_dense": "value", "output_dense": "output",
    "_query_dense": "query", "_key_dense": "key", "_value_dense": "value",
    "_output_dense": "output",
  ]
}
