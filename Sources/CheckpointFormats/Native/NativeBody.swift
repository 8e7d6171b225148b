import ByteIO
import ParallelWork
import Synchronization
import TensorCore

/// The part of a native file that holds the chunks, and what the index will record about them.
///
/// Tensors with equal bytes are stored once: the later one refers to the earlier one's chunks. What
/// has been written is never taken back, so a multi-chunk tensor that may equal an earlier one is
/// digested before its first chunk is written. That is done only when size, packing, and first chunk
/// equal those of an earlier tensor, so few tensors are read twice unless they are copies.
final class NativeBody: @unchecked Sendable {  // one task at a time appends
  let sink: ByteSink
  /// Chunks by source.
  private(set) var chunks: [[NativeIndex.Chunk]]
  /// Digests by source.
  private(set) var digests: [Digest?]
  /// Chaining values of the chunks by source, for those of several chunks.
  private(set) var chainingValues: [[UInt8]]
  let plan: NativePlan
  /// The first source of each content.
  private var originals: [NativePlan.Content: Int] = [:]
  /// First chunks of the multi-chunk tensors written so far.
  private var beginnings: Set<Beginning> = []
  /// Called before the first chunk of a source is appended.
  private let beginSource: ((_ source: Int) throws -> Void)?
  /// Multi-chunk sources that are copies of earlier ones.
  private let copies = Mutex<Set<Int>>([])

  /// What tensors with equal chunks share, known before they are read to the end.
  private struct Beginning: Hashable {
    let packing: NativePacking
    let byteCount: Int
    let storedCount: Int
    let crc32: UInt32
  }

  init(
    _ plan: NativePlan, sink: ByteSink, beginSource: ((_ source: Int) throws -> Void)? = nil
  ) {
    self.plan = plan
    self.sink = sink
    self.beginSource = beginSource
    chunks = Array(repeating: [], count: plan.sources.count)
    digests = Array(repeating: nil, count: plan.sources.count)
    chainingValues = Array(repeating: [], count: plan.sources.count)
  }

  /// Whether a source is known to be a copy of an earlier one, so that it need not be read further;
  /// may be called from any task.
  func isCopy(_ source: Int) -> Bool { copies.withLock { $0.contains(source) } }

  /// Appends the next packed job.
  func append(_ job: borrowing NativeJob) throws {
    for piece in job.packed where !isCopy(piece.source) {
      switch piece.sum {
      case .digest(let digest): if take(digest, of: piece.source) { continue }
      case .chainingValue(let value, let isLast):
        // The first of several chunks decides whether the tensor is a copy.
        if chunks[piece.source].isEmpty, try isCopy(beginningWith: piece) { continue }
        chainingValues[piece.source] += value
        if isLast {
          let digest = TreeDigest.digest(merging: chainingValues[piece.source])
          digests[piece.source] = digest
          let content = content(of: piece.source, digest)
          if originals[content] == nil { originals[content] = piece.source }
        }
      }
      if plan.sources[piece.source].entry.info.byteCount > 0 {
        if chunks[piece.source].isEmpty { try beginSource?(piece.source) }
        chunks[piece.source].append(try job.append(piece, to: sink))
      }
    }
  }

  private func content(of source: Int, _ digest: Digest) -> NativePlan.Content {
    NativePlan.Content(digest: digest, packing: plan.sources[source].packing)
  }

  /// Records the digest of a source; true if an earlier one has the same bytes, and so the same chunks.
  private func take(_ digest: Digest, of source: Int) -> Bool {
    digests[source] = digest
    let content = content(of: source, digest)
    guard let original = originals[content] else {
      originals[content] = source
      return false
    }
    chunks[source] = chunks[original]
    chainingValues[source] = chainingValues[original]
    return true
  }

  /// Whether the multi-chunk tensor that begins with this chunk is a copy of an earlier one.
  private func isCopy(beginningWith piece: NativeJob.Packed) throws -> Bool {
    let source = plan.sources[piece.source]
    let beginning = Beginning(
      packing: source.packing, byteCount: source.entry.info.byteCount,
      storedCount: piece.range.count, crc32: piece.crc32)
    // What is known before was compared before.
    if source.known != nil || beginnings.insert(beginning).inserted { return false }
    let digest = try source.entry.digest()
    guard originals[content(of: piece.source, digest)] != nil else { return false }
    copies.withLock { _ = $0.insert(piece.source) }
    return take(digest, of: piece.source)
  }
}
