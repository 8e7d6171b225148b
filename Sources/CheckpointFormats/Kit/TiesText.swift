import ByteIO
import TensorCore

/// Ties in formats that cannot share bytes: each tensor is written out, so that every reader finds
/// every name, and the metadata say which are tied.
extension Checkpoint {
  /// Metadata key of the ties: a JSON object, names of tied tensors to names of their originals.
  static let tiesKey = "ckpt.ties"

  /// The ties of these tensors as JSON, sorted by name; `nil` if there are none.
  static func tiesText(_ ties: [TensorName: TensorName]) -> String? {
    if ties.isEmpty { return nil }
    var text = CanonicalJSON()
    text.append("{")
    text.append(list: ties.sorted { $0.key < $1.key }) { text, tie in
      text.append(string: tie.key.text)
      text.append(":")
      text.append(string: tie.value.text)
    }
    text.append("}")
    return String(decoding: text.bytes, as: UTF8.self)
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

  /// Ties again what the metadata say was tied, if the bytes are still the same; another program may
  /// have changed one and kept the metadata.
  mutating func restoreTies() throws(CheckpointError) {
    guard let text = metadata[Self.tiesKey] else { return }
    guard case .object(let members)? = (try? JSONValue(text))?.content else {
      notes.append("metadata '\(Self.tiesKey)' is no JSON object; left as it is")
      return
    }
    metadata[Self.tiesKey] = nil
    var places: [TensorName: Int] = [:]
    for (index, entry) in entries.enumerated() { places[entry.name] = index }
    for (name, value) in members {
      guard case .string(let original) = value.content, let place = places[TensorName(name)],
        let other = places[TensorName(original)], other < place, entries[other].alias == nil,
        try entries[place].hasBytes(of: entries[other])
      else {
        notes.append("tensor '\(name)' was tied to another and no longer has its bytes")
        continue
      }
      entries[place].alias = TensorName(original)
    }
  }
}

extension Checkpoint.Entry {
  /// Whether type, shape and every byte are the other's.
  fileprivate func hasBytes(of other: Self) throws(CheckpointError) -> Bool {
    guard info == other.info else { return false }
    let size = min(info.byteCount, ChunkBuffer.standardSize)
    var mine = ChunkBuffer(capacity: size)
    var theirs = ChunkBuffer(capacity: size)
    do {
      for offset in stride(from: 0, to: info.byteCount, by: ChunkBuffer.standardSize) {
        let count = min(ChunkBuffer.standardSize, info.byteCount - offset)
        let left = try read(offset, count, using: &mine)
        let right = try other.read(offset, count, using: &theirs)
        guard left.isByteEqual(to: right) else { return false }
      }
    } catch let error as CheckpointError {
      throw error
    } catch {
      throw CheckpointError(.unreadable, "\(error)", tensor: name.text)
    }
    return true
  }
}
