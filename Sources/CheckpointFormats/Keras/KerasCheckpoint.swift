import ByteIO
import HDF5
import JSONText
import TensorCore

/// Checkpoints read from Keras files, with Keras's own names and order.
///
/// The model's description is kept as text in the metadata and not interpreted here. The optimizer's
/// state is a separate checkpoint, selected by its key.
enum KerasCheckpoint {
  /// Opens a file of any of the four kinds.
  static func open(_ probe: FileProbe, _ options: OpenOptions) throws -> Opened {
    switch KerasContainer(of: probe) {
    case .legacy?:
      try open(HDF5Tensors.opened(probe), probe.path, options, content: KerasLegacyFile.content)
    case .weights?:
      try open(HDF5Tensors.opened(probe), probe.path, options, content: KerasWeightsFile.content)
    case .archive?: try KerasArchive.open(probe, options).checksummed
    case .shards?: try KerasShards.open(probe, options)
    case nil:
      throw CheckpointError(.malformed, "contains no Keras layers", path: probe.path)
    }
  }

  /// Opens one HDF5 file, whose table `content` sorts; `name` is what errors call it.
  static func open(
    _ tensors: HDF5Tensors, _ name: String, _ options: OpenOptions,
    metadata: [String: String] = [:],
    content: (HDF5Table) throws(CheckpointError) -> KerasContent
  ) throws -> Opened {
    try CheckpointError.placing(path: name) {
      var content = try content(tensors.table)
      content.metadata.merge(metadata) { _, new in new }
      return try contents(content, options) { _ in tensors }
    }
  }

  /// The part of the content that `options` choose, as a checkpoint; `source` is the file that
  /// has a variable.
  static func contents(
    _ content: KerasContent, _ options: OpenOptions,
    source: (KerasContent.Variable) -> HDF5Tensors
  ) throws -> Opened {
    let readsAll = options.readsAllParts && options.key == nil && !content.optimizer.isEmpty
    let variables =
      readsAll
      ? nested(content.model, in: modelKey) + nested(content.optimizer, in: content.optimizerKey)
      : try chosen(content, options.key).map { ($0.name, $0) }
    var checkpoint = Checkpoint(entries: entries(variables, source: source))
    checkpoint.metadata = content.metadata
    // The names are those of the model alone.
    if !content.layerNames.isEmpty, !readsAll {
      let names = content.layerNames.sorted { $0.key < $1.key }
      checkpoint.setText(text(names), for: Checkpoint.kerasLayersKey)
    }
    var opened = Opened(checkpoint)
    opened.notes = content.notes
    opened.isChosenPart = options.key != nil
    opened.parts = try parts(of: content, opened: options.key, readsAll: readsAll)
    if let note = opened.partsNote { opened.notes.append(note) }
    return opened
  }

  /// Variables under the name of their part.
  private static func nested(
    _ variables: [KerasContent.Variable], in part: String
  ) -> [(TensorName, KerasContent.Variable)] {
    variables.map { (TensorName("\(part).\($0.name)"), $0) }
  }

  private static func text(_ names: [(key: TensorName, value: String)]) -> String {
    var json = JSONWriter()
    json.object { json in
      for (key, name) in names {
        json.key(key.text)
        json.string(name)
      }
    }
    return json.text
  }

  /// The parts that `--key` can select; empty if there is only one.
  private static func parts(
    of content: KerasContent, opened key: String?, readsAll: Bool
  ) throws(CheckpointError) -> [Opened.Part] {
    var parts: [Opened.Part] = []
    if content.optimizer.isEmpty { return parts }
    for (name, variables) in [
      (modelKey, content.model), (content.optimizerKey, content.optimizer),
    ] {
      parts.append(
        Opened.Part(
          key: name, tensorCount: variables.count,
          byteCount: try variables.map(\.dataset.info).total().byteCount,
          isOpened: readsAll || name == key ?? modelKey))
    }
    return parts
  }

  /// The key of the model's weights in a file that also holds an optimizer.
  private static let modelKey = "model"

  private static func chosen(
    _ content: KerasContent, _ key: String?
  ) throws(CheckpointError) -> [KerasContent.Variable] {
    guard let key, key != modelKey else {
      if content.model.isEmpty { throw CheckpointError(.missing, "contains no model weights") }
      return content.model
    }
    if key == content.optimizerKey, !content.optimizer.isEmpty { return content.optimizer }
    if content.optimizer.isEmpty {
      throw CheckpointError(.missing, "holds only one checkpoint; remove --key")
    }
    throw Opened.unknownPart(key, known: [modelKey, content.optimizerKey])
  }

  private static func entries(
    _ variables: [(name: TensorName, variable: KerasContent.Variable)],
    source: (KerasContent.Variable) -> HDF5Tensors
  ) -> [Checkpoint.Entry] {
    /// One dataset in one file.
    struct Identity: Hashable {
      let file: ObjectIdentifier
      let address: UInt64
    }
    var first: [Identity: TensorName] = [:]
    return variables.map { name, variable in
      let tensors = source(variable)
      // Two hard links lead to one object header, so its address tells tied tensors.
      let identity = Identity(file: ObjectIdentifier(tensors), address: variable.dataset.address)
      let alias = first[identity]
      if alias == nil { first[identity] = name }
      return tensors.entry(name, variable.dataset, alias: alias)
    }
  }
}

extension Checkpoint {
  /// Metadata key of the names that users gave to Keras layers: a JSON object from a layer's path in
  /// tensor names to its name.
  package static let kerasLayersKey = "keras.layers"
}
