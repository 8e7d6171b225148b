import ByteIO
import JSONText
import TensorCore

/// Tied tensors as metadata, for formats that write each one out.
extension Capabilities {
  /// The same, with ties only recorded (``Checkpoint/tiesKey``).
  var writingTiesOut: Capabilities {
    var copy = self
    copy.sharesBytes = false
    return copy
  }
}

/// Ties in formats that cannot share bytes: each tensor is written out, so that every reader finds
/// every name, and the metadata say which are tied.
extension Checkpoint {
  /// Metadata key of the ties: a JSON object, names of tied tensors to names of their originals.
  static let tiesKey = "ckpt.ties"

  /// The ties of these tensors as JSON, sorted by name; `nil` if there are none.
  static func tiesText(_ ties: [TensorName: TensorName]) -> String? {
    if ties.isEmpty { return nil }
    var json = JSONWriter()
    json.object { json in
      for (name, original) in ties.sorted(by: { $0.key < $1.key }) {
        json.key(name.text)
        json.string(original.text)
      }
    }
    return json.text
  }

  /// The tensors that have the bytes of an earlier one of the same type and shape, with that one.
  var ties: [TensorName: TensorName] {
    var infos: [TensorName: TensorInfo] = [:]
    var ties: [TensorName: TensorName] = [:]
    for entry in entries {
      if let original = entry.alias, infos[original] == entry.info {
        ties[entry.name] = original
      } else {
        infos[entry.name] = entry.info
      }
    }
    return ties
  }
}

extension Opened {
  /// Ties again what the metadata say was tied.
  ///
  /// It is a claim: another program may have changed one of the two and kept the metadata.
  mutating func restoreTies() {
    let key = Checkpoint.tiesKey
    guard let text = checkpoint.metadata[key] else { return }
    guard case .object(let members)? = (try? JSONValue(text))?.content else {
      notes.append("metadata '\(key)' is not a JSON object; left as it is")
      return
    }
    checkpoint.setText(nil, for: key)
    var indices: [TensorName: Int] = [:]
    for (index, entry) in checkpoint.entries.enumerated() { indices[entry.name] = index }
    for (name, value) in members {
      guard case .string(let original) = value.content, let index = indices[TensorName(name)],
        let other = indices[TensorName(original)], other < index,
        checkpoint.entries[other].alias == nil,
        checkpoint.entries[other].info == checkpoint.entries[index].info
      else {
        let other = if case .string(let text) = value.content { "'\(text)'" } else { "a tensor" }
        notes.append("tensor '\(name)' was tied to \(other) but now differs from it")
        continue
      }
      checkpoint.entries[index].alias = TensorName(original)
      claimedTies.insert(TensorName(name))
    }
  }
}
