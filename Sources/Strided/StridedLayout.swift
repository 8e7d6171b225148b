package import TensorCore

/// The positions of the elements of a tensor that is a view of other bytes: transposed, sliced, or
/// expanded.
///
/// A layout reads any byte range of the tensor's own order (row-major, without gaps) from those
/// bytes, the *source*, in memory that does not grow with either. A contiguous part is one read;
/// pieces close to each other are read together and then separated; only distant pieces cost a read
/// each.
package struct StridedLayout: Hashable, Sendable {
  /// Reads bytes of the source from `offset` on, as many as the span holds.
  package typealias Source = (_ offset: Int, _ target: inout MutableRawSpan) throws -> Void

  /// Size of the tensor in bytes.
  package let byteCount: Int
  /// Number of source bytes up to the end of the last element; 0 if there are no elements.
  package let reach: Int
  /// Byte offset of the first element in the source.
  package let start: Int
  /// Outermost first, with adjacent axes merged where possible; the last one steps through bytes.
  let axes: [Axis]

  /// One direction of stepping, in bytes.
  package struct Axis: Hashable, Sendable {
    var count: Int
    /// From one step to the next in the source.
    var stride: Int
    /// From one step to the next in the tensor.
    var span: Int

    /// An axis of `count` steps, all at the same distances.
    package init(count: Int, stride: Int, span: Int) {
      self.count = count
      self.stride = stride
      self.span = span
    }
  }

  /// Largest number of dimensions, as in PyTorch.
  package static let maxRank = 64
  /// Most bytes of the source that are held at a time.
  static let windowSize = 1 << 18
  /// Gaps up to this many bytes are read and dropped, which costs less than another read.
  static let smallGap = 4096

  /// Describes the tensor of `info` whose element at index `i` lies `offset + Σ i·strides` elements
  /// into the source; strides may be 0 but not negative.
  ///
  /// - Throws: ``CheckpointError`` `malformed` when the numbers contradict each other or overflow.
  package init(_ info: TensorInfo, strides: [Int], offset: Int = 0) throws(CheckpointError) {
    guard info.shape.count == strides.count else {
      throw CheckpointError(
        .malformed,
        "expected one stride per dimension of shape \(info.shape), found \(strides.count)")
    }
    guard strides.count <= Self.maxRank else {
      throw CheckpointError(
        .malformed, "expected at most \(Self.maxRank) dimensions, found \(strides.count)")
    }
    if let negative = (strides + [offset]).first(where: { $0 < 0 }) {
      throw CheckpointError(
        .malformed,
        "expected non-negative strides and offset for shape \(info.shape), found \(negative)")
    }
    byteCount = info.byteCount
    guard info.dtype.isComputable else {
      // Blocks of several elements cannot be taken apart.
      guard strides == info.shape.contiguousStrides else {
        throw CheckpointError(
          .unsupported, "\(info.dtype.rawValue) stores elements in blocks, which cannot be divided")
      }
      let (perBlock, blockBytes) = info.dtype.block
      guard offset % perBlock == 0 else {
        throw CheckpointError(.malformed, "offset \(offset) is in the middle of a block")
      }
      start = try Self.product(offset / perBlock, blockBytes)
      axes = [Axis(count: byteCount, stride: 1, span: 1)]
      reach = byteCount == 0 ? 0 : try Self.sum(start, byteCount)
      return
    }
    let width = info.dtype.byteWidth
    start = try Self.product(offset, width)
    // From the innermost dimension out: one that continues the axis inside it, because its stride is
    // that axis's whole length, lengthens it, so that long runs are one axis.
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

  /// A layout of these axes that begins at the source's first byte.
  init(axes: [Axis], byteCount: Int) {
    self.axes = axes
    self.byteCount = byteCount
    start = 0
    reach = axes.reduce(1) { $0 + ($1.count - 1) * $1.stride }
  }

  /// Whether elements follow each other in the tensor as they do in the source.
  var isInOrder: Bool { zip(axes, axes.dropFirst()).allSatisfy { $0.stride >= $1.stride } }

  /// The tensor's bytes in the source, if they are contiguous and in order there.
  package var contiguousRange: Range<Int>? {
    if byteCount == 0 { return start..<start }
    return axes.count == 1 && axes[0].stride == 1 ? start..<start + byteCount : nil
  }

  /// Reads bytes `range` of the tensor into `target`, which must have exactly that size.
  ///
  /// - Throws: what `source` throws.
  package func read(
    _ range: Range<Int>, into target: inout MutableRawSpan, from source: Source
  ) throws {
    try forEachBox(of: range, into: &target) { box, start, part in
      var gather = StridedGather(box)
      try gather.read(at: start, into: &part, from: source)
    }
  }

  /// Copies bytes `range` of the tensor out of a source in memory into `target`, which must have
  /// exactly that size.
  func copy(_ range: Range<Int>, of source: RawSpan, into target: inout MutableRawSpan) {
    forEachBox(of: range, into: &target) { box, start, part in
      StridedCopy.copy(source.extracting(start...), to: &part, box: box)
    }
  }

  /// Divides a range into boxes of whole steps, and passes each on with the offset of its first byte
  /// in the source and its part of `target`.
  private func forEachBox<Failure: Error>(
    of range: Range<Int>, into target: inout MutableRawSpan,
    _ body: (_ box: [Axis], _ start: Int, _ part: inout MutableRawSpan) throws(Failure) -> Void
  ) throws(Failure) {
    precondition(range.lowerBound >= 0 && range.upperBound <= byteCount, "range outside tensor")
    precondition(target.byteCount == range.count, "span of another size than the range")
    var position = range.lowerBound
    while position < range.upperBound {
      let box = box(at: position, within: range.upperBound)
      let count = box.axes[0].count * box.axes[0].span
      let offset = position - range.lowerBound
      var part = target._mutatingExtracting(offset..<offset + count)
      try body(box.axes, box.start, &part)
      position += count
    }
  }

  /// The largest box of whole steps that begins at byte `position` of the tensor and ends by `end`.
  func box(at position: Int, within end: Int) -> (axes: [Axis], start: Int) {
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
    if overflow { throw CheckpointError(.malformed, "overflow: position \(left) times \(right)") }
    return product
  }

  private static func sum(_ left: Int, _ right: Int) throws(CheckpointError) -> Int {
    let (sum, overflow) = left.addingReportingOverflow(right)
    if overflow { throw CheckpointError(.malformed, "overflow: position \(left) plus \(right)") }
    return sum
  }
}
