import HDF5
import TensorCore

/// Keras's older HDF5 layout, in which attributes list the content and its order.
///
/// Source: Keras 3.15 `legacy/saving/legacy_h5_format.py`. The root, or the group `model_weights`
/// of a whole model, lists its layers in the attribute `layer_names`; each layer's group lists its
/// datasets in `weight_names`, paths from that group on. A list too long for an object header is
/// divided into `layer_names0`, `layer_names1` and so on. Datasets that no list names do not count.
struct KerasLegacyFile {
  private let table: HDF5Table
  private let groups: [TensorName: HDF5Table.Group]
  private let datasets: [TensorName: HDF5Table.Dataset]
  /// Addresses of the datasets that lists name.
  private var listed: Set<UInt64> = []

  /// The group whose attributes list the layers; `nil` if the file is not of this layout.
  static func root(of table: HDF5Table) -> HDF5Table.Group? {
    table.groups.first { group in
      (group.path.isEmpty || group.path == ["model_weights"])
        && ["layer_names", "layer_names0"].contains { group.attributes.value($0) != nil }
    }
  }

  /// The group of weights that belong to no layer of the model, which is not listed.
  private static let topLevel = "top_level_model_weights"

  private init(_ table: HDF5Table) {
    self.table = table
    groups = Dictionary(keepingFirst: table.groups.map { (Self.key($0.path), $0) })
    datasets = Dictionary(keepingFirst: table.datasets.map { (Self.key($0.path), $0) })
  }

  /// Reads the lists of a file.
  ///
  /// - Throws: ``CheckpointError`` `malformed` when a list is not a list of strings, or names
  ///   something that does not exist.
  static func content(of table: HDF5Table) throws(CheckpointError) -> KerasContent {
    var file = KerasLegacyFile(table)
    return try file.content()
  }

  private mutating func content() throws(CheckpointError) -> KerasContent {
    guard let root = Self.root(of: table) else {
      throw CheckpointError(.missing, "expected an attribute 'layer_names', found none")
    }
    var content = KerasContent()
    var weights: [(layer: String, weight: Weight)] = []
    let top = root.path + [Self.topLevel]
    var layers = try Self.list("layer_names", root) ?? []
    if groups[Self.key(top)] != nil { layers.append(Self.topLevel) }
    var known: Set<TensorName> = []
    for layer in layers {
      guard known.insert(TensorName(layer)).inserted else {
        throw CheckpointError(.malformed, "layer_names lists '\(layer)' twice")
      }
      let path = root.path + Self.links(layer)
      guard let group = groups[Self.key(path)] else {
        throw CheckpointError(
          .malformed, "layer_names lists '\(layer)', but there is no group \(Self.text(path))")
      }
      for weight in try self.weights(of: group) { weights.append((layer, weight)) }
    }
    content.model = try named(weights, &content.layerNames)
    if let group = groups["optimizer_weights"] {
      content.optimizerKey = "optimizer_weights"
      content.optimizer = try named(try self.weights(of: group).map { ("", $0) })
    }
    for attribute in (table.groups.first?.attributes ?? []) + root.attributes {
      if case .text(let text) = attribute.value { content.metadata[attribute.name] = text }
    }
    content.notes = notes
    return content
  }

  /// A name in a list, and the dataset that it stands for.
  private struct Weight {
    let name: String
    let dataset: HDF5Table.Dataset
  }

  private mutating func weights(
    of group: HDF5Table.Group
  ) throws(CheckpointError) -> [Weight] {
    guard let names = try Self.list("weight_names", group) else {
      let inside = table.datasets.filter { $0.path.starts(with: group.path) }
      for dataset in inside { listed.insert(dataset.address) }
      return inside.map {
        Weight(name: $0.path[group.path.count...].joined(separator: "/"), dataset: $0)
      }
    }
    var weights: [Weight] = []
    for name in names {
      let path = group.path + Self.links(name)
      guard let dataset = datasets[Self.key(path)] else {
        throw CheckpointError(
          .malformed,
          "weight_names of \(Self.text(group.path)) lists '\(name)', but there is no dataset of "
            + "numbers \(Self.text(path))")
      }
      listed.insert(dataset.address)
      weights.append(Weight(name: name, dataset: dataset))
    }
    return weights
  }

