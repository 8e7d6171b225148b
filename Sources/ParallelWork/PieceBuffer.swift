package import TensorCore

/// Memory for the pieces of one unit of work; it grows as needed and is reused.
package struct PieceBuffer: ~Copyable {
  private var buffer = ChunkBuffer()

  /// Buffers that are not in use.
  package static let pool = Pool(capacity: 96) { PieceBuffer() }

  /// Reads pieces of these tensors, one after another.
  package mutating func read(_ pieces: [Piece], of entries: [Checkpoint.Entry]) throws {
    let size = pieces.byteCount
    if buffer.capacity < size { buffer = ChunkBuffer(capacity: size) }
    var bytes = buffer.mutableBytes(size)
    try ReadAhead.during(pieces.count) {
      var start = 0
      for piece in pieces {
        var target = bytes._mutatingExtracting(start..<start + piece.range.count)
        try entries[piece.tensor].read(piece.range, into: &target)
        start += piece.range.count
      }
    }
  }

  /// Hands over each of the pieces that were read.
  package func forEach(_ pieces: [Piece], _ body: (Piece, RawSpan) throws -> Void) rethrows {
    var start = 0
    for piece in pieces {
      let end = start + piece.range.count
      try body(piece, buffer.bytes(end).extracting(start..<end))
      start = end
    }
  }
}
