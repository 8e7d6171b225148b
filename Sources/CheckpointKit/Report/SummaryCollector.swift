import ParallelWork
import Synchronization
import TensorCore

/// Measures a tensor while something else reads it, so that a file is read once for both.
///
/// Parts may be read in any order, and more than once; they are added up in the order in which they
/// lie in the tensor, so that the sums do not depend on the number of threads. What was not read is
/// read by ``finish(_:threads:)``.
final class SummaryCollector: Sendable {
  private struct State {
    /// Measures of all bytes before `end`.
    var summary = TensorSummary()
    var end = 0
    /// Measures of later parts, by where they begin.
    var waiting: [Int: (end: Int, summary: TensorSummary)] = [:]
  }

  private let original: Checkpoint.Entry
  private let state = Mutex(State())

  /// Begins to measure a tensor.
  init(_ entry: Checkpoint.Entry) {
    original = entry
    // Of values that cannot be read only the number is known, which needs no bytes.
    if entry.info.dtype.isComputable { return }
    state.withLock { state in
      state.summary.count = entry.info.elementCount
      state.end = entry.info.byteCount
    }
  }

  /// The tensor, to be read instead of the one given.
  var entry: Checkpoint.Entry {
    var observed = original.wrappingReader { [self] range, target, read in
      try read(range, &target)
      // Small parts are rows of a transposed view, of which too many would wait.
      let least = min(Self.leastPart, original.preferredReadSize)
      if range.count >= least || range.upperBound == original.info.byteCount {
        add(range, target.bytes)
      }
    }
    observed.chainingValues = original.chainingValues
    return observed
  }

  /// Measures of the tensor, once it was read as a whole.
  var summary: TensorSummary { state.withLock { $0.summary } }

  /// Reads what nothing else has read, in bounded memory; of several errors the first tensor's is thrown.
  static func finish(_ collectors: [SummaryCollector], threads: Int) async throws {
    let items = collectors.lazy.flatMap { collector in
      collector.rest.map { (collector: collector, range: $0) }
    }
    try await pipeline(
      items, threads: threads,
      work: { item in
        let memory = PieceMemory.pool.acquire()
        defer { PieceMemory.pool.release(memory) }
        try memory.value.read(item.range, of: item.collector.original) {
          item.collector.add(item.range, $0)
        }
      },
      finish: { _, _ in })
  }

  /// What is left to read, cut where the source's own parts begin.
  private var rest: some Sequence<Range<Int>> {
    let width = original.info.dtype.byteWidth
    // Parts after a gap may be of any size: they would hide the rest of the units in which they begin.
    let end = state.withLock { state in
      state.waiting = [:]
      return state.end
    }
    let unit = max(original.preferredReadSize / width, 1) * width
    return (end..<max(original.info.byteCount, end)).cut(at: unit)
  }

  /// Bytes of a part that is measured as it is read, unless it is the tensor's end.
  private static let leastPart = 1 << 16

  private func add(_ range: Range<Int>, _ bytes: RawSpan) {
    let width = original.info.dtype.byteWidth
    let isNew = state.withLock { state in
      range.lowerBound >= state.end && state.waiting[range.lowerBound] == nil
    }
    guard isNew, range.lowerBound % width == 0, range.count % width == 0 else { return }
    let summary = TensorSummary(of: bytes, as: original.info.dtype)
    state.withLock { state in
      guard range.lowerBound >= state.end else { return }
      state.waiting[range.lowerBound] = (range.upperBound, summary)
      while let next = state.waiting.removeValue(forKey: state.end) {
        state.summary.append(next.summary)
        state.end = next.end
      }
    }
  }
}
