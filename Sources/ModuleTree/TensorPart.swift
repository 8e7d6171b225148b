internal import TensorCore

/// The elements of a tensor that an index takes, before the tensor's sizes are known:
/// `0:4, :` of `weight[0:4, :]`.
///
/// As in Python, with steps of 1 or more; bounds may be computed from the tensor's sizes,
/// `numel//4:numel//2`. An ellipsis stands for all dimensions that are left.
package struct TensorPart: Hashable, Sendable, CustomStringConvertible {
  enum Index: Hashable, Sendable {
    case at(NumberExpression)
    case slice(from: NumberExpression?, to: NumberExpression?, by: NumberExpression?)
    case ellipsis
  }

  let indices: [Index]

  /// The text from which an equal part is parsed, without the brackets.
  package var description: String {
    indices.map { index in
      switch index {
      case .at(let number): "\(number)"
      case .slice(let from, let to, let by):
        "\(from.map { "\($0)" } ?? ""):\(to.map { "\($0)" } ?? "")\(by.map { ":\($0)" } ?? "")"
      case .ellipsis: "..."
      }
    }.joined(separator: ", ")
  }

  /// Where the part is in a tensor.
  ///
  /// - Throws: `CheckpointError` with code `mismatched` for an index that the shape does not have.
  func resolved(in shape: Shape, sizes: NumberContext) throws(CheckpointError) -> StridedPart {
    let given = indices.count { $0 != .ellipsis }
    guard given <= shape.count else { throw refuse("at most \(shape.count) indices", shape) }
    var all: [Index] = []
    for index in indices {
      guard index == .ellipsis else {
        all.append(index)
        continue
      }
      all += Array(repeating: .slice(from: nil, to: nil, by: nil), count: shape.count - given)
    }
    while all.count < shape.count { all.append(.slice(from: nil, to: nil, by: nil)) }
    guard all.count == shape.count else { throw refuse("one ellipsis", shape) }
    var axes: [StridedPart.Axis] = []
    for (index, size) in zip(all, shape) {
      func whole(_ expression: NumberExpression) throws(CheckpointError) -> Int {
        let value = try expression.value(in: sizes)
        guard let number = Int(exactly: value) else { throw refuse("whole numbers", shape) }
        return number < 0 ? number + size : number
      }
      switch index {
      case .at(let expression):
        let place = try whole(expression)
        guard 0..<size ~= place else { throw refuse("indices below the sizes", shape) }
        axes.append(.init(size: size, start: place, step: 1, count: 1, isKept: false))
      case .slice(let from, let to, let by):
        var step = 1
        if let by { step = try whole(by) }
        guard step >= 1 else { throw refuse("steps of 1 or more", shape) }
        var (start, end) = (0, size)
        if let from { start = min(max(try whole(from), 0), size) }
        if let to { end = min(max(try whole(to), 0), size) }
        let count = end > start ? (end - start - 1) / step + 1 : 0
        axes.append(.init(size: size, start: start, step: step, count: count, isKept: true))
      case .ellipsis: break
      }
    }
    return StridedPart(axes: axes)
  }

  /// Reads what stands between the brackets.
  init(_ text: String, column: Int) throws(CheckpointError) {
    var indices: [Index] = []
    for item in text.split(separator: ",", omittingEmptySubsequences: false) {
      let item = String(item).trimmed
      if item == "..." {
        indices.append(.ellipsis)
        continue
      }
      var bounds: [NumberExpression?] = []
      for bound in item.split(separator: ":", omittingEmptySubsequences: false) {
        let bound = String(bound).trimmed
        bounds.append(bound.isEmpty ? nil : try InitializerText.number(bound, column: column))
      }
      switch bounds.count {
      case 1:
        guard let number = bounds[0] else {
          throw InitializerText.error(column, "expected an index or a slice, found nothing")
        }
        indices.append(.at(number))
      case 2: indices.append(.slice(from: bounds[0], to: bounds[1], by: nil))
      case 3: indices.append(.slice(from: bounds[0], to: bounds[1], by: bounds[2]))
      default:
        throw InitializerText.error(column, "expected a slice as 0:4 or 0:8:2, found '\(item)'")
      }
    }
    self.indices = indices
  }

  private func refuse(_ expected: String, _ shape: Shape) -> CheckpointError {
    CheckpointError(.mismatched, "[\(self)]: expected \(expected) for shape \(shape)")
  }
}

