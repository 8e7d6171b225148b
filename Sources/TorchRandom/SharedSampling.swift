internal import Synchronization
internal import TensorCore

/// The values of a ``Sampling``, read range by range by any number of tasks at once.
///
/// Keeps idle cursors. A range continues from the nearest one before it: a
/// reader in order, and several that take ranges in turn, continue where one stopped; a range far
/// from all jumps, which takes less than two milliseconds.
package final class SharedSampling: Sendable {
  private let sampling: Sampling
  private let start: SamplingCursor
  private let idle = Mutex<[SamplingCursor]>([])

  /// More readers than this at once only mean more jumps.
  private static let maxIdle = 32

  /// Prepares to sample the values whose words begin at `start`.
  package init(_ sampling: Sampling, from start: Generator) {
    self.sampling = sampling
    self.start = SamplingCursor(sampling, from: start)
  }

  /// Writes the little-endian elements `elements` to `target`, which must have just their size.
  package func read(elements: Range<Int>, into target: inout MutableRawSpan) {
    var cursor = takeCursor(before: elements.lowerBound)
    cursor.read(elements: elements, into: &target)
    putBack(cursor)
  }

  private func takeCursor(before element: Int) -> SamplingCursor {
    idle.withLock { idle in
      var best: Int?
      for index in idle.indices where idle[index].position <= element {
        if best.map({ idle[$0].position < idle[index].position }) ?? true { best = index }
      }
      return best.map { idle.remove(at: $0) } ?? start
    }
  }

  private func putBack(_ cursor: SamplingCursor) {
    // Of thousands of tensors, those read to the end need no memory.
    guard cursor.position < sampling.blockedCount else { return }
    idle.withLock { idle in
      idle.append(cursor)
      if idle.count > Self.maxIdle { idle.removeFirst() }
    }
  }
}
