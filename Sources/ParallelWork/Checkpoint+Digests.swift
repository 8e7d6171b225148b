import Ranks
import Synchronization
public import TensorCore

/// Digests of tensors, computed in parallel.
extension Checkpoint {
  /// Digest of each entry's bytes, in order, or what kept it from being read.
  ///
  /// With BLAKE3 all threads work on any tensor. SHA-256 takes a tensor's bytes one after another: many
  /// tensors are digested in parallel, and one alone as fast as the slower of reading and digesting.
  public static func digests(
    of entries: [Entry], threads: Int = Threads.available,
    algorithm: DigestAlgorithm = .blake3
  ) async throws -> [Result<Digest, any Error>] {
    let ranks = Ranks.current
    if ranks.size > 1 {
      return try await sharedDigests(
        of: entries, threads: threads, algorithm: algorithm, ranks: ranks)
    }
    let results = Mutex([Result<Digest, any Error>?](repeating: nil, count: entries.count))
    let digests = TensorDigests(count: entries.count, algorithm: algorithm)
    @Sendable func note(_ result: Result<Digest, any Error>, of tensor: Int) {
      results.withLock { if $0[tensor] == nil { $0[tensor] = result } }
    }
    let pieces = Pieces(of: entries, size: WorkLimits.digestSize, cut: .source)
    try await pipeline(
      pieces, threads: threads, size: pieces.maxSize,
      work: { pieces -> Pool<PieceBuffer>.Item? in
        let buffer = PieceBuffer.pool.acquire()
        var isOrdered = false
        for piece in pieces {
          // What follows a piece that cannot be read is not wanted.
          if results.withLock({ $0[piece.tensor] != nil }) { continue }
          do {
            try buffer.value.read([piece], of: entries)
          } catch {
            note(.failure(error), of: piece.tensor)
            continue
          }
          guard digests.takesAnyOrder(piece) else {
            isOrdered = true
            continue
          }
          buffer.value.forEach([piece]) {
            if let digest = digests.add($0, $1) { note(.success(digest), of: $0.tensor) }
          }
        }
        if isOrdered { return buffer }
        PieceBuffer.pool.release(buffer)
        return nil
      },
      stages: [
        PipelineStage(lane: { $0[0].tensor }) { pieces, buffer in
          // A piece that is not whole comes alone.
          guard let buffer else { return }
          buffer.value.forEach(pieces) {
            if let digest = digests.add($0, $1) { note(.success(digest), of: $0.tensor) }
          }
          PieceBuffer.pool.release(buffer)
        }
      ])
    return results.withLock { $0.compactMap { $0 } }
  }
}

extension Checkpoint.Entry {
  /// BLAKE3 of the tensor's bytes, read from end to end in chunks.
  public func digest() throws -> Digest { try digest(.blake3) }

  /// Digest of the tensor's bytes, read from end to end in chunks.
  public func digest(_ algorithm: DigestAlgorithm) throws -> Digest {
    var buffer = ChunkBuffer(capacity: min(info.byteCount, ChunkBuffer.standardSize))
    var builder = DigestBuilder(algorithm)
    try forEachChunk(using: &buffer) { _, bytes in builder.update(bytes) }
    return builder.finalize()
  }
}
