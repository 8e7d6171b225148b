/// Counts through all combinations of steps along some axes, the last axis first, and follows where
/// each lies in the source and in the target.
package struct Odometer {
  private let axes: [StridedLayout.Axis]
  private var steps: [Int]
  /// Bytes into the source.
  package private(set) var source: Int
  /// Bytes into the target.
  package private(set) var target: Int

  /// Begins at the first step of every axis.
  package init(_ axes: [StridedLayout.Axis], source: Int, target: Int) {
    self.axes = axes
    self.source = source
    self.target = target
    steps = Array(repeating: 0, count: axes.count)
  }

  /// Goes on to the next combination; false after the last.
  package mutating func advance() -> Bool {
    for index in axes.indices.reversed() {
      let axis = axes[index]
      if steps[index] + 1 < axis.count {
        steps[index] += 1
        source += axis.stride
        target += axis.span
        return true
      }
      source -= steps[index] * axis.stride
      target -= steps[index] * axis.span
      steps[index] = 0
    }
    return false
  }
}
