import Ranks
import TensorCore

/// Digests and readability of tensors, found out by several ranks.
extension Checkpoint {
  /// As ``digests(of:threads:algorithm:)``, the same on every rank.
  static func sharedDigests(
    of entries: [Entry], threads: Int, algorithm: DigestAlgorithm, ranks: Ranks
  ) async throws -> [Result<Digest, any Error>] {
    if algorithm != .blake3 {
      return try await wholeDigests(of: entries, threads: threads, algorithm, ranks)
    }
    var results = [Result<Digest, any Error>?](repeating: nil, count: entries.count)
    let digests = TensorDigests(count: entries.count)
    try await forEachPiece(of: entries, threads: threads, ranks, "digests") { piece, bytes in
      TensorDigests.sums(of: piece, bytes)
    } _: { piece, found in
      guard results[piece.tensor] == nil else { return }
      switch found {
      case .success(let sums):
        if let digest = digests.add(piece, sums: sums) { results[piece.tensor] = .success(digest) }
      case .failure(let error): results[piece.tensor] = .failure(error)
      }
    }
    for (index, error) in try ranks.damage(of: entries) { results[index] = .failure(error) }
    return results.compactMap { $0 }
  }

  /// As ``readErrors(of:threads:)``, the same on every rank.
  static func sharedReadErrors(
    of entries: [Entry], threads: Int, ranks: Ranks
  ) async throws -> [CheckpointError?] {
    var errors = [CheckpointError?](repeating: nil, count: entries.count)
    try await forEachPiece(of: entries, threads: threads, ranks, "reading") { _, _ in
      []
    } _: { piece, found in
      if case .failure(let error) = found, errors[piece.tensor] == nil {
        errors[piece.tensor] = error
      }
    }
    for (index, error) in try ranks.damage(of: entries) { errors[index] = errors[index] ?? error }
    return errors
  }

  /// Reads every piece on one rank, and passes what was found of it, or the error, on all.
  private static func forEachPiece(
    of entries: [Entry], threads: Int, _ ranks: Ranks, _ name: String,
    _ find: @escaping @Sendable (Piece, RawSpan) -> [UInt8],
    _ pass: @escaping (Piece, Result<[UInt8], CheckpointError>) -> Void
  ) async throws {
    let pieces = Pieces(of: entries, size: WorkLimits.digestSize, cut: .chunks)
    let sharing = Sharing<[Piece], [Result<[UInt8], CheckpointError>]>(
      ranks, name, window: WorkLimits.sumWindowSize, cost: \.byteCount
    ) { found, record in
      for result in found {
        switch result {
        case .success(let sums):
          record.add(true)
          record.add(sums)
        case .failure(let error):
          record.add(false)
          record.add(error)
        }
      }
    } read: { pieces, record in
      pieces.map { _ in record.truth() ? .success(record.content()) : .failure(record.error()) }
    }
    try await pipeline(
      pieces, threads: threads, size: pieces.maxSize, sharing: sharing,
      work: { pieces in
        let buffer = PieceBuffer.pool.acquire()
        defer { PieceBuffer.pool.release(buffer) }
        return pieces.map { piece -> Result<[UInt8], CheckpointError> in
          do {
            try buffer.value.read([piece], of: entries)
          } catch {
            return .failure(ranks.located(error))
          }
          var sums: [UInt8] = []
          buffer.value.forEach([piece]) { sums = find($0, $1) }
          return .success(sums)
        }
      },
      stages: [
        PipelineStage { pieces, found in
          for (piece, result) in zip(pieces, found) { pass(piece, result) }
        }
      ])
  }

  /// Digests that take a tensor's bytes in order: one rank digests all of a tensor.
  private static func wholeDigests(
    of entries: [Entry], threads: Int, _ algorithm: DigestAlgorithm, _ ranks: Ranks
  ) async throws -> [Result<Digest, any Error>] {
    let sharing = Sharing<Entry, Result<Digest, CheckpointError>>(
      ranks, "digests", cost: { $0.info.byteCount }
    ) { found, record in
      switch found {
      case .success(let digest):
        record.add(true)
        record.add(digest.bytes)
      case .failure(let error):
        record.add(false)
        record.add(error)
      }
    } read: { _, record in
      record.truth() ? .success(Digest(bytes: record.content())) : .failure(record.error())
    }
    var found = try await concurrentMap(entries, width: threads, sharing: sharing) {
      entry -> Result<Digest, CheckpointError> in
      do {
        return .success(try entry.digest(algorithm))
      } catch {
        return .failure(ranks.located(error))
      }
    }
    for (index, error) in try ranks.damage(of: entries) { found[index] = .failure(error) }
    return found.map { result in result.mapError { $0 as any Error } }
  }
}
