import ParallelWork
import TensorCore

/// Reading tensors piece by piece to compare them.
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

  /// Lets `body` look at bytes of two tensors.
  mutating func read<Result>(
    _ range: Range<Int>, of entry: Checkpoint.Entry, and otherRange: Range<Int>,
    of other: Checkpoint.Entry, _ body: (RawSpan, RawSpan) throws -> Result
  ) throws -> Result {
    if left.capacity < range.count { left = ChunkBuffer(capacity: range.count) }
    if right.capacity < otherRange.count { right = ChunkBuffer(capacity: otherRange.count) }
    return try Self.read(range, of: entry, and: otherRange, of: other, &left, &right, body)
  }

  private static func read<Result>(
    _ range: Range<Int>, of entry: Checkpoint.Entry, and otherRange: Range<Int>,
    of other: Checkpoint.Entry, _ left: inout ChunkBuffer, _ right: inout ChunkBuffer,
    _ body: (RawSpan, RawSpan) throws -> Result
  ) throws -> Result {
    let a = try entry.read(range.lowerBound, range.count, using: &left)
    let b = try other.read(otherRange.lowerBound, otherRange.count, using: &right)
    return try body(a, b)
  }

  /// Lets `body` look at bytes of one tensor.
  mutating func read(
    _ range: Range<Int>, of entry: Checkpoint.Entry, _ body: (RawSpan) throws -> Void
  ) throws {
    if left.capacity < range.count { left = ChunkBuffer(capacity: range.count) }
    try body(entry.read(range.lowerBound, range.count, using: &left))
  }

  /// Whether two tensors of one type have the same bytes in a range.
  mutating func isEqual(
    _ range: Range<Int>, of entry: Checkpoint.Entry, and other: Checkpoint.Entry
  ) throws -> Bool {
    for part in range.cut(at: max(entry.preferredReadSize, other.preferredReadSize)) {
      let isEqual = try read(part, of: entry, and: part, of: other) { $0.isByteEqual(to: $1) }
      if !isEqual { return false }
    }
    return true
  }
}
