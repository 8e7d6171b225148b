import ByteIO
import JSONText
import TensorCore

/// Converts a file's typed metadata to strings by key, and back.
///
/// Values that are not strings are written as text (``GGUFKind``), and one more key records order
/// and kinds, so that a file that is read and written again, even through another format, has the
/// same metadata.
enum GGUFMetadata {
  /// Key of the JSON list of keys and kinds, in file order; absent if all values are strings, sorted
  /// by key.
  static let kindsKey = "ckpt.gguf"
  /// Keys for the tensors' shapes and ties, which are not user metadata.
  private static let reserved = [Checkpoint.modulesKey, Checkpoint.tiesKey, GGUFShapes.key]

  /// The metadata of a header.
  ///
  /// - Throws: ``CheckpointError`` for two keys that Swift treats as equal.
  static func texts(_ values: [GGUFHeader.Value]) throws(CheckpointError) -> [String: String] {
    var texts: [String: String] = [:]
    for value in values where texts.updateValue(value.text, forKey: value.key) != nil {
      throw CheckpointError(
        .unsupported,
        "metadata key '\(JSONScanner.shown(value.key))' occurs in two Unicode spellings")
    }
    let foreign = values.filter { !reserved.contains($0.key) }
    let isPlain = foreign.allSatisfy { $0.kind == .text }
    let isSorted = zip(foreign, foreign.dropFirst()).allSatisfy {
      TensorName($0.key) < TensorName($1.key)
    }
    if isPlain && isSorted { return texts }
    var json = JSONWriter()
    json.array { json in
      for value in foreign { json.strings([value.key, value.kind.name]) }
    }
    texts[kindsKey] = json.text
    return texts
  }

  /// The keys to write, with their kinds, in order.
  ///
  /// - Throws: ``CheckpointError`` when the list of kinds is malformed.
  static func kinds(
    of metadata: [String: String]
  ) throws(CheckpointError) -> [(key: String, kind: GGUFKind)] {
    var listed: [(key: String, kind: GGUFKind)] = []
    var keys: Set<String> = [kindsKey]
    if let text = metadata[kindsKey] {
      guard case .array(let pairs)? = (try? JSONValue(text))?.content else { throw wrong(text) }
      for pair in pairs {
        guard case .array(let parts) = pair.content, parts.count == 2,
          case .string(let key) = parts[0].content, case .string(let name) = parts[1].content,
          let kind = GGUFKind(named: name)
        else { throw wrong(text) }
        if metadata[key] != nil, keys.insert(key).inserted { listed.append((key, kind)) }
      }
    }
    let others = metadata.keys.filter { !keys.contains($0) }
    return listed
      + others.sorted { TensorName($0) < TensorName($1) }.map { (key: $0, kind: GGUFKind.text) }
  }

  private static func wrong(_ text: String) -> CheckpointError {
    CheckpointError(
      .malformed,
      "metadata '\(kindsKey)': expected a list of keys and kinds, found '\(JSONScanner.shown(text))'"
    )
  }

  /// The metadata in the file's binary form.
  static func bytes(
    _ metadata: [String: String], _ kinds: [(key: String, kind: GGUFKind)]
  ) throws(CheckpointError) -> [UInt8] {
    var bytes: [UInt8] = []
    for (key, kind) in kinds {
      let length = key.utf8.count
      guard (1...GGUF.maxNameBytes).contains(length) else {
        throw CheckpointError(
          .unsupported,
          "expected a metadata key of 1 to \(GGUF.maxNameBytes) bytes, found \(length)")
      }
      bytes.appendLittleEndian(UInt64(length))
      bytes += key.utf8
      guard let text = metadata[key], kind.append(text, to: &bytes) else {
        throw CheckpointError(
          .unsupported,
          "metadata '\(JSONScanner.shown(key))' is '\(JSONScanner.shown(metadata[key] ?? ""))', "
            + "but '\(kindsKey)' gives its kind as \(kind.name)")
      }
    }
    return bytes
  }
}
