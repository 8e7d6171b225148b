import Ranks
package import TensorCore

/// Reading tensors only to find out whether they can be read.
extension Checkpoint {
  /// The first error of reading each tensor from end to end; `nil` for those without one.
  package static func readErrors(
    of entries: [Entry], threads: Int
  ) async throws -> [CheckpointError?] {
    let ranks = Ranks.current
    if ranks.size > 1 {
      return try await sharedReadErrors(of: entries, threads: threads, ranks: ranks)
    }
    var errors = [CheckpointError?](repeating: nil, count: entries.count)
    let pieces = Pieces(of: entries, size: WorkLimits.digestSize, cut: .source)
    try await pipeline(
      pieces, threads: threads, size: pieces.maxSize,
      work: { pieces in
        let buffer = PieceBuffer.pool.acquire()
        defer { PieceBuffer.pool.release(buffer) }
        return pieces.map { piece -> CheckpointError? in
          do {
            try buffer.value.read([piece], of: entries)
            return nil
          } catch {
            return error as? CheckpointError ?? CheckpointError(.system, "\(error)")
          }
        }
      },
      finish: { pieces, found in
        for (piece, error) in zip(pieces, found) where errors[piece.tensor] == nil {
          errors[piece.tensor] = error
        }
      })
    return errors
  }
}
