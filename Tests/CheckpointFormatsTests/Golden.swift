import CheckpointFormats
import TensorCore
import TestSupport
import Testing

/// What another program wrote into a file, tensor by tensor, as the manifests in `Fixtures` list it.
struct Golden: Decodable, CustomStringConvertible, Sendable {
  struct Tensor: Decodable, Equatable, Sendable {
    let name: String
    let dtype: String
    let shape: [Int]
    let sha256: String

    static func == (left: Self, right: Self) -> Bool {
      left.name.utf8.elementsEqual(right.name.utf8) && left.dtype == right.dtype
        && left.shape == right.shape && left.sha256 == right.sha256
    }
  }

  /// Path in the manifest's folder.
  let file: String
  let metadata: [String: String]
  let notes: [String]
  let tensors: [Tensor]

  var description: String { file }

  /// A checkpoint's tensors, read chunk by chunk.
  static func tensors(of checkpoint: Checkpoint, chunk: Int = 1000) throws -> [Tensor] {
    try checkpoint.entries.map { entry in
      var digest = DigestBuilder()
      var buffer = ChunkBuffer(capacity: chunk)
      try entry.forEachChunk(using: &buffer) { _, bytes in digest.update(bytes) }
      return Tensor(
        name: entry.name.text, dtype: entry.info.dtype.rawValue, shape: entry.info.shape,
        sha256: digest.finalize().description)
    }
  }
}
