import ByteIO
import TensorCore

/// The part of a native file that holds the chunks, and what the index will say of them.
///
/// Tensors of equal bytes are stored once: the later one has the earlier one's chunks.
final class NativeBody: @unchecked Sendable {  // one task at a time appends
  private let file: OutputFile
  /// Chunks by source.
  private(set) var chunks: [[NativeIndex.Chunk]]
  /// Digests by source.
  private(set) var digests: [Digest?]
  let plan: NativePlan
  /// The first source of each content.
  private var originals: [Content: Int] = [:]
  /// Where the tensor of several chunks began that is being written.
  private var start = 0

  /// What makes two tensors' chunks the same.
  private struct Content: Hashable {
    let digest: Digest
    let filter: NativeFilter
  }

  init(_ plan: NativePlan, file: OutputFile) {
    self.plan = plan
    self.file = file
    chunks = Array(repeating: [], count: plan.sources.count)
    digests = Array(repeating: nil, count: plan.sources.count)
  }

  /// Appends a packed job, the next one; `digest` is that of the tensor of several chunks that it ends.
  func append(_ job: borrowing NativeJob, endingWith digest: Digest?) throws(CheckpointError) {
    for piece in job.packed {
      let isFirst = chunks[piece.source].isEmpty
      if isFirst { start = file.position }
      if let digest = piece.digest ?? digest {
        digests[piece.source] = digest
        let content = Content(digest: digest, filter: plan.sources[piece.source].filter)
        if let original = originals[content] {
          if !isFirst { try file.truncate(to: start) }
          chunks[piece.source] = chunks[original]
          continue
        }
        originals[content] = piece.source
      }
      if plan.sources[piece.source].entry.info.byteCount > 0 {
        chunks[piece.source].append(try job.append(piece, to: file))
      }
    }
  }
}
