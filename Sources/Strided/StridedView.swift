import ParallelWork
package import TensorCore

/// A tensor that is a view of other bytes, read by range from any number of tasks.
///
/// Where elements are in the same order as in the source, they are read on demand. Otherwise, as in a
/// transposed matrix, consecutive elements are scattered over the whole source: then whole bands are
/// read, large enough that each piece of the source is worth a read, and kept for a while. In total,
/// the source is read about once, in bounded memory.
package final class StridedView: Sendable {
  private let layout: StridedLayout
  private let bands: BandPlan?
  private let kept = BlockCache(capacity: 2 * BandPlan.maxBytes)

  /// Memory for small bands, which are used whole and not kept.
  private static let pool = Pool(capacity: 16) { ChunkBuffer() }

  /// A view of the elements that `layout` describes.
  package convenience init(_ layout: StridedLayout) {
    self.init(layout, layout.isInOrder ? nil : BandPlan(layout))
  }

  /// A view whose bands have at most `limit` bytes.
  package convenience init(_ layout: StridedLayout, bandSize: Int) {
    self.init(layout, layout.isInOrder ? nil : BandPlan(layout, maxBytes: bandSize))
  }

  private init(_ layout: StridedLayout, _ bands: BandPlan?) {
    self.layout = layout
    self.bands = bands
  }

  /// Preferred read size in bytes: with it, parallel tasks do not alternate between bands.
  package static let preferredReadSize = 8 << 20

  /// The bytes of the source that are read if every range of the view reads all of them at once.
  package var onlyRead: Range<Int>? { bands?.onlyRead }

  /// Reads bytes `range` of the tensor into `target`, which must have exactly that size.
  ///
  /// - Throws: what `source` throws.
  package func read(
    _ range: Range<Int>, into target: inout MutableRawSpan, from source: StridedLayout.Source
  ) throws {
    guard let bands else { return try layout.read(range, into: &target, from: source) }
    precondition(range.lowerBound >= 0 && range.upperBound <= layout.byteCount, "outside tensor")
    precondition(target.byteCount == range.count, "span of another size than the range")
    var position = range.lowerBound
    while position < range.upperBound {
      let band = bands.band(holding: position)
      let end = min(range.upperBound, band.bytes.upperBound)
      let wanted = position - band.bytes.lowerBound..<end - band.bytes.lowerBound
      let offset = position - range.lowerBound
      var part = target._mutatingExtracting(offset..<offset + wanted.count)
      try read(wanted, of: band, into: &part, from: source)
      position = end
    }
  }

  private func read(
    _ range: Range<Int>, of band: Band, into target: inout MutableRawSpan,
    from source: StridedLayout.Source
  ) throws {
    if range.count == band.bytes.count, band.size <= ChunkBuffer.standardSize {
      let memory = Self.pool.acquire()
      defer { Self.pool.release(memory) }
      try memory.value.fill(band.size) { bytes in try band.read(into: &bytes, from: source) }
      memory.value.lend(band.size) { bytes in band.layout.copy(range, of: bytes, into: &target) }
    } else {
      try kept.read(
        BlockCache.Key(offset: band.bytes.lowerBound), size: band.size,
        madeBy: { bytes in try band.read(into: &bytes, from: source) }
      ) { bytes in band.layout.copy(range, of: bytes, into: &target) }
    }
  }
}

extension Checkpoint.Entry {
  /// The same tensor with its axes in another order: axis `i` of the result is `axes[i]` of this.
  ///
  /// Nothing is read now; a range is gathered when it is read. The result is not an alias and has no
  /// stored digest, unless the order is unchanged.
  /// - Throws: ``CheckpointError`` `mismatched` when `axes` is not a permutation of this tensor's axes.
  package func permuted(_ axes: [Int]) throws(CheckpointError) -> Checkpoint.Entry {
    guard axes.sorted() == Array(info.shape.indices) else {
      throw CheckpointError(
        .mismatched, "expected each axis of shape \(info.shape) once, found axes \(axes)",
        tensor: name.text)
    }
    if axes == Array(info.shape.indices) { return self }
    let strides = info.shape.contiguousStrides
    let permuted = try TensorInfo(dtype: info.dtype, shape: info.shape.permuted(axes))
    let view = StridedView(try StridedLayout(permuted, strides: axes.map { strides[$0] }))
    return Checkpoint.Entry(name, permuted, gathering: view, from: self)
  }

  /// A tensor whose bytes are gathered from another's when they are read.
  package init(
    _ name: TensorName, _ info: TensorInfo, gathering view: StridedView,
    from source: Checkpoint.Entry
  ) {
    self.init(name: name, info: info) { range, target in
      try view.read(range, into: &target) { offset, part in
        try source.read(offset..<offset + part.byteCount, into: &part)
      }
    }
    preferredReadSize = StridedView.preferredReadSize
  }
}
