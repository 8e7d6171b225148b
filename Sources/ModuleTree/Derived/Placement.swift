internal import TensorCore

/// Which elements of a source become which elements of a target, and what is done to them.
///
/// Both tensors count their elements in row-major order. A view is an offset and one stride for
/// each size, as in PyTorch's `as_strided`; strides of 0 repeat an element.
package struct Placement: Hashable, Sendable {
  /// Sizes of the region, outermost first.
  let sizes: [Int]
  /// Offset of the region in the target, then a stride for each size.
  let target: [Int]
  /// Offset of the region in the source, then a stride for each size.
  let source: [Int]
  /// The source's element for each element of the target, in place of the regions; -1 leaves one
  /// as it was.
  let indices: [Int32]?
  /// What is done to each value, in order.
  let operations: [ElementStep]

  /// Whether the regions lie within tensors of these many elements.
  func isWithin(target targetCount: Int, source sourceCount: Int) -> Bool {
    if let indices {
      return indices.count == targetCount && indices.allSatisfy { $0 >= -1 && $0 < sourceCount }
    }
    if sizes.contains(0) { return true }
    // No element is written twice for want of a stride, so there are no more than the target has.
    guard let shape = try? Shape(sizes), shape.elementCount <= targetCount,
      zip(sizes, target.dropFirst()).allSatisfy({ $0 == 1 || $1 > 0 })
    else { return false }
    func last(_ view: [Int]) -> Int? {
      zip(sizes, view.dropFirst()).reduce(view.first) { sum, next in
        let (reach, first) = (next.0 - 1).multipliedReportingOverflow(by: next.1)
        guard let sum, !first else { return nil }
        let (total, second) = sum.addingReportingOverflow(reach)
        return second ? nil : total
      }
    }
    guard target.count == sizes.count + 1, source.count == sizes.count + 1,
      let lastTarget = last(target), let lastSource = last(source)
    else { return false }
    return lastTarget < targetCount && lastSource < sourceCount
  }

  /// Whether the region is all of a target with this many elements, in order.
  func covers(_ count: Int) -> Bool {
    guard indices == nil, target.first == 0, sizes.reduce(1, *) == count else { return false }
    // From the inside out each stride is what the dimensions within it take.
    var taken = 1
    for (size, stride) in zip(sizes, target.dropFirst()).sorted(by: { $0.1 < $1.1 }) where size != 1
    {
      if stride != taken { return false }
      taken *= size
    }
    return true
  }

  /// The same regions with neighboring dimensions joined where both views run on, and with the
  /// dimensions in order of the target's strides, the greatest first.
  var simplified: Placement {
    var order = sizes.indices.filter { sizes[$0] != 1 }
    order.sort { target[$0 + 1] > target[$1 + 1] }
    var joined: [(size: Int, target: Int, source: Int)] = []
    for index in order {
      let (size, to, from) = (sizes[index], target[index + 1], source[index + 1])
      if let last = joined.last, last.target == to * size, last.source == from * size {
        joined[joined.count - 1] = (last.size * size, to, from)
      } else {
        joined.append((size, to, from))
      }
    }
    return Placement(
      sizes: joined.map(\.size), target: [target[0]] + joined.map(\.target),
      source: [source[0]] + joined.map(\.source), indices: nil, operations: operations)
  }

  /// Calls `body` with each run of the region that has elements in a range of the target's.
  ///
  /// It gets the run's first elements in target and source, and its length; the strides are those
  /// of the last dimension. Requires ``simplified``.
  func forEachRun(in range: Range<Int>, _ body: (Int, Int, Int) throws -> Void) rethrows {
    try visit(0, target[0], source[0], range, body)
  }

  private func visit(
    _ dimension: Int, _ to: Int, _ from: Int, _ range: Range<Int>,
    _ body: (Int, Int, Int) throws -> Void
  ) rethrows {
    guard dimension < sizes.count else {
      if range.contains(to) { try body(to, from, 1) }
      return
    }
    let stride = target[dimension + 1]
    // What the inner dimensions can reach beyond this one's elements.
    let reach = (dimension + 1..<sizes.count).reduce(0) { $0 + (sizes[$1] - 1) * target[$1 + 1] }
    let first = max(0, (range.lowerBound - to - reach + stride - 1) / max(stride, 1))
    let end = min(sizes[dimension], (range.upperBound - 1 - to) / max(stride, 1) + 1)
    guard range.upperBound > to, first < end else { return }
    if dimension == sizes.count - 1 {
      return try body(
        to + first * stride, from + first * source[dimension + 1], end - first)
    }
    for index in first..<end {
      try visit(
        dimension + 1, to + index * stride, from + index * source[dimension + 1], range, body)
    }
  }
}
