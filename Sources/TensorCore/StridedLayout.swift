/// Where the elements of a tensor lie that is a view of other bytes: transposed, sliced, expanded.
///
/// A layout reads any byte range of the tensor's own order (row-major, without gaps) from those
/// bytes, the *source*, in memory that does not grow with either. A part that lies in one piece is
/// one read; what lies near together is read together and picked apart; only far-off pieces cost a
/// read each.
public struct StridedLayout: Hashable, Sendable {
  /// Reads bytes of the source from `offset` on into a span, which says how many.
  public typealias Source = (_ offset: Int, _ target: inout MutableRawSpan) throws -> Void

  /// Bytes of the tensor.
  public let byteCount: Int
  /// How far the elements reach in the source: one more than the last byte's place, 0 for none.
  public let reach: Int
  /// The first element's place in the source.
  private let start: Int
  /// Outermost first, neighbours that lie together made one; the last steps through bytes.
  private let axes: [Axis]

  /// One direction of stepping, in bytes.
  struct Axis: Hashable {
    var count: Int
    /// From one step to the next in the source.
    var stride: Int
    /// From one step to the next in the tensor.
    var span: Int
  }

  /// Most dimensions that a layout may have, as in PyTorch.
  public static let highestRank = 64
  /// Most bytes of the source that are held at once.
  static let windowSize = 1 << 18
  /// A gap up to this many bytes is read over, which costs less than another read.
  static let smallGap = 2048

  /// Describes the tensor of `info` whose element at index `i` lies `offset + Σ i·strides` elements
  /// into the source; strides may be 0 and not less.
  ///
  /// - Throws: ``CheckpointError`` `malformed` when the numbers do not fit each other or overflow.
  public init(_ info: TensorInfo, strides: [Int], offset: Int = 0) throws(CheckpointError) {
    guard info.shape.count == strides.count else {
      throw CheckpointError(
        .malformed, "\(strides.count) strides for shape \(info.shape), one a dimension is required")
    }
    guard strides.count <= Self.highestRank else {
      throw CheckpointError(
        .malformed, "\(strides.count) dimensions, at most \(Self.highestRank) are allowed")
    }
    if let negative = (strides + [offset]).first(where: { $0 < 0 }) {
      throw CheckpointError(
        .malformed, "stride or offset \(negative) of shape \(info.shape), required 0 or more")
    }
    byteCount = info.byteCount
    guard info.dtype.isComputable else {
      // Blocks of several elements cannot be taken apart.
      guard strides == Self.contiguousStrides(info.shape) else {
        throw CheckpointError(
          .unsupported, "\(info.dtype.rawValue) holds elements in blocks, which stay together")
      }
      let (perBlock, blockBytes) = info.dtype.block
      guard offset % perBlock == 0 else {
        throw CheckpointError(.malformed, "offset \(offset) in the middle of a block")
      }
      start = try Self.product(offset / perBlock, blockBytes)
      axes = [Axis(count: byteCount, stride: 1, span: 1)]
      reach = byteCount == 0 ? 0 : try Self.sum(start, byteCount)
      return
    }
    let width = info.dtype.byteWidth
    start = try Self.product(offset, width)
    var last = start
    var axes = [Axis(count: width, stride: 1, span: 1)]
    for (count, stride) in zip(info.shape, strides).reversed() where info.elementCount > 0 {
      let stride = try Self.product(stride, width)
      last = try Self.sum(last, try Self.product(count - 1, stride))
      if count == 1 { continue }
      let inner = axes[0]
      if inner.count == 1 {
        axes[0] = Axis(count: count, stride: stride, span: 1)
      } else if (stride, false) == inner.stride.multipliedReportingOverflow(by: inner.count) {
        axes[0].count *= count
      } else {
        axes.insert(Axis(count: count, stride: stride, span: inner.span * inner.count), at: 0)
      }
    }
    self.axes = axes
    reach = info.elementCount == 0 ? 0 : try Self.sum(last, width)
  }

