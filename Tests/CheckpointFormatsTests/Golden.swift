import CheckpointFormats
import TensorCore
import TestSupport
import Testing

/// What another program wrote into a file, tensor by tensor, as the manifests in `Fixtures` list it.
struct Golden: Decodable, CustomStringConvertible, Sendable {
  /// Path in the manifest's folder.
  let file: String
  let metadata: [String: String]
  let notes: [String]
  let tensors: [GoldenTensor]

  var description: String { file }

  /// A checkpoint's tensors, read chunk by chunk.
  static func tensors(of checkpoint: Opened, chunk: Int = 1000) throws -> [GoldenTensor] {
    try checkpoint.entries.map { try GoldenTensor($0, chunk: chunk) }
  }
}
