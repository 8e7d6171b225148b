import ParallelWork
import Strided
import TensorCore

/// Recognizing tensors whose axes are in another order, as other frameworks store them.
extension CheckpointDiff.Work {
  /// Tensors whose cosine is below this have nothing in common: of random ones it is near 0.
  static let relatedCosine = 0.25
  /// Bytes that are compared before a whole tensor is.
  private static let sampleSize = 1 << 16
  /// Elements that a sample must have to say anything.
  private static let minElements = 16

  /// Makes `transposed` of reshaped pairs whose values agree in another order of axes, and, once there
  /// are some, of changed ones of equal shape, such as square matrices.
  func findTransposed(_ pairs: [Pair], _ changes: inout [Change]) throws {
    for index in changes.indices where changes[index].kind == .reshaped {
      try transpose(pairs[index], &changes[index])
    }
    guard changes.contains(where: { $0.kind == .transposed }) else { return }
    for index in changes.indices where [.changed, .retyped].contains(changes[index].kind) {
      // Unrelated as they stand; NaN says nothing.
      guard let cosine = changes[index].difference?.cosine, cosine < Self.relatedCosine else {
        continue
      }
      try transpose(pairs[index], &changes[index])
    }
  }

  private func transpose(_ pair: Pair, _ change: inout Change) throws {
    let (left, right) = pair
    // A vector in a matrix of one row has its elements in the same order.
    guard right.info.shape.count(where: { $0 > 1 }) > 1 else { return }
    for order in right.info.axisOrders where right.info.shape.permuted(order) == left.info.shape {
      guard let found = try difference(left, right, order) else { continue }
      (change.kind, change.axes, change.difference) = (.transposed, order, found)
      return
    }
  }

  /// How far a tensor is from another with its axes in this order; `nil` if they have nothing in common.
  private func difference(
    _ left: Checkpoint.Entry, _ right: Checkpoint.Entry, _ order: [Int]
  ) throws -> TensorDifference? {
    guard left.info.dtype.isComputable, right.info.dtype.isComputable,
      left.info.elementCount >= Self.minElements
    else { return nil }
    func isRelated(_ found: TensorDifference?) -> Bool {
      guard let found, found.differingCount > 0 else { return true }
      return found.cosine.map { $0 >= Self.relatedCosine } == true
    }
    let view = try right.permuted(order)
    let width = left.info.dtype.byteWidth
    let sample = 0..<min(Self.sampleSize / width * width, left.info.byteCount)
    let first = try TensorDifference.measured(left, view, sample, tolerance)
    guard isRelated(first) else { return nil }
    counter.plan(left.info.byteCount.saturated(times: 2))
    defer { counter.add(left.info.byteCount.saturated(times: 2)) }
    let found = try TensorDifference(between: left, and: view, tolerance: tolerance)
    return isRelated(found) ? found : nil
  }
}

extension TensorInfo {
  /// Orders of axes in which other frameworks store a tensor of this rank: the last two exchanged,
  /// all reversed, and those of a convolution's kernel, height and width first or last.
  ///
  /// None for types of blocks, whose elements cannot be moved.
  var axisOrders: [[Int]] {
    let rank = shape.count
    guard (2...5).contains(rank), dtype.block.elements == 1, dtype.isComputable else { return [] }
    let (last, before) = (rank - 1, rank - 2)
    let orders = [
      Array((0..<rank).reversed()), [last, before] + Array(0..<before),
      Array(2..<rank) + [1, 0], Array(0..<before) + [last, before],
    ]
    var seen: Set<[Int]> = [Array(0..<rank)]
    return orders.filter { seen.insert($0).inserted }
  }
}

extension [Int] {
  /// The order that undoes this one.
  var inverted: [Int] {
    var result = self
    for (index, axis) in enumerated() { result[axis] = index }
    return result
  }
}
