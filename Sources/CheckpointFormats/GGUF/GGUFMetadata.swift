import ByteIO
import JSONText
import TensorCore

/// Converts a file's metadata to values, and back.
///
/// A value's kind and place that do not follow from the values are recorded under one more name, so
/// that a file that is read and written again, even through another format, has the same metadata.
enum GGUFMetadata {
  /// Name of the JSON list of names and kinds, in file order; absent if all have the kind that
  /// ``GGUFKind/init(for:)`` gives them and are sorted by name.
  static let kindsKey = "ckpt.gguf"
  /// Names for what is not user metadata.
  private static let reserved = [
    Checkpoint.modulesKey, Checkpoint.typedKey, Checkpoint.tiesKey, GGUFShapes.key,
    Fingerprint.key,
  ]

  /// The metadata of a header.
  ///
  /// - Throws: ``CheckpointError`` for two keys that Swift treats as equal.
  static func values(
    _ values: [GGUFHeader.Value]
  ) throws(CheckpointError) -> [Checkpoint.Named] {
    var names: Set<String> = []
    for value in values where !names.insert(value.key).inserted {
      throw CheckpointError(
        .unsupported,
        "metadata key '\(JSONScanner.shown(value.key))' occurs in two Unicode spellings")
    }
    let named = values.map { Checkpoint.Named($0.key, $0.value) }
    let foreign = values.filter { !reserved.contains($0.key) }
    let isPlain = foreign.allSatisfy { $0.kind == GGUFKind(for: $0.value) }
    let isSorted = zip(foreign, foreign.dropFirst()).allSatisfy {
      TensorName($0.key) < TensorName($1.key)
    }
    if isPlain && isSorted { return named }
    var json = JSONWriter()
    json.array { json in
      for value in foreign { json.strings([value.key, value.kind.name]) }
    }
    return named + [Checkpoint.Named(kindsKey, .text(json.text))]
  }

  /// The kinds that a list gives, by name and in its order.
  ///
  /// - Throws: ``CheckpointError`` when the list is malformed.
  static func listedKinds(
    of checkpoint: Checkpoint
  ) throws(CheckpointError) -> [(key: TensorName, kind: GGUFKind)] {
    guard let text = checkpoint.text(kindsKey) else { return [] }
    guard let pairs = (try? JSONValue(text))?.elements else { throw wrong(text) }
    var listed: [(key: TensorName, kind: GGUFKind)] = []
    for pair in pairs {
      guard let parts = pair.elements, parts.count == 2, let key = parts[0].text,
        let kind = parts[1].text.flatMap(GGUFKind.init(named:))
      else { throw wrong(text) }
      listed.append((TensorName(key), kind))
    }
    return listed
  }

  /// The metadata to write, with their kinds: those of the list in its order, then all others by name.
  ///
  /// - Throws: ``CheckpointError`` when the list of kinds is malformed.
  static func items(
    of checkpoint: Checkpoint, adding texts: [String: String]
  ) throws(CheckpointError) -> [(named: Checkpoint.Named, kind: GGUFKind)] {
    let listed = try listedKinds(of: checkpoint)
    let kinds = Dictionary(keepingFirst: listed.map { ($0.key, $0.kind) })
    var rest: [TensorName: Checkpoint.Named] = [:]
    let held = checkpoint.values { named in
      kinds[TensorName(named.name)] != nil || GGUFKind(for: named.value) != nil
    }
    for named in held where named.name != kindsKey { rest[TensorName(named.name)] = named }
    for (name, text) in texts { rest[TensorName(name)] = Checkpoint.Named(name, .text(text)) }
    var items: [(named: Checkpoint.Named, kind: GGUFKind)] = []
    for (key, kind) in listed {
      if let named = rest.removeValue(forKey: key) { items.append((named, kind)) }
    }
    for (_, named) in rest.sorted(by: { $0.key < $1.key }) {
      items.append((named, GGUFKind(for: named.value) ?? .text))
    }
    return items
  }

  private static func wrong(_ text: String) -> CheckpointError {
    CheckpointError(
      .malformed,
      "metadata '\(kindsKey)': expected a list of keys and kinds, found '\(JSONScanner.shown(text))'"
    )
  }

  /// The metadata in the file's binary form.
  static func bytes(
    _ items: [(named: Checkpoint.Named, kind: GGUFKind)]
  ) throws(CheckpointError) -> [UInt8] {
    var bytes: [UInt8] = []
    for (named, kind) in items {
      let length = named.name.utf8.count
      guard (1...GGUF.maxNameBytes).contains(length) else {
        throw CheckpointError(
          .unsupported,
          "expected a metadata key of 1 to \(GGUF.maxNameBytes) bytes, found \(length)")
      }
      bytes.appendLittleEndian(UInt64(length))
      bytes += named.name.utf8
      guard kind.append(named.value, to: &bytes) else {
        throw CheckpointError(
          .unsupported,
          "metadata '\(JSONScanner.shown(named.name))' is '\(shown(named.value))', "
            + "but '\(kindsKey)' gives its kind as \(kind.name)")
      }
    }
    return bytes
  }

  private static func shown(_ value: Value) -> String {
    if case .text(let text) = value { JSONScanner.shown(text) } else { value.shortText(limit: 80) }
  }
}
