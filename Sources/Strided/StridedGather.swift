import ParallelWork
import TensorCore

/// Reads one box of a ``StridedLayout``: every combination of steps along some axes.
///
/// Axes are taken in the order of their strides in the source, so that reads go forward through it.
/// From some axis on inwards the pieces lie close together: those are read as one window and
/// copied from there.
struct StridedGather {
  private typealias Axis = StridedLayout.Axis
  /// Widest steps in the source first; without the run.
  private var axes: [StridedLayout.Axis]
  /// Bytes that follow each other in both source and tensor.
  private let run: Int
  /// For each axis, and for the run after the last one: bytes from the first to the last of a piece.
  private var extents: [Int]
  /// The outermost axis of a window; windows hold all axes from there on, or some steps of it.
  private var windowAxis: Int
  /// How many steps of the window's axis fit into one window.
  private let windowSteps: Int

  init(_ box: [StridedLayout.Axis]) {
    let isRun = box.last.map { $0.stride == 1 && $0.span == 1 } ?? false
    run = isRun ? box[box.count - 1].count : 1
    axes = (isRun ? box.dropLast() : box[...]).filter { $0.count > 1 }
    axes.sort { $0.stride > $1.stride }
    extents = [run]
    for axis in axes.reversed() {
      extents.append((axis.count - 1) * axis.stride + extents[extents.count - 1])
    }
    extents.reverse()
    windowAxis = axes.count
    var steps = 1
    while windowAxis > 0 {
      let (axis, inner) = (axes[windowAxis - 1], extents[windowAxis])
      guard inner <= StridedLayout.windowSize,
        axis.stride - inner <= StridedLayout.smallGap
      else { break }
      let most =
        axis.stride == 0 ? axis.count : (StridedLayout.windowSize - inner) / axis.stride + 1
      // One step at a time brings nothing; the inner axes are the window.
      if most == 1 { break }
      windowAxis -= 1
      steps = min(most, axis.count)
      if steps < axis.count { break }
    }
    windowSteps = steps
  }

  /// Reads the box whose first byte lies at `start`; `target` has just its size.
  mutating func read(
    at start: Int, into target: inout MutableRawSpan, from source: StridedLayout.Source
  ) throws {
    let isDirect = windowAxis == axes.count
    var window = ChunkBuffer(capacity: isDirect ? 0 : windowExtent(windowSteps))
    // The window takes the axes from its own on.
    var odometer = Odometer(Array(axes[..<windowAxis]), source: start, target: 0)
    repeat {
      if isDirect {
        var part = target._mutatingExtracting(odometer.target..<odometer.target + run)
        try source(odometer.source, &part)
      } else {
        try readWindows(
          at: odometer.source, into: &target, at: odometer.target, through: &window, from: source)
      }
    } while odometer.advance()
  }

  private func windowExtent(_ steps: Int) -> Int {
    (steps - 1) * axes[windowAxis].stride + extents[windowAxis + 1]
  }

  private func readWindows(
    at start: Int, into target: inout MutableRawSpan, at offset: Int,
    through window: inout ChunkBuffer, from source: StridedLayout.Source
  ) throws {
    var inner = Array(axes[windowAxis...])
    let outer = inner[0]
    for step in stride(from: 0, to: outer.count, by: windowSteps) {
      inner[0].count = min(windowSteps, outer.count - step)
      let extent = windowExtent(inner[0].count)
      var bytes = window.mutableBytes(extent)
      try source(start + step * outer.stride, &bytes)
      StridedCopy.copy(
        window.bytes(extent), to: &target, at: offset + step * outer.span, run: run, axes: inner)
    }
  }
}
