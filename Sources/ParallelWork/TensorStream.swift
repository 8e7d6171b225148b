package import Ranks
package import TensorCore

/// Reads tensors from end to end on several threads, and hands their bytes over in order.
///
/// What is handed over does not depend on the number of threads. Where several ranks share the work,
/// each gets all chunks, but the bytes of only those that it has read.
package struct TensorStream {
  /// Consecutive bytes of a tensor.
  package struct Chunk {
    /// The tensor's index in the list.
    package let tensor: Int
    /// Where they begin in the tensor.
    package let offset: Int
    /// How many they are, also where another rank has them.
    package let count: Int
    /// Their sum, if the stream has a function for it.
    package let sum: UInt32
  }

  /// Gets each chunk and its bytes, which are none if another rank has them; also called once for a
  /// tensor without bytes.
  package typealias Body = (_ chunk: Chunk, _ bytes: RawSpan) throws -> Void

  private let entries: [Checkpoint.Entry]
  private let threads: Int
  private let ranks: Ranks
  private let sum: (@Sendable (RawSpan) -> UInt32)?

  /// Reads these tensors, one after the other; `sum` is computed of each chunk where it is read.
  package init(
    _ entries: [Checkpoint.Entry], threads: Int, ranks: Ranks = .alone,
    sum: (@Sendable (RawSpan) -> UInt32)? = nil
  ) {
    (self.entries, self.threads, self.ranks, self.sum) = (entries, threads, ranks, sum)
  }

  /// Pieces that were read, and what was found out about each.
  private struct Work: Sendable {
    /// The bytes; `nil` if another rank has them.
    var buffer: Pool<PieceBuffer>.Item?
    var sums: [UInt32] = []
    /// What their digests need, where ranks share the work.
    var digestSums: [[UInt8]] = []
  }

  /// Calls `body` for every chunk, in order, while the caller is suspended; the first error ends it.
  ///
  /// `digests` gets the bytes as well, where they are read, or in the order of each tensor if need be.
  package func forEachChunk(digesting digests: TensorDigests? = nil, _ body: Body) async throws {
    let isShared = ranks.size > 1
    let pieces = Pieces(
      of: entries, size: WorkLimits.readSize, cut: isShared ? .chunks : .source)
    try await withoutActuallyEscaping(body) { body in
      var stages: [PipelineStage<[Piece], Work>] = []
      if let digests {
        stages.append(
          PipelineStage(lane: { $0[0].tensor }) { pieces, work in
            if isShared {
              for (piece, sums) in zip(pieces, work.digestSums) { digests.add(piece, sums: sums) }
            } else if !digests.takesAnyOrder(pieces[0]) {
              work.buffer?.value.forEach(pieces) { digests.add($0, $1) }
            }
          })
      }
      stages.append(
        PipelineStage { pieces, work in
          func chunk(_ index: Int) -> Chunk {
            let piece = pieces[index]
            return Chunk(
              tensor: piece.tensor, offset: piece.range.lowerBound, count: piece.range.count,
              sum: work.sums.isEmpty ? 0 : work.sums[index])
          }
          guard let buffer = work.buffer else {
            for index in pieces.indices { try body(chunk(index), RawSpan()) }
            return
          }
          var index = 0
          try buffer.value.forEach(pieces) { _, bytes in
            try body(chunk(index), bytes)
            index += 1
          }
          PieceBuffer.pool.release(buffer)
        })
      try await pipeline(
        pieces, threads: threads, size: pieces.maxSize,
        sharing: sharing(isDigested: digests != nil),
        work: { [entries, sum] pieces in
          let buffer = PieceBuffer.pool.acquire()
          try buffer.value.read(pieces, of: entries)
          var work = Work(buffer: buffer)
          buffer.value.forEach(pieces) { piece, bytes in
            if let sum { work.sums.append(sum(bytes)) }
            guard let digests else { return }
            if isShared {
              work.digestSums.append(TensorDigests.sums(of: piece, bytes))
            } else if digests.takesAnyOrder(piece) {
              digests.add(piece, bytes)
            }
          }
          return work
        }, stages: stages)
    }
    try ranks.requireSound(entries)
  }

  private func sharing(isDigested: Bool) -> Sharing<[Piece], Work> {
    let isSummed = sum != nil
    return Sharing(ranks, "tensors", cost: \.byteCount) { work, record in
      for sum in work.sums { record.add(sum) }
      for sums in work.digestSums { record.add(sums) }
    } read: { pieces, record in
      var work = Work()
      if isSummed { work.sums = pieces.map { _ in record.integer(UInt32.self) } }
      if isDigested { work.digestSums = pieces.map { _ in record.content() } }
      return work
    }
  }
}