/// A part of a tensor: on each axis some indices at equal distances.
///
/// Its elements, counted in row-major order, ascend in the whole tensor as well.
package struct StridedPart: Hashable, Sendable, CustomStringConvertible {
  struct Axis: Hashable, Sendable {
    /// Size of the whole tensor on this axis.
    let size: Int
    let start: Int
    let step: Int
    let count: Int
    /// Whether the part has this axis, which one index alone takes away.
    let isKept: Bool
  }

  let axes: [Axis]

  /// A run of elements of a tensor that is taken for a vector.
  init(_ elements: Range<Int>, of count: Int) {
    axes = [
      Axis(
        size: count, start: elements.lowerBound, step: 1, count: elements.count, isKept: true)
    ]
  }

  init(axes: [Axis]) { self.axes = axes }

  /// Sizes of the part.
  var sizes: [Int] { axes.filter(\.isKept).map(\.count) }

  var elementCount: Int {
    var total = 1
    for axis in axes { total *= axis.count }
    return total
  }

  /// Whether the part is contiguous as PyTorch judges it: axes of size 1 do not count.
  var isContiguous: Bool {
    if elementCount == 0 { return true }
    var (expected, stride) = (1, 1)
    for axis in axes.reversed() {
      if axis.count != 1 {
        if stride * axis.step != expected { return false }
        expected *= axis.count
      }
      stride *= axis.size
    }
    return true
  }

  /// How many of the part's elements come before element `offset` of the whole tensor.
  func rank(_ offset: Int) -> Int {
    var strides: [Int] = []
    var (stride, count) = (1, 1)
    for axis in axes.reversed() {
      strides.append(stride)
      stride *= axis.size
      count *= axis.count
    }
    if offset >= stride { return count }
    var (rest, before, left) = (offset, 0, count)
    if count == 0 { return 0 }
    for (axis, stride) in zip(axes, strides.reversed()) {
      let place = rest / stride
      rest %= stride
      left /= axis.count
      let smaller =
        place <= axis.start ? 0 : min((place - axis.start - 1) / axis.step + 1, axis.count)
      before += smaller * left
      let isInside =
        place >= axis.start && (place - axis.start) % axis.step == 0
        && (place - axis.start) / axis.step < axis.count
      if !isInside { return before }
    }
    return before
  }

  /// Calls `body` for each run of neighbors among the part's elements `taken`: the first one's index
  /// in the part, how many they are, and its offset in the whole tensor.
  func forEachRun(
    of taken: Range<Int>, _ body: (_ index: Int, _ count: Int, _ offset: Int) -> Void
  ) {
    guard let last = axes.last else { return body(0, 1, 0) }
    let length = last.step == 1 ? last.count : 1
    var index = taken.lowerBound
    while index < taken.upperBound {
      var (rest, offset, stride) = (index, 0, 1)
      for axis in axes.reversed() {
        offset += (axis.start + rest % axis.count * axis.step) * stride
        rest /= axis.count
        stride *= axis.size
      }
      let count = min(length - (length > 1 ? index % length : 0), taken.upperBound - index)
      body(index, count, offset)
      index += count
    }
  }

  /// The indices, as Python writes them.
  package var description: String {
    axes.map { axis in
      axis.isKept
        ? "\(axis.start):\(axis.start + axis.count * axis.step)"
          + (axis.step == 1 ? "" : ":\(axis.step)")
        : "\(axis.start)"
    }.joined(separator: ", ")
  }
}
