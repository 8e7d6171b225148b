import ByteIO
import JSONText
import TensorCore

/// A file's typed metadata as texts by key, and back.
///
/// Texts keep their keys. What is no text is spelt as one (``GGUFKind``), and one more key says the
/// order and the kinds, so that a file that is read and written again has the same metadata, be it
/// by way of another format.
enum GGUFMetadata {
  /// Key of the JSON list of keys and kinds, in the file's order; absent where all values are texts
  /// in the order of their keys.
  static let kindsKey = "ckpt.gguf"
  /// Keys under which the tensors' shapes and ties are kept, which are no metadata.
  private static let reserved = [Checkpoint.modulesKey, Checkpoint.tiesKey, GGUFShapes.key]

  /// The metadata of a header.
  ///
  /// - Throws: ``CheckpointError`` for two keys that Swift takes for one.
  static func texts(_ values: [GGUFHeader.Value]) throws(CheckpointError) -> [String: String] {
    var texts: [String: String] = [:]
    for value in values where texts.updateValue(value.text, forKey: value.key) != nil {
      throw CheckpointError(
        .unsupported, "metadata key '\(JSONScanner.shown(value.key))' is there in two spellings")
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

  /// The keys that are written, with their kinds, in their order.
  ///
  /// - Throws: ``CheckpointError`` when the list of kinds is none.
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
      "metadata '\(kindsKey)' is '\(JSONScanner.shown(text))', required is a list of keys and kinds"
    )
  }

  /// The metadata as they stand in a file.
  static func bytes(
    _ metadata: [String: String], _ kinds: [(key: String, kind: GGUFKind)]
  ) throws(CheckpointError) -> [UInt8] {
    var bytes: [UInt8] = []
    for (key, kind) in kinds {
      let length = key.utf8.count
      guard (1...GGUF.maxNameBytes).contains(length) else {
        throw CheckpointError(
          .unsupported, "a metadata key of \(length) bytes, GGUF holds 1 to \(GGUF.maxNameBytes)")
      }
      bytes.appendLittleEndian(UInt64(length))
      bytes += key.utf8
      guard let text = metadata[key], kind.append(text, to: &bytes) else {
        throw CheckpointError(
          .unsupported,
          "metadata '\(JSONScanner.shown(key))' is '\(JSONScanner.shown(metadata[key] ?? ""))', "
            + "'\(kindsKey)' says that it is of kind \(kind.name)")
      }
    }
    return bytes
  }
}
