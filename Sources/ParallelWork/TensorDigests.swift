import Synchronization
package import TensorCore

/// Digests of tensors, found while their bytes pass by.
///
/// With BLAKE3, the pieces of a tensor that begin at multiples of 1 MiB may come in any order, from any
/// thread. All other pieces of one tensor come in their order.
package final class TensorDigests: Sendable {
  private let algorithm: DigestAlgorithm
  private let state: Mutex<State>

  private struct State {
    var found: [Digest?]
    /// Digests in progress of tensors whose pieces come in order.
    var builders: [Int: DigestBuilder] = [:]
    /// Chaining values of tensors whose pieces come in any order.
    var trees: [Int: Tree] = [:]
  }

  private struct Tree {
    var values: [UInt8] = []
    var chunkCount = 0
    /// Number of chunks; `nil` before the last piece has come.
    var total: Int?
  }

  /// Begins with `count` tensors of which no byte has passed.
  package init(count: Int, algorithm: DigestAlgorithm = .blake3) {
    self.algorithm = algorithm
    state = Mutex(State(found: Array(repeating: nil, count: count)))
  }

  /// Whether a piece may come before those that precede it in its tensor.
  package func takesAnyOrder(_ piece: Piece) -> Bool {
    piece.isWhole || algorithm == .blake3 && piece.isChunked
  }

  /// Adds a piece of a tensor; pieces of different tensors may come at the same time.
  ///
  /// - Returns: the tensor's digest, once all of it has come.
  @discardableResult
  package func add(_ piece: Piece, _ bytes: RawSpan) -> Digest? {
    let digest =
      takesAnyOrder(piece) && !piece.isWhole
      ? addChunks(piece, Self.values(of: piece, bytes)) : addNext(piece, bytes)
    if let digest { state.withLock { $0.found[piece.tensor] = digest } }
    return digest
  }

  /// What the BLAKE3 of a tensor needs of a piece that may come in any order: the digest of a whole
  /// tensor, or the chaining values of chunks.
  package static func sums(of piece: Piece, _ bytes: RawSpan) -> [UInt8] {
    guard piece.isWhole else { return values(of: piece, bytes) }
    var builder = DigestBuilder(.blake3)
    builder.update(bytes)
    return builder.finalize().bytes
  }

  /// Adds a piece of which another rank, or this one, has computed the ``sums(of:_:)``.
  @discardableResult
  package func add(_ piece: Piece, sums: [UInt8]) -> Digest? {
    let digest = piece.isWhole ? Digest(bytes: sums) : addChunks(piece, sums)
    if let digest { state.withLock { $0.found[piece.tensor] = digest } }
    return digest
  }

  private static func values(of piece: Piece, _ bytes: RawSpan) -> [UInt8] {
    var values: [UInt8] = []
    TreeDigest.append(
      valuesOf: bytes, firstChunk: piece.range.lowerBound / TreeDigest.chunkSize, to: &values)
    return values
  }

  /// Adds the next piece of a tensor.
  private func addNext(_ piece: Piece, _ bytes: RawSpan) -> Digest? {
    var builder =
      piece.isWhole
      ? DigestBuilder(algorithm)
      : state.withLock { $0.builders.removeValue(forKey: piece.tensor) }
        ?? DigestBuilder(algorithm)
    builder.update(bytes)
    if piece.isLast { return builder.finalize() }
    state.withLock { [builder] in $0.builders[piece.tensor] = builder }
    return nil
  }

  /// Adds chunks of a tensor of several.
  private func addChunks(_ piece: Piece, _ values: [UInt8]) -> Digest? {
    let first = piece.range.lowerBound / TreeDigest.chunkSize
    let complete = state.withLock { state -> [UInt8]? in
      var tree = state.trees.removeValue(forKey: piece.tensor) ?? Tree()
      let start = first.saturated(times: TreeDigest.valueSize)
      let end = start + values.count
      if tree.values.count < end {
        tree.values += repeatElement(0, count: end - tree.values.count)
      }
      tree.values.replaceSubrange(start..<end, with: values)
      tree.chunkCount += values.count / TreeDigest.valueSize
      if piece.isLast { tree.total = end / TreeDigest.valueSize }
      if tree.chunkCount == tree.total { return tree.values }
      state.trees[piece.tensor] = tree
      return nil
    }
    return complete.map { TreeDigest.digest(merging: $0) }
  }

  /// The digest of a tensor that has passed as a whole.
  package subscript(tensor: Int) -> Digest? { state.withLock { $0.found[tensor] } }
}
