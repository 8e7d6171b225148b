import ParallelWork
package import TensorCore

/// Puts the elements of a tensor where they go in other bytes of which the tensor is a view: the
/// inverse of ``StridedView``.
package struct StridedScatter: Sendable {
  /// The bytes from the first element to the end of the last one.
  package let extent: Range<Int>
  /// The tensor's bytes in the order in which they go into the extent, of an expanded tensor once.
  package let ordered: Checkpoint.Entry
  /// Whether several of the tensor's elements share bytes.
  package let isExpanded: Bool
  /// Where ``ordered`` goes in the extent.
  private let layout: StridedLayout

  /// Whether some bytes of the extent hold no element.
  package var hasGaps: Bool { ordered.info.byteCount < extent.count }

  /// Memory for elements on their way.
  private static let pool = Pool(capacity: 16) { ChunkBuffer() }

  /// Describes where a tensor goes, which must have the size of the layout and at least one byte.
  ///
  /// - Throws: ``CheckpointError`` `unsupported` when elements overlap in a way other than by strides
  ///   of 0.
  package init(_ entry: Checkpoint.Entry, _ layout: StridedLayout) throws(CheckpointError) {
    precondition(entry.info.byteCount == layout.byteCount && layout.byteCount > 0, "another size")
    let steps = layout.axes.filter { $0.count > 1 }
    isExpanded = steps.contains { $0.stride == 0 }
    // In the order of their strides, no axis may step into the reach of those inside it: then no two
    // elements share bytes. `targets` step through the extent, `sources` through the tensor's bytes.
    let axes = steps.filter { $0.stride > 0 }.sorted { $0.stride > $1.stride }
    var (reach, span) = (1, 1)
    var (targets, sources): ([StridedLayout.Axis], [StridedLayout.Axis]) = ([], [])
    for axis in axes.reversed() {
      guard axis.stride >= reach else {
        throw CheckpointError(
          .unsupported, "is a view whose elements overlap, so that it cannot be filled",
          tensor: entry.name.text)
      }
      reach += (axis.count - 1) * axis.stride
      targets.insert(.init(count: axis.count, stride: axis.stride, span: span), at: 0)
      sources.insert(.init(count: axis.count, stride: axis.span, span: span), at: 0)
      span *= axis.count
    }
    extent = layout.start..<layout.start + reach
    self.layout = StridedLayout(axes: Self.merged(targets), byteCount: span)
    let source = StridedLayout(axes: Self.merged(sources), byteCount: span)
    if source.byteCount == entry.info.byteCount, source.contiguousRange != nil {
      ordered = entry
      return
    }
    ordered = Checkpoint.Entry(
      entry.name, try TensorInfo(dtype: .uint8, shape: [span]), gathering: StridedView(source),
      from: entry)
  }

  /// The axes with neighbors merged where they are one, and the last of them stepping by bytes.
  private static func merged(_ axes: [StridedLayout.Axis]) -> [StridedLayout.Axis] {
    var merged: [StridedLayout.Axis] = []
    for axis in axes {
      if let last = merged.last, last.stride == axis.stride * axis.count {
        merged[merged.count - 1] = .init(
          count: last.count * axis.count, stride: axis.stride, span: axis.span)
      } else {
        merged.append(axis)
      }
    }
    return merged.isEmpty ? [.init(count: 1, stride: 1, span: 1)] : merged
  }

  /// Puts elements into `bytes`, which are those of the target from `offset` on; bytes between
  /// elements and outside the extent stay as they are.
  package func put(into bytes: inout MutableRawSpan, at offset: Int) throws {
    let start = offset - extent.lowerBound
    let range = rank(of: start)..<rank(of: start + bytes.byteCount)
    if range.isEmpty { return }
    let memory = Self.pool.acquire()
    defer { Self.pool.release(memory) }
    let unit = ChunkBuffer.standardSize
    for first in stride(from: range.lowerBound, to: range.upperBound, by: unit) {
      let part = first..<min(first + unit, range.upperBound)
      try memory.value.fill(part.count) { target in try ordered.read(part, into: &target) }
      memory.value.lend(part.count) { elements in
        scatter(elements, from: part, into: &bytes, at: start)
      }
    }
  }

  /// Number of bytes of the tensor that go before byte `position` of the extent.
  private func rank(of position: Int) -> Int {
    var (rest, rank) = (position, 0)
    for axis in layout.axes.dropLast() where rest > 0 {
      let steps = min(rest / axis.stride, axis.count - 1)
      rank += steps * axis.span
      rest -= steps * axis.stride
    }
    guard rest > 0, let last = layout.axes.last else { return rank }
    return rank + min((rest + last.stride - 1) / last.stride, last.count)
  }

  private func scatter(
    _ elements: RawSpan, from range: Range<Int>, into target: inout MutableRawSpan, at start: Int
  ) {
    var position = range.lowerBound
    while position < range.upperBound {
      let box = layout.box(at: position, within: range.upperBound)
      let count = box.axes[0].count * box.axes[0].span
      let isRun = box.axes.last.map { $0.stride == 1 } ?? false
      let axes = isRun ? box.axes.dropLast() : box.axes[...]
      StridedCopy.copy(
        elements.extracting(position - range.lowerBound..<position - range.lowerBound + count),
        to: &target, at: box.start - start, run: isRun ? box.axes[box.axes.count - 1].count : 1,
        axes: axes.filter { $0.count > 1 }.map {
          .init(count: $0.count, stride: $0.span, span: $0.stride)
        })
      position += count
    }
  }
}
