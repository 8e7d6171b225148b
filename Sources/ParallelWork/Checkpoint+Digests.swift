import Synchronization
public import TensorCore

/// Digests of tensors, computed in parallel.
extension Checkpoint {
  /// SHA-256 of each entry's bytes, in order, or what kept it from being read.
  ///
  /// A digest takes its tensor's bytes one after another, so reading goes ahead of it: many tensors
  /// are digested in parallel, and one alone as fast as the slower of reading and digesting.
  public static func digests(
    of entries: [Entry], threads: Int
  ) async throws -> [Result<Digest, any Error>] {
    let results = Mutex([Result<Digest, any Error>?](repeating: nil, count: entries.count))
    let digests = PieceDigests()
    let pieces = Pieces(of: entries, size: WorkLimits.digestSize, cut: .source)
    try await pipeline(
      pieces, threads: threads, size: pieces.maxSize,
      work: { pieces -> DigestPart in
        if pieces[0].isWhole {
          return .digests(pieces.map { piece in Result { try entries[piece.tensor].digest() } })
        }
        // What follows a piece that cannot be read is not wanted.
        if results.withLock({ $0[pieces[0].tensor] != nil }) { return .digests([]) }
        return .bytes(
          Result {
            let buffer = PieceBuffer.pool.acquire()
            try buffer.value.read(pieces, of: entries)
            return buffer
          })
      },
      stages: [
        PipelineStage(lane: { $0[0].tensor }) { pieces, part in
          var found: [Result<Digest, any Error>?] = []
          switch part {
          case .digests(let digests): found = digests
          case .bytes(.failure(let error)): found = [.failure(error)]
          case .bytes(.success(let buffer)):
            let digest = digests.add(pieces[0]) { builder in
              buffer.value.forEach(pieces) { builder.update($1) }
            }
            PieceBuffer.pool.release(buffer)
            found = [digest.map { .success($0) }]
          }
          results.withLock { [found] results in
            for (piece, result) in zip(pieces, found) where results[piece.tensor] == nil {
              results[piece.tensor] = result
            }
          }
        }
      ])
    return results.withLock { $0.compactMap { $0 } }
  }
}

extension Checkpoint.Entry {
  /// SHA-256 of the tensor's bytes, read from end to end in chunks.
  public func digest() throws -> Digest {
    var buffer = ChunkBuffer(capacity: min(info.byteCount, ChunkBuffer.standardSize))
    var builder = DigestBuilder()
    try forEachChunk(using: &buffer) { _, bytes in builder.update(bytes) }
    return builder.finalize()
  }
}

/// What one thread made of its pieces: digests of whole tensors, or the bytes of one piece.
private enum DigestPart: Sendable {
  case digests([Result<Digest, any Error>])
  case bytes(Result<Pool<PieceBuffer>.Item, any Error>)
}
