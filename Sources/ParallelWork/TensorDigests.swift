import Synchronization
package import TensorCore

/// Digests of tensors, found while their bytes pass by on the way to somewhere else.
package final class TensorDigests: Sendable {
  private let state: Mutex<State>

  private struct State {
    var found: [Digest?]
    var builders: [Int: DigestBuilder] = [:]
  }

  /// Begins with `count` tensors of which no byte has passed.
  package init(count: Int) { state = Mutex(State(found: Array(repeating: nil, count: count))) }

  /// Adds the next piece of a tensor; pieces of different tensors may come at the same time.
  package func add(_ piece: Piece, _ bytes: RawSpan) {
    var builder =
      state.withLock { $0.builders.removeValue(forKey: piece.tensor) } ?? DigestBuilder()
    builder.update(bytes)
    state.withLock { [builder] state in
      if piece.isLast {
        state.found[piece.tensor] = builder.finalize()
      } else {
        state.builders[piece.tensor] = builder
      }
    }
  }

  /// The digest of a tensor that has passed as a whole.
  package subscript(tensor: Int) -> Digest? { state.withLock { $0.found[tensor] } }
}