  /// Gives each weight its name, with its layer's before it where two layers use one name.
  private func named(
    _ weights: [(layer: String, weight: Weight)], _ layerNames: inout [TensorName: String]
  ) throws(CheckpointError) -> [KerasContent.Variable] {
    var uses: [TensorName: Int] = [:]
    for (_, weight) in weights { uses[TensorName(weight.name), default: 0] += 1 }
    var names: Set<TensorName> = []
    var variables: [KerasContent.Variable] = []
    var scopes: [TensorName: Set<TensorName>] = [:]
    for (layer, weight) in weights {
      let isShared = uses[TensorName(weight.name)] != 1
      let name = TensorName(isShared ? "\(layer)/\(weight.name)" : weight.name)
      guard names.insert(name).inserted else {
        throw CheckpointError(.malformed, "is listed twice", tensor: name.text)
      }
      variables.append(KerasContent.Variable(name: name, dataset: weight.dataset))
      let (links, own) = (Self.links(name.text), Self.links(layer))
      // The part of the path up to the layer's own name is the layer's scope; what follows names
      // weights.
      let end = (own.count..<max(links.count, own.count)).first { links[..<$0].ends(with: own) }
      if let end {
        layerNames[Self.key(Array(links[..<end]))] = layer
      } else if links.count > 1 {
        scopes[TensorName(links[0]), default: []].insert(TensorName(layer))
      } else if layer != "", layer != Self.topLevel {
        // Keras 1 writes no scope: 'dense_1_W:0'.
        layerNames[name] = layer
      }
    }
    for (scope, layers) in scopes where layers.count == 1 && layerNames[scope] == nil {
      guard let layer = layers.first, layer != "", layer.text != Self.topLevel else { continue }
      layerNames[scope] =
        Self.isScope(scope.text, of: layer.text) ? layer.text : "\(layer)/\(scope)"
    }
    return variables
  }

  /// Whether a scope is a layer's own: the last part of its name, or the name with another number, as old
  /// Keras 2 writes it, 'conv_1_1/kernel:0' of layer 'conv_1'.
  ///
  /// The scopes in a model inside another one are its layers: 'conv/kernel:0' of layer 'base'.
  private static func isScope(_ scope: String, of layer: String) -> Bool {
    if layer.utf8.reversed().starts(with: "/\(scope)".utf8.reversed()) { return true }
    guard scope.utf8.starts(with: "\(layer)_".utf8) else { return false }
    let number = scope.utf8.dropFirst(layer.utf8.count + 1)
    return !number.isEmpty && number.allSatisfy(\.isDigit)
  }

  private func named(
    _ weights: [(layer: String, weight: Weight)]
  ) throws(CheckpointError) -> [KerasContent.Variable] {
    var ignored: [TensorName: String] = [:]
    return try named(weights, &ignored)
  }

  private var notes: [String] {
    let others = table.datasets.filter { !listed.contains($0.address) }
    guard let first = others.first else { return table.notes }
    let more = others.count == 1 ? "" : " and \(others.count - 1) more"
    return table.notes + [
      "\(Self.text(first.path))\(more) is not in a list of weights, so Keras does not read it; left out"
    ]
  }

  // MARK: - Attributes and paths

  /// A list of texts in an attribute, or in several that are numbered from 0; `nil` if there is
  /// neither.
  private static func list(
    _ name: String, _ group: HDF5Table.Group
  ) throws(CheckpointError) -> [String]? {
    if let value = group.attributes.value(name) { return try texts(value, name, group) }
    var list: [String]?
    var part = 0
    while let value = group.attributes.value("\(name)\(part)") {
      list = try (list ?? []) + texts(value, "\(name)\(part)", group)
      part += 1
    }
    return list
  }

  private static func texts(
    _ value: HDF5Value, _ name: String, _ group: HDF5Table.Group
  ) throws(CheckpointError) -> [String] {
    guard case .texts(let texts) = value else {
      throw CheckpointError(
        .malformed, "attribute '\(name)' of \(text(group.path)) is not a list of strings")
    }
    return texts
  }

  private static func key(_ path: [String]) -> TensorName {
    TensorName(path.joined(separator: "/"))
  }

  private static func text(_ path: [String]) -> String { "/" + path.joined(separator: "/") }

  /// The parts of a path; a final slash or two in a row yield an empty part, which is not a link.
  private static func links(_ path: String) -> [String] {
    path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
      .map { String(Substring($0)) }
  }
}

extension ArraySlice<String> {
  fileprivate func ends(with other: [String]) -> Bool {
    count >= other.count
      && zip(suffix(other.count), other).allSatisfy { TensorName($0) == TensorName($1) }
  }
}
