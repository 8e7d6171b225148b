import TensorCore

/// The elements that a selection takes of a dataset, in row-major order, as runs of neighbors of equal
/// length.
package struct HDF5Runs: Sendable, Hashable {
  /// Elements of a run.
  package let length: Int
  /// Number of runs.
  package let count: Int
  /// Element at which the first run begins.
  private var first = 0
  private var axes: [Axis] = []

  /// The steps from run to run along a dimension, the outermost first.
  private struct Axis: Hashable {
    let count: Int
    /// Indices that are neighbors, and the distance between such blocks.
    let block: Int
    let stride: Int
    /// Elements from one index to the next.
    let step: Int
  }

  /// What is selected along a dimension: `count` blocks of `block` indices, `stride` apart.
  struct Slab {
    let start: Int
    let stride: Int
    let count: Int
    let block: Int

    /// Indices that are selected.
    fileprivate var size: Int { count * block }
    fileprivate var isContiguous: Bool { count <= 1 || stride == block }

    /// Whether blocks do not overlap and lie within `size` indices.
    func isInside(_ size: Int) -> Bool {
      guard start >= 0, block >= 0, count >= 0, stride >= 0 else { return false }
      if block == 0 || count == 0 { return true }
      guard start <= size, block <= size - start else { return false }
      return count == 1 || stride >= block && count - 1 <= (size - start - block) / max(stride, 1)
    }
  }

  /// The elements of a dataset that slabs select, one for each dimension, all inside the shape.
  init(_ slabs: [Slab], of shape: Shape) {
    var (length, count, step) = (1, 1, 1)
    var isOuter = false
    for (slab, size) in zip(slabs, shape).reversed() {
      first += slab.start * step
      if isOuter {
        axes.insert(
          Axis(count: slab.size, block: max(slab.block, 1), stride: slab.stride, step: step), at: 0)
        count *= slab.size
      } else if slab.isContiguous {
        length *= slab.size
        isOuter = slab.size != size
      } else {
        length *= slab.block
        isOuter = true
        axes.insert(Axis(count: slab.count, block: 1, stride: slab.stride, step: step), at: 0)
        count *= slab.count
      }
      step *= size
    }
    self.length = length
    self.count = length == 0 ? 0 : count
  }

  /// Number of elements that are selected.
  package var elementCount: Int { length * count }

  /// The element of the dataset at which a run begins.
  package func start(of run: Int) -> Int {
    var (rest, start) = (run, first)
    for axis in axes.reversed() {
      let index = rest % axis.count
      rest /= axis.count
      start += (index / axis.block * axis.stride + index % axis.block) * axis.step
    }
    return start
  }

  /// The first run that does not end by an element.
  package func run(after element: Int) -> Int {
    (0..<count).partitioningIndex { start(of: $0) + length > element }
  }
}
