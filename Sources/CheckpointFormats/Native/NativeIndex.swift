import TensorCore

/// What the index at the end of a file says.
struct NativeIndex {
  /// Where a chunk is stored and how it is checked.
  struct Chunk: Hashable, Sendable {
    var offset: Int
    var length: Int
    var crc32: UInt32
    /// Zeros before it, for alignment.
    var padding = 0
  }

  /// A tensor whose bytes are in the file.
  struct Stored: Sendable {
    var info: TensorInfo
    var filter: NativeFilter
    var digest: Digest
    var chunks: [Chunk]
  }

  /// Bytes of its own or those of an earlier tensor.
  enum Content: Sendable {
    case stored(Stored)
    case alias(TensorName)
  }

  /// A named tensor.
  struct Tensor: Sendable {
    var name: TensorName
    var content: Content
  }

  var metadata: [String: String]
  var modules: [ModuleLabel]
  var tensors: [Tensor]

  /// The index as canonical JSON: keys sorted, no white space, escapes as Python's
  /// `json.dumps(index, sort_keys=True, separators=(",", ":"), ensure_ascii=False)` has them.
  var text: [UInt8] {
    var text = CanonicalJSON()
    text.append("{\"metadata\":{")
    let pairs = metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
    text.append(list: pairs) { text, pair in
      text.append(string: pair.key)
      text.append(":")
      text.append(string: pair.value)
    }
    text.append("},\"modules\":[")
    text.append(list: modules) { text, module in
      text.append("[")
      text.append(list: [module.path, module.kind, module.arguments]) { $0.append(string: $1) }
      text.append("]")
    }
    text.append("],\"tensors\":[")
    text.append(list: tensors) { text, tensor in Self.append(tensor, to: &text) }
    text.append("]}")
    return text.bytes
  }

  private static func append(_ tensor: Tensor, to text: inout CanonicalJSON) {
    switch tensor.content {
    case .alias(let original):
      text.append("{\"alias\":")
      text.append(string: original.text)
      text.append(",\"name\":")
      text.append(string: tensor.name.text)
    case .stored(let stored):
      text.append("{\"chunks\":[")
      text.append(list: stored.chunks) { text, chunk in
        text.append("[\(chunk.length),\(chunk.crc32)]")
      }
      text.append(
        "],\"dtype\":\"\(stored.info.dtype.rawValue)\",\"filter\":\"\(stored.filter.name)\"")
      text.append(",\"name\":")
      text.append(string: tensor.name.text)
      text.append(",\"offset\":\(stored.chunks.first?.offset ?? 0)")
      text.append(",\"sha256\":\"\(stored.digest)\",\"shape\":[")
      text.append(list: stored.info.shape) { $0.append("\($1)") }
      text.append("]")
    }
    text.append("}")
  }
}
