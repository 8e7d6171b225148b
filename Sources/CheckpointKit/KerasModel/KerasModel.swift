import CheckpointFormats
import JSONText
import TensorCore

/// The layers of a Keras model and the tensors that a file has of each.
///
/// Layers are those that the model's description lists; what only the names of tensors show (the cell
/// of an LSTM, parts of a class of one's own, everything in a file of weights) is added where the names
/// say. Sources: Keras 3.15 `saving/saving_lib.py` and `legacy/saving/legacy_h5_format.py`.
struct KerasModel {
  /// A tensor, as the file calls it and as its layer does.
  struct Variable {
    let name: KerasName
    let entry: Checkpoint.Entry
  }

  /// A layer, an attribute of one, or a list of layers.
  struct Layer {
    /// Name among its parent's parts, without dots.
    let name: String
    /// Class; `nil` if neither description nor names tell.
    var kind: String?
    /// Whether the class follows from names or shapes.
    var isGuessed = false
    let parent: Int?
    /// What the file, or the parent's configuration, calls it.
    let role: String
    /// The description's entry.
    var described: KerasDescription.Layer?
    var children: [Int] = []
    var tensors: [Variable] = []
  }

  /// All layers, each before those inside it; the model itself first.
  private(set) var layers: [Layer]
  /// Layers in the order of their first tensors.
  private(set) var owners: [Int] = []
  /// Tensors whose names are not Keras's.
  private(set) var others: [Checkpoint.Entry] = []
  /// Whether the file describes its layers.
  let isDescribed: Bool
  /// Whether names are those of transformers' TensorFlow models, which are PyTorch's with slashes.
  let isTransformers: Bool
  /// Names that users gave to layers, by their path in tensor names.
  private var labels: [TensorName: String] = [:]

  /// A place in a layer.
  private struct Key: Hashable {
    let layer: Int
    let text: TensorName
  }
  private var listed: [Key: Int] = [:]
  private var roles: [Key: Int] = [:]
  private var direct: [Key: Int] = [:]
  private var named: [Key: Int] = [:]
  private var added: [Key: Int] = [:]
  private var taken: Set<Key> = []

  /// Names of more parts are not Keras's.
  private static let maxDepth = 64

  /// Sorts a checkpoint's tensors into layers.
  ///
  /// - Throws: `CheckpointError` as ``KerasDescription`` does, or for more layers than the budget allows.
  init(_ checkpoint: Checkpoint) throws(CheckpointError) {
    let description = try KerasDescription(of: checkpoint)
    isDescribed = description != nil
    layers = [Layer(name: "", parent: nil, role: "")]
    isTransformers = checkpoint.entries.contains { entry in
      let name = entry.name.text
      return name.hasSuffix(":0") && (name.hasPrefix("tf_") || name.contains("_._"))
    }
    if let text = checkpoint.metadata[Checkpoint.kerasLayersKey] {
      var scanner = JSONScanner(Array(text.utf8))
      try? scanner.object { scanner, key, _ throws(CheckpointError) in
        labels[TensorName(key)] = try scanner.string()
      }
    }
    if let description { add(description) }
    for entry in checkpoint.entries { try place(entry) }
    for index in owners where layers[index].kind == nil { findProjection(index) }
  }

  /// Whether the names are those of a Keras file: most tensors belong to layers that it describes or
  /// names, or are numbered.
  var isKeras: Bool {
    let count = owners.map { layers[$0].tensors.count }.saturatedSum()
    let isNumbered = owners.contains { layers[$0].tensors.contains(where: \.name.isNumbered) }
    return (isDescribed || !labels.isEmpty || isNumbered) && count >= others.count
  }

