import TensorCore

/// Vectors of one element type, one after the other, read as one.
struct FlatVector: Sendable {
  let dtype: DType
  /// Size of all vectors in bytes.
  let byteCount: Int
  private let parts: [Checkpoint.Entry]
  /// Offset of each vector in bytes.
  private let starts: [Int]

  /// Joins vectors in their order; there must be one at least.
  ///
  /// - Throws: ``CheckpointError`` `malformed` when their element types differ, or without any.
  init(_ parts: [Checkpoint.Entry]) throws(CheckpointError) {
    guard let dtype = parts.first?.info.dtype else {
      throw CheckpointError(.malformed, "expected a flat tensor, found none")
    }
    var starts: [Int] = []
    var size = 0
    for part in parts {
      guard part.info.dtype == dtype else {
        throw CheckpointError(
          .malformed,
          "expected flat tensors of \(dtype.rawValue), found \(part.info.dtype.rawValue)")
      }
      starts.append(size)
      size = [size, part.info.byteCount].saturatedSum()
    }
    self.dtype = dtype
    self.parts = parts
    self.starts = starts
    byteCount = size
  }

  /// Fills a span with the bytes starting at an offset; all of them must be inside.
  func read(at offset: Int, into target: inout MutableRawSpan) throws {
    var done = 0
    // The last vector that begins at or before the offset.
    var index = starts.firstIndex { $0 > offset } ?? starts.count
    index -= 1
    while done < target.byteCount {
      let part = parts[index]
      let start = offset + done - starts[index]
      let count = min(part.info.byteCount - start, target.byteCount - done)
      if count > 0 {
        var piece = target._mutatingExtracting(done..<done + count)
        try part.read(start..<start + count, into: &piece)
        done += count
      }
      index += 1
    }
  }
}

/// A tensor of which each of several ranks has the same number of bytes, at the same offset.
struct PartitionedVector: Sendable {
  let ranks: [FlatVector]
  /// Offset in each rank's vector in bytes.
  let start: Int
  /// Number of bytes that each rank has, those that only fill up the last one included.
  let share: Int

  /// Fills a span with the bytes starting at an offset; all of them must be inside.
  func read(at offset: Int, into target: inout MutableRawSpan) throws {
    var done = 0
    while done < target.byteCount {
      let (rank, inside) = (offset + done).quotientAndRemainder(dividingBy: share)
      let count = min(share - inside, target.byteCount - done)
      var piece = target._mutatingExtracting(done..<done + count)
      try ranks[rank].read(at: start + inside, into: &piece)
      done += count
    }
  }
}
