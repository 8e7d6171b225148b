import ParallelWork
import TensorCore

extension TensorInfo {
  /// The tensor's bytes in parts of at most 8 MiB, each of whole elements: what one task works on.
  ///
  /// They depend on nothing but type and size, so that sums taken part by part are the same for any
  /// number of threads and in every format.
  var pieces: [Range<Int>] {
    let step = (8 << 20) / dtype.byteWidth * dtype.byteWidth
    return stride(from: 0, to: byteCount, by: step).map { $0..<min($0 + step, byteCount) }
  }
}

extension Range<Int> {
  /// The range cut at the multiples of `unit`.
  func cut(at unit: Int) -> some Sequence<Range<Int>> {
    sequence(state: lowerBound) { start -> Range<Int>? in
      guard start < upperBound else { return nil }
      let end = Swift.min((start / unit + 1) * unit, upperBound)
      defer { start = end }
      return start..<end
    }
  }
}

/// Memory for parts of two tensors, which grows with what is asked of it.
struct PieceMemory: ~Copyable {
  private var left = ChunkBuffer(capacity: 1 << 18)
  private var right = ChunkBuffer(capacity: 1 << 18)

  /// Memory that no task has.
  static let pool = Pool(capacity: 32) { PieceMemory() }

  /// Lets `body` look at bytes `range` of a tensor.
  mutating func read(
    _ range: Range<Int>, of entry: Checkpoint.Entry, _ body: (RawSpan) throws -> Void = { _ in }
  ) throws {
    if left.capacity < range.count { left = ChunkBuffer(capacity: range.count) }
    let bytes = try entry.read(range.lowerBound, range.count, using: &left)
    try body(bytes)
  }

  /// Whether two tensors of one type have the same bytes in a range.
  mutating func isEqual(
    _ range: Range<Int>, of entry: Checkpoint.Entry, and other: Checkpoint.Entry
  ) throws -> Bool {
    for part in range.cut(at: max(entry.preferredReadSize, other.preferredReadSize)) {
      let count = part.count
      if left.capacity < count { left = ChunkBuffer(capacity: count) }
      if right.capacity < count { right = ChunkBuffer(capacity: count) }
      guard try Self.isEqual(part, of: entry, and: other, &left, &right) else { return false }
    }
    return true
  }

  private static func isEqual(
    _ part: Range<Int>, of entry: Checkpoint.Entry, and other: Checkpoint.Entry,
    _ left: inout ChunkBuffer, _ right: inout ChunkBuffer
  ) throws -> Bool {
    let a = try entry.read(part.lowerBound, part.count, using: &left)
    let b = try other.read(part.lowerBound, part.count, using: &right)
    return a.isByteEqual(to: b)
  }
}