  /// Tells the projections to and from the heads of an attention by their names and a kernel of 3 axes.
  private mutating func findProjection(_ index: Int) {
    let layer = layers[index]
    let kernel = layer.tensors.first { ["kernel", "0"].contains($0.name.variable) }
    guard kernel?.entry.info.shape.count == 3,
      Self.projections[layer.role] ?? Self.projections[layer.name] != nil
    else { return }
    layers[index].kind = "EinsumDense"
    let whole = layer.parent.flatMap { layers[$0].kind }
    layers[index].isGuessed = whole.map(KerasClass.isAttention) != true
  }

  // MARK: - Layers

  private mutating func add(_ description: KerasDescription) {
    var counts: [Key: Int] = [:]
    var outermost = [0]
    for (index, described) in description.layers.enumerated() {
      guard let parent = described.parent else {
        layers[0].kind = described.kind
        layers[0].described = described
        continue
      }
      let kind = described.kind ?? ""
      // Files number the layers of a list, by class.
      let snake = KerasClass.snakeCase(kind)
      let place = Key(layer: parent, text: TensorName("\(described.role)/\(snake)"))
      let count = counts[place, default: 0]
      counts[place] = count + 1
      let numbered = count == 0 ? snake : "\(snake)_\(count)"
      let isForward = described.role == "layer" && layers[parent].kind == "Bidirectional"
      var name = described.name ?? numbered
      if isForward, !name.hasPrefix("forward_") { name = "forward_\(name)" }
      var layer = Layer(
        name: unique(name, in: parent), kind: kind, parent: parent, role: described.role)
      layer.described = described
      layers.append(layer)
      layers[parent].children.append(index)
      Self.set(&listed, parent, "\(described.role)/\(numbered)", index)
      Self.set(&roles, parent, described.role, index)
      if isForward { Self.set(&roles, parent, "forward_layer", index) }
      // Names in files may leave out the models between the outermost layer and this one.
      outermost.append(parent == 0 ? index : outermost[parent])
      Self.set(&direct, parent, name, index)
      for above in [0, outermost[index]] where above != index && above != parent {
        Self.set(&named, above, name, index)
      }
    }
  }

  // Not a method: a copy of the model would share the map, which would then be copied whole.
  private static func set(_ map: inout [Key: Int], _ layer: Int, _ text: String, _ index: Int) {
    let key = Key(layer: layer, text: TensorName(text))
    if map[key] == nil { map[key] = index }
  }

  /// A name without dots that no other part of a layer has.
  private mutating func unique(_ name: String, in parent: Int) -> String {
    let plain = name.isEmpty ? "layer" : name.replacing(".", with: "_")
    var (candidate, count) = (plain, 1)
    while !taken.insert(Key(layer: parent, text: TensorName(candidate))).inserted {
      count = max(count + 1, counters[Key(layer: parent, text: TensorName(plain))] ?? 2)
      counters[Key(layer: parent, text: TensorName(plain))] = count + 1
      candidate = "\(plain)_\(count)"
    }
    return candidate
  }
  private var counters: [Key: Int] = [:]

  /// The part of a layer that only names of tensors show.
  private mutating func part(
    _ role: String, of parent: Int, named name: String, label: String?
  ) throws(CheckpointError) -> Int {
    let key = Key(layer: parent, text: TensorName(role))
    if let known = added[key] { return known }
    guard layers.count < Budget.current.maxModules else {
      throw CheckpointError(
        .unsupported,
        "names of tensors stand for more than \(Budget.current.maxModules) layers")
    }
    var layer = Layer(name: unique(name, in: parent), parent: parent, role: role)
    let last = TensorName(role).text.utf8.split(separator: UInt8(ascii: "/")).last
    let own = last.map { String(Substring($0)) } ?? role
    if let above = layers[parent].kind, KerasClass.isRecurrent(above), own.contains("cell") {
      layer.kind = above + "Cell"
    } else if layers[parent].kind == "Bidirectional", own.hasPrefix("backward_"),
      let forward = layers[parent].children.first(where: { layers[$0].role == "layer" })
    {
      layer.kind = layers[forward].kind
      layer.described = layers[forward].described
    } else {
      layer.kind = KerasClass.named(own) ?? label.flatMap(KerasClass.named)
      layer.isGuessed = true
    }
    let index = layers.count
    layers.append(layer)
    layers[parent].children.append(index)
    added[key] = index
    return index
  }

