package import TensorCore

/// Reads tensors from end to end on several threads, and hands their bytes over in order.
///
/// What is handed over does not depend on the number of threads.
package struct TensorStream {
  /// Gets the index of a tensor, the offset of these bytes in it, and the bytes; also called once for
  /// a tensor without bytes.
  package typealias Body = (_ tensor: Int, _ offset: Int, _ bytes: RawSpan) throws -> Void

  private let entries: [Checkpoint.Entry]
  private let threads: Int

  /// Reads these tensors, one after the other.
  package init(_ entries: [Checkpoint.Entry], threads: Int) {
    self.entries = entries
    self.threads = threads
  }

  /// Calls `body` for every piece, in order, while the caller is suspended; the first error ends it.
  ///
  /// `digests` gets the bytes as well, where they are read, or in the order of each tensor if need be.
  package func forEachChunk(digesting digests: TensorDigests? = nil, _ body: Body) async throws {
    let pieces = Pieces(of: entries, size: WorkLimits.readSize, cut: .source)
    try await withoutActuallyEscaping(body) { body in
      var stages: [PipelineStage<[Piece], Pool<PieceBuffer>.Item>] = []
      if let digests {
        stages.append(
          PipelineStage(lane: { $0[0].tensor }) { pieces, buffer in
            if !digests.takesAnyOrder(pieces[0]) {
              buffer.value.forEach(pieces) { digests.add($0, $1) }
            }
          })
      }
      stages.append(
        PipelineStage { pieces, buffer in
          try buffer.value.forEach(pieces) { try body($0.tensor, $0.range.lowerBound, $1) }
          PieceBuffer.pool.release(buffer)
        })
      try await pipeline(
        pieces, threads: threads, size: pieces.maxSize,
        work: { [entries] pieces in
          let buffer = PieceBuffer.pool.acquire()
          try buffer.value.read(pieces, of: entries)
          if let digests, digests.takesAnyOrder(pieces[0]) {
            buffer.value.forEach(pieces) { digests.add($0, $1) }
          }
          return buffer
        }, stages: stages)
    }
  }
}
