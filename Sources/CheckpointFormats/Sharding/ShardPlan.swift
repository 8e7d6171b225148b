import JSONText
package import TensorCore

/// How a checkpoint is divided among files, as `huggingface_hub` divides and names them, with an
/// index that `ShardIndex` reads.
///
/// Source: huggingface_hub, `split_state_dict_into_shards_factory`.
package struct ShardPlan: Sendable {
  /// One file.
  package struct Shard: Sendable {
    /// File name, `model-00001-of-00003.safetensors`.
    package let name: String
    /// What goes into it.
    package let checkpoint: Checkpoint
  }

  /// The files, in the order of their tensors.
  package let shards: [Shard]
  /// File name of the index.
  package let indexName: String
  /// The index, in JSON.
  package let index: [UInt8]
  /// What the division loses, one sentence each.
  package let notes: [String]

  /// Fills file after file with tensors in their order, as long as `limit` bytes hold them; a tensor
  /// that is larger gets a file of its own.
  ///
  /// `name` is what one file would be called, `model.safetensors`. Metadata, module tree and ties
  /// between files go to the index.
  /// - Throws: ``TensorCore/CheckpointError`` for two tensors of one name, or a file name that is not UTF-8.
  package init(_ checkpoint: Checkpoint, limit: Int, name: String) throws(CheckpointError) {
    try checkpoint.checkNames()
    guard name.isTextPath else {
      throw CheckpointError(
        .unsupported,
        "an index in JSON cannot name files whose names are not UTF-8; use another name",
        path: name)
    }
    let parts = Self.parts(of: checkpoint.entries, limit: limit)
    let dot = name.lastIndex(of: ".") ?? name.endIndex
    let names = parts.indices.map {
      "\(name[..<dot])\(Self.suffix($0 + 1, of: parts.count))\(name[dot...])"
    }
    let ties = checkpoint.ties
    var crossing: [TensorName: TensorName] = [:]
    var shards: [Shard] = []
    for (part, name) in zip(parts, names) {
      let here = Set(checkpoint.entries[part].map(\.name))
      let entries = checkpoint.entries[part].map { entry in
        var entry = entry
        if let original = entry.alias, !here.contains(original) {
          if ties[entry.name] == original { crossing[entry.name] = original }
          entry.alias = nil
        }
        return entry
      }
      shards.append(Shard(name: name, checkpoint: Checkpoint(entries: entries)))
    }
    var metadata = checkpoint.texts
    metadata[Checkpoint.tiesKey] = Checkpoint.tiesText(crossing)
    self.shards = shards
    indexName = name + ".index.json"
    index = Self.index(metadata, shards)
    notes =
      crossing.isEmpty
      ? []
      : [
        crossing.count == 1
          ? "1 tied tensor is in a different file than its original and is written out"
          : "\(crossing.count) tied tensors are in different files than their originals and are written"
            + " out"
      ]
  }

  private static func parts(of entries: [Checkpoint.Entry], limit: Int) -> [Range<Int>] {
    var parts: [Range<Int>] = []
    var start = 0
    var size = 0
    for (index, entry) in entries.enumerated() {
      let sum = [size, entry.info.byteCount].saturatedSum()
      // The first tensor of a file always goes in, however large it is.
      if index > start, sum > limit {
        parts.append(start..<index)
        start = index
        size = entry.info.byteCount
      } else {
        size = sum
      }
    }
    parts.append(start..<entries.count)
    return parts
  }

  /// What names file `number` of `count`, before the extension: `-00001-of-00003`.
  static func suffix(_ number: Int, of count: Int) -> String {
    func padded(_ number: Int) -> String {
      let digits = String(number)
      return String(repeating: "0", count: max(5 - digits.utf8.count, 0)) + digits
    }
    return "-\(padded(number))-of-\(padded(count))"
  }

  private static func index(_ metadata: [String: String], _ shards: [Shard]) -> [UInt8] {
    let sizes = shards.flatMap(\.checkpoint.entries).map(\.info.byteCount)
    var json = JSONWriter()
    json.object { json in
      json.key("metadata")
      json.object { json in
        json.key("total_size")
        json.number(sizes.saturatedSum())
        json.members(metadata.filter { !ShardIndex.derived.contains($0.key) })
      }
      json.key("weight_map")
      json.object(.lines) { json in
        for shard in shards {
          for entry in shard.checkpoint.entries {
            json.key(entry.name.text)
            json.string(shard.name)
          }
        }
      }
    }
    return json.bytes + [0x0a]
  }
}
