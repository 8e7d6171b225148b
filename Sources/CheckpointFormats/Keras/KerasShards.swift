import ByteIO
import HDF5
import JSONText
import TensorCore

/// `.weights.json`: which HDF5 file beside it holds which layer.
///
/// Source: Keras 3.15 `saving/saving_lib.py`, `ShardedH5IOStore`: `weight_map` gives for the path
/// of each group `vars` one file's name or a list of them. A group may be divided among files.
enum KerasShards {
  /// Largest text, in bytes.
  private static let maxSize = 100_000_000

  /// Says whether a file that begins with these bytes maps weights to HDF5 files.
  static func recognizes(_ head: [UInt8]) -> Bool {
    let text = String(decoding: head, as: UTF8.self)
    return text.utf8.first { !" \t\r\n".utf8.contains($0) } == UInt8(ascii: "{")
      && text.contains("\"weight_map\"") && text.contains(".weights.h5\"")
  }

  /// Opens the files that a map names.
  static func open(_ probe: FileProbe, _ options: OpenOptions) throws -> Opened {
    let (path, input) = (probe.path, try probe.source)
    guard input.size <= maxSize else {
      throw CheckpointError(
        .unsupported, "expected at most \(maxSize) bytes, found \(input.size)", path: path)
    }
    let (map, metadata) = try CheckpointError.placing(index(input.head(input.size)), path: path)
    let files = Set(map.values.joined().map { TensorName($0) }).sorted()
    var shards: [HDF5Tensors] = []
    let neighbors = probe.neighbors
    var content = KerasContent()
    var sources: [TensorName: Int] = [:]
    var groups: [TensorName: Set<TensorName>] = [:]
    for name in files {
      let tensors = try HDF5Tensors(try neighbors.open(name.text))
      shards.append(tensors)
      let part = KerasWeightsFile.content(of: tensors.table)
      content.layerNames.merge(part.layerNames) { first, _ in first }
      content.notes += part.notes.map { "\(name): \($0)" }
      for variable in part.model + part.optimizer {
        let group = "/" + variable.dataset.path.dropLast().joined(separator: "/")
        // The map names groups, not datasets, and a group may have weights in several files.
        groups[TensorName(group), default: []].insert(name)
        guard sources.updateValue(shards.count - 1, forKey: variable.name) == nil else {
          throw CheckpointError(
            .malformed, "is in two of the files, one of them '\(name)'", path: path,
            tensor: variable.name.text)
        }
      }
      content.model += part.model
      content.optimizer += part.optimizer
    }
    for (group, names) in map.sorted(by: { $0.key < $1.key }) {
      for name in names where groups[group]?.contains(TensorName(name)) != true {
        throw CheckpointError(
          .malformed, "weight_map places '\(group)' in '\(name)', which has no such weights",
          path: path)
      }
    }
    content.metadata.merge(metadata) { _, own in own }
    content.model.sort { KerasWeightsFile.precedes($0.dataset.path, $1.dataset.path) }
    content.optimizer.sort { KerasWeightsFile.precedes($0.dataset.path, $1.dataset.path) }
    return try KerasCheckpoint.contents(content, options) { shards[sources[$0.name] ?? 0] }
  }

  /// The map's files by group, and its texts; the files must stand beside the map.
  static func index(
    _ bytes: [UInt8]
  ) throws(CheckpointError) -> (map: [TensorName: [String]], metadata: [String: String]) {
    var map: [TensorName: [String]] = [:]
    var metadata: [String: String] = [:]
    var scanner = JSONScanner(bytes)
    try scanner.object { scanner, key, _ throws(CheckpointError) in
      if key == "metadata", scanner.next() == .object {
        return try scanner.object { scanner, key, _ throws(CheckpointError) in
          guard scanner.next() == .string else { return try scanner.skip() }
          metadata[key] = try scanner.string()
        }
      }
      guard key == "weight_map" else { return try scanner.skip() }
      try scanner.object { scanner, group, offset throws(CheckpointError) in
        var names: [String] = []
        if scanner.next() == .array {
          try scanner.array { scanner throws(CheckpointError) in
            names.append(try scanner.string())
          }
        } else {
          names.append(try scanner.string())
        }
        for name in names
        where name.isEmpty || name.hasPrefix(".")
          || name.utf8.contains(where: { $0 == UInt8(ascii: "/") || $0 == 0 })
        {
          throw CheckpointError(
            .malformed, "expected the name of a file beside the map, found '\(name)'",
            offset: offset)
        }
        map[TensorName(group)] = names
      }
    }
    try scanner.end()
    guard !map.isEmpty else { throw CheckpointError(.malformed, "weight_map is missing or empty") }
    return (map, metadata)
  }
}