  // MARK: - Tensors

  private mutating func place(_ entry: Checkpoint.Entry) throws(CheckpointError) {
    guard let name = KerasName(entry.name, layer: labels[entry.name]),
      name.layer.count <= Self.maxDepth
    else {
      others.append(entry)
      return
    }
    let layer =
      name.isNumbered ? try numbered(name.layer) : try named(name.layer)
    if layers[layer].tensors.isEmpty { owners.append(layer) }
    layers[layer].tensors.append(Variable(name: name, entry: entry))
  }

  private func label(_ path: some Collection<String>) -> String? {
    labels[TensorName(path.joined(separator: "/"))]
  }

  /// The layer at a path of attributes and of lists, in which layers are counted by class.
  private mutating func numbered(_ path: [String]) throws(CheckpointError) -> Int {
    var (current, index) = (0, 0)
    while index < path.count {
      let isList = path[index] == "layers" || path[index] == "_layer_checkpoint_dependencies"
      let part = isList ? "layers" : path[index]
      if index + 1 < path.count,
        let layer = listed[Key(layer: current, text: TensorName("\(part)/\(path[index + 1])"))]
      {
        (current, index) = (layer, index + 2)
        continue
      }
      let own = label(path[...index])
      let place = Key(layer: current, text: TensorName(part))
      let known = own.flatMap { direct[Key(layer: current, text: TensorName($0))] }
      if let layer = roles[place] ?? known {
        (current, index) = (layer, index + 1)
      } else if isList, own == nil, index + 1 < path.count {
        let name = path[index + 1]
        let label = label(path[...(index + 1)])
        current = try self.part("layers/\(name)", of: current, named: label ?? name, label: label)
        index += 2
      } else {
        // In a list that is an attribute, what counts is the layer's own name.
        let isInList = index > 0 && label(path[..<index]) == nil
        current = try self.part(
          part, of: current, named: isInList ? own ?? part : part, label: own)
        index += 1
      }
    }
    return current
  }

  /// The layer at a path of names, which may leave out models that layers are inside of.
  private mutating func named(_ path: [String]) throws(CheckpointError) -> Int {
    var current = 0
    var rest = path[...]
    if let end = path.indices.first(where: { label(path[...$0]) != nil }),
      let label = label(path[...end])
    {
      rest = path[(end + 1)...]
      if let layer = described(label, in: 0) {
        current = layer
      } else {
        let parts = KerasName.parts(label)
        rest = (parts.count <= Self.maxDepth ? parts : [label]) + rest
      }
    }
    for part in rest {
      let levels = isTransformers ? KerasName.levels(part) : [part]
      for level in levels { current = try descend(from: current, to: level) }
    }
    // To Keras 2 the weights are the wrapper's.
    if layers[current].kind == "TimeDistributed",
      let inner = layers[current].children.first(where: { layers[$0].role == "layer" })
    {
      return inner
    }
    return current
  }

  /// A layer that is described inside another, of its own parts first.
  private func described(_ name: String, in layer: Int) -> Int? {
    let key = Key(layer: layer, text: TensorName(name))
    return direct[key] ?? named[key]
  }

  private mutating func descend(
    from layer: Int, to part: String
  ) throws(CheckpointError) -> Int {
    if let inside = described(part, in: layer) { return inside }
    if let described = layers[layer].described {
      // A layer that was renamed has weights under its old name.
      if KerasClass.isPlain(described.kind ?? "") { return layer }
      if let own = described.name, TensorName(own) == TensorName(part) { return layer }
    }
    return try self.part(part, of: layer, named: part, label: nil)
  }
}
