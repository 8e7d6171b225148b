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
  package func forEachChunk(_ body: Body) async throws {
    let pieces = Pieces(of: entries, size: WorkLimits.readSize, cut: .source)
    try await withoutActuallyEscaping(body) { body in
      try await pipeline(
        pieces, threads: threads, size: pieces.maxSize,
        work: { [entries] pieces in
          let buffer = PieceBuffer.pool.acquire()
          try buffer.value.read(pieces, of: entries)
          return buffer
        },
        finish: { pieces, buffer in
          try buffer.value.forEach(pieces) { try body($0.tensor, $0.range.lowerBound, $1) }
          PieceBuffer.pool.release(buffer)
        })
    }
  }
}
