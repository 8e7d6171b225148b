import JSONText
import TensorCore

/// What the index at the end of a file says.
struct NativeIndex {
  /// Where a chunk is stored and how it is checked.
  struct Chunk: Hashable, Sendable {
    var offset: Int
    var length: Int
    var crc32: UInt32
    var filter: NativeFilter
    /// Zeros before it, for alignment.
    var padding = 0
  }

  /// Bytes that are stored elsewhere: in the base of a patch, or in an earlier step of a pack.
  struct Reference: Hashable, Sendable {
    /// Their digest.
    var digest: Digest
    /// The step that stores them; `nil` in a patch.
    var step: Int?
  }

  /// A tensor whose bytes are in the file.
  struct Stored: Sendable {
    var info: TensorInfo
    /// The filter of the chunks that name none of their own.
    var filter: NativeFilter
    var digest: Digest
    var chunks: [Chunk]
    /// The chunks' chaining values, 32 bytes each, which merge into the digest; empty for one chunk.
    var chainingValues: [UInt8] = []
    /// From what chunks whose filter says so are differences.
    var base: Reference?

    /// Number of bytes that are stored of it.
    var storedSize: Int { chunks.map(\.length).saturatedSum() }

    /// Whether a chunk's bytes, unpacked, are those that the digest covers.
    func matches(_ bytes: RawSpan, chunk: Int) -> Bool {
      if chunks.count <= 1 { return TreeDigest.digest(of: bytes) == digest }
      let start = chunk.saturated(times: TreeDigest.valueSize)
      return TreeDigest.value(of: bytes, chunk: chunk)[...]
        == chainingValues[start..<start + TreeDigest.valueSize]
    }
  }

  /// Bytes after the chunks that a reader need not know, such as what repairs damage.
  struct Record: Hashable, Sendable {
    var kind: String
    var offset: Int
    var length: Int
    var crc32: UInt32
  }

  /// Bytes of its own, those of an earlier tensor, or those of the base.
  enum Content: Sendable {
    case stored(Stored)
    case unchanged(TensorInfo, Reference)
    case alias(TensorName)
  }

  /// A named tensor.
  struct Tensor: Sendable {
    var name: TensorName
    var content: Content
  }

  /// The fingerprint of the checkpoint that a patch changes; `nil` for any other.
  var base: Digest?
  /// Metadata key that says of a checkpoint that it is nested.
  static let nestedKey = "ckpt.nested"

  /// Values that are text, by name.
  var metadata: [String: String]
  /// All other values, in order.
  var values: [Checkpoint.Named]
  var modules: [ModuleLabel]
  /// In order; a copy that is changed has none.
  var records: [Record] = []
  var tensors: [Tensor]

  /// The index as canonical JSON: keys sorted, no white space, escapes as Python's
  /// `json.dumps(index, sort_keys=True, separators=(",", ":"), ensure_ascii=False)` has them.
  ///
  /// Dictionaries within `values` keep their order; without values the key is left out.
  var text: [UInt8] {
    var json = JSONWriter()
    json.object { json in
      if let base {
        json.key("base")
        json.string(base.description)
      }
      json.key("metadata")
      json.object { $0.members(metadata) }
      json.key("modules")
      json.modules(modules)
      if !records.isEmpty {
        json.key("records")
        json.array { json in
          for record in records {
            json.array {
              $0.string(record.kind)
              $0.number(record.length)
              $0.number(record.crc32)
            }
          }
        }
      }
      json.key("tensors")
      json.array { json in
        for tensor in tensors { json.object { Self.write(tensor, to: &$0) } }
      }
      if !values.isEmpty {
        json.key("values")
        json.object { json in
          for named in values {
            json.key(named.name)
            json.exact(named.value)
          }
        }
      }
    }
    return json.bytes
  }

  private static func write(_ tensor: Tensor, to json: inout JSONWriter) {
    switch tensor.content {
    case .alias(let original):
      json.key("alias")
      json.string(original.text)
      json.key("name")
      json.string(tensor.name.text)
    case .unchanged(let info, let reference):
      json.key("blake3")
      json.string(reference.digest.description)
      json.key("dtype")
      json.string(info.dtype.rawValue)
      json.key("name")
      json.string(tensor.name.text)
      json.key("shape")
      json.numbers(info.shape)
      write(reference.step, to: &json)
    case .stored(let stored):
      if let base = stored.base {
        json.key("base")
        json.string(base.digest.description)
      }
      json.key("blake3")
      json.string(stored.digest.description)
      json.key("chunks")
      json.array { json in
        for chunk in stored.chunks {
          json.array {
            $0.number(chunk.length)
            $0.number(chunk.crc32)
            if chunk.filter != stored.filter { $0.string(chunk.filter.name) }
          }
        }
      }
      if !stored.chainingValues.isEmpty {
        json.key("cvs")
        json.string(stored.chainingValues.hexDigits())
      }
      json.key("dtype")
      json.string(stored.info.dtype.rawValue)
      json.key("filter")
      json.string(stored.filter.name)
      json.key("name")
      json.string(tensor.name.text)
      json.key("offset")
      json.number(stored.chunks.first?.offset ?? 0)
      json.key("shape")
      json.numbers(stored.info.shape)
      write(stored.base?.step, to: &json)
    }
  }

  private static func write(_ step: Int?, to json: inout JSONWriter) {
    guard let step else { return }
    json.key("step")
    json.number(step)
  }
}