  /// Where the tensor's bytes lie in the source, when they lie there in one piece and in order.
  public var contiguousRange: Range<Int>? {
    if byteCount == 0 { return start..<start }
    return axes.count == 1 && axes[0].stride == 1 ? start..<start + byteCount : nil
  }

  /// Reads bytes `range` of the tensor into `target`, which must have just that size.
  ///
  /// - Throws: what `source` throws.
  public func read(
    _ range: Range<Int>, into target: inout MutableRawSpan, from source: Source
  ) throws {
    precondition(range.lowerBound >= 0 && range.upperBound <= byteCount, "range outside tensor")
    precondition(target.byteCount == range.count, "span of another size than the range")
    var position = range.lowerBound
    while position < range.upperBound {
      let box = box(at: position, within: range.upperBound)
      let count = box.axes[0].count * box.axes[0].span
      let place = position - range.lowerBound
      var part = target._mutatingExtracting(place..<place + count)
      var gather = Gather(box.axes)
      try gather.read(at: box.start, into: &part, from: source)
      position += count
    }
  }

  /// The largest box of whole steps that begins at byte `position` of the tensor and ends by `end`.
  private func box(at position: Int, within end: Int) -> (axes: [Axis], start: Int) {
    let outer =
      axes.firstIndex { position % $0.span == 0 && $0.span <= end - position } ?? axes.count - 1
    var source = start
    var rest = position
    for axis in axes[..<outer] {
      source += rest / axis.span * axis.stride
      rest %= axis.span
    }
    var axis = axes[outer]
    let index = rest / axis.span
    source += index * axis.stride
    axis.count = min(axis.count - index, (end - position) / axis.span)
    return ([axis] + axes[(outer + 1)...], source)
  }

  private static func product(_ left: Int, _ right: Int) throws(CheckpointError) -> Int {
    let (product, overflow) = left.multipliedReportingOverflow(by: right)
    if overflow { throw CheckpointError(.malformed, "overflow: \(left) times \(right) as a place") }
    return product
  }

  private static func sum(_ left: Int, _ right: Int) throws(CheckpointError) -> Int {
    let (sum, overflow) = left.addingReportingOverflow(right)
    if overflow { throw CheckpointError(.malformed, "overflow: \(left) plus \(right) as a place") }
    return sum
  }
}

extension StridedLayout {
  /// Strides, in elements, of a tensor of this shape without gaps.
  public static func contiguousStrides(_ shape: [Int]) -> [Int] {
    var stride = 1
    return Array(
      shape.reversed().map { size in
        defer { stride = stride.multipliedReportingOverflow(by: max(size, 1)).partialValue }
        return stride
      }.reversed())
  }
}

extension Checkpoint.Entry {
  /// The same tensor with its axes in another order: axis `i` of the result is `axes[i]` of this.
  ///
  /// Nothing is read now; a range is gathered as it is read. The result is no alias and has no
  /// stored digest, unless the order is the old one.
  /// - Throws: ``CheckpointError`` `mismatched` when `axes` is no order of this tensor's axes.
  public func permuted(_ axes: [Int]) throws(CheckpointError) -> Checkpoint.Entry {
    guard axes.sorted() == Array(info.shape.indices) else {
      throw CheckpointError(
        .mismatched, "axes \(axes) for shape \(info.shape), each axis is required once",
        tensor: name.text)
    }
    if axes == Array(info.shape.indices) { return self }
    let strides = StridedLayout.contiguousStrides(info.shape)
    let permuted = try TensorInfo(dtype: info.dtype, shape: axes.map { info.shape[$0] })
    let layout = try StridedLayout(permuted, strides: axes.map { strides[$0] })
    let original = self
    return Checkpoint.Entry(name: name, info: permuted) { range, target in
      try layout.read(range, into: &target) { offset, part in
        try original.read(offset..<offset + part.byteCount, into: &part)
      }
    }
  }
}
