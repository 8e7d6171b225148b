import CheckpointFormats
import JSONText
import TensorCore

/// Names of a checkpoint's layers: in the file, as given by the user, and in PyTorch.
struct KerasNames {
  /// Names that the user gave to layers, by the path in tensor names.
  private var labels: [TensorName: String] = [:]
  private var description = KerasDescription()

  /// Takes names and description from the metadata.
  init(_ checkpoint: Checkpoint) {
    if let text = checkpoint.metadata[Checkpoint.kerasLayersKey] {
      var scanner = JSONScanner(Array(text.utf8))
      try? scanner.object { scanner, key, _ throws(CheckpointError) in
        labels[TensorName(key)] = try scanner.string()
      }
    }
    for key in ["config.json", "model_config"] {
      if let text = checkpoint.metadata[key] { description = KerasDescription(text) }
    }
  }

  private func label(_ path: some Collection<String>) -> String? {
    labels[TensorName(path.joined(separator: "/"))]
  }

  /// The description's entry for a layer.
  func described(_ path: [String], isNumbered: Bool) -> KerasDescription.Layer? {
    // A number after a class, as files have it, is not the one in the layer's own name.
    let name = label(path) ?? (isNumbered ? nil : path.last)
    return name.flatMap { description.layers[TensorName($0)] }
  }

  /// The class that a name made by Keras tells: in a list of layers the place's own name, else the
  /// layer's.
  func kind(_ name: KerasName) -> String? {
    guard let last = name.layer.last else { return nil }
    if Self.projections[last] != nil { return "EinsumDense" }
    return KerasClass.named(last) ?? label(name.layer).flatMap(KerasClass.named)
  }

  // MARK: - Parts of layers

  /// The layer that a part belongs to, and what the part is in it: `forward/`, `query/` or nothing.
  func owner(of name: KerasName, _ own: [KerasLayer.Variable]) -> (path: [String], role: String) {
    var path = name.layer
    func shape(_ variable: String) -> Shape? {
      own.first { $0.name == variable }?.entry.info.shape
    }
    guard path.count > 1, let last = path.last else { return (path, "") }
    if shape("recurrent_kernel") != nil {
      if last == "cell" || KerasClass.named(last)?.hasSuffix("Cell") == true { path.removeLast() }
      for side in ["forward", "backward"] where path.count > 1 {
        if path.last?.hasPrefix(side + "_") == true { return (path.dropLast(), side + "/") }
      }
      return (path, "")
    }
    if shape("kernel")?.count == 3, let role = Self.projections[last] {
      return (path.dropLast(), role + "/")
    }
    let wrapper = Array(path.dropLast())
    let kind =
      described(wrapper, isNumbered: name.isNumbered)?.kind
      ?? wrapper.last.flatMap(KerasClass.named)
    return (kind == "TimeDistributed" ? wrapper : path, "")
  }

  /// The dense layers of an attention, as either file calls them.
  private static let projections = [
    "query": "query", "key": "key", "value": "value", "attention_output": "output",
    "query_dense": "query", "key_dense": "key", "value_dense": "value", "output_dense": "output",
  ]

  // MARK: - PyTorch's names

  /// The dotted path of a module: a layer in a list by the name that its user gave it, a layer that
  /// is an attribute by the attribute's.
  func path(_ layer: [String], isNumbered: Bool) -> String {
    isNumbered ? numberedPath(layer) : namedPath(layer)
  }

  private func namedPath(_ layer: [String]) -> String {
    let end = layer.indices.first { label(layer[...$0]) != nil }
    guard let end, let label = label(layer[...end]) else { return layer.joined(separator: ".") }
    return ([label.replacing("/", with: ".")] + layer[(end + 1)...]).joined(separator: ".")
  }

  private func numberedPath(_ layer: [String]) -> String {
    var path: [String] = []
    for (depth, part) in layer.enumerated() {
      let own = label(layer[...depth])
      if own == nil, part == "layers" { continue }
      let isInList = depth > 0 && label(layer[..<depth]) == nil
      path.append(isInList ? own ?? part : part)
    }
    return path.joined(separator: ".")
  }
}
