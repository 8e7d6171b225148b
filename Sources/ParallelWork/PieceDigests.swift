import Synchronization
package import TensorCore

/// Digests of tensors whose pieces come in order, different tensors in parallel.
package final class PieceDigests: Sendable {
  private let builders = Mutex<[Int: DigestBuilder]>([:])

  /// Begins with no tensor.
  package init() {}

  /// Adds the next piece of a tensor by `hash`; gives the digest after the last.
  package func add(_ piece: Piece, by hash: (inout DigestBuilder) -> Void) -> Digest? {
    var builder = builders.withLock { $0.removeValue(forKey: piece.tensor) } ?? DigestBuilder()
    hash(&builder)
    if piece.isLast { return builder.finalize() }
    builders.withLock { [builder] in $0[piece.tensor] = builder }
    return nil
  }
}
