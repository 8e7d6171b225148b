import TensorCore

/// How a view is divided into bands: steps along one axis, with everything inside them.
struct BandPlan {
  /// Most bytes that are kept of the source for one band, where its pieces are worth a read, and
  /// where they are not.
  static let (usualBytes, maxBytes) = (16 << 20, 32 << 20)
  /// Reads of at least this many bytes cost little beyond the transfer itself.
  private static let goodPiece = 2048

  private let layout: StridedLayout
  /// The axis along which bands follow each other, and how many of its steps make one.
  private let axis: Int
  private let steps: Int

  /// Divides a view into bands that are no larger than useful.
  init(_ layout: StridedLayout) {
    self.init(layout, maxBytes: Self.usualBytes)
    if let piece = band(holding: 0).pieces.last, piece.count < Self.goodPiece {
      self.init(layout, maxBytes: Self.maxBytes)
    }
  }

  /// Divides a view; bands are as large as `maxBytes` allows, and alike in size.
  init(_ layout: StridedLayout, maxBytes: Int) {
    self.layout = layout
    let axes = layout.axes
    func size(_ axis: Int, _ steps: Int) -> Int { Band.size(Self.box(axes, axis, steps)) }
    let axis = axes.indices.first { size($0, 1) <= maxBytes } ?? axes.count - 1
    let count = axes[axis].count
    self.axis = axis
    // All of an axis may take less than most of it, which lies in pieces.
    if size(axis, count) <= maxBytes {
      steps = max(count, 1)
      return
    }
    var (fits, tooMany) = (1, count)
    while tooMany - fits > 1 {
      let middle = fits + (tooMany - fits) / 2
      if size(axis, middle) <= maxBytes { fits = middle } else { tooMany = middle }
    }
    let bands = (count + fits - 1) / fits
    steps = (count + bands - 1) / bands
  }

  /// What is read of the source, when there is one band and it lies in one piece.
  var onlyRead: Range<Int>? {
    guard layout.byteCount > 0 else { return nil }
    let band = band(holding: 0)
    guard band.bytes.count == layout.byteCount, band.isOnePiece else { return nil }
    return band.start..<band.start + band.size
  }

  /// The band with byte `position` of the tensor.
  func band(holding position: Int) -> Band {
    var (start, first, rest) = (layout.start, 0, position)
    for outer in layout.axes[..<axis] {
      let index = rest / outer.span
      start += index * outer.stride
      first += index * outer.span
      rest %= outer.span
    }
    let along = layout.axes[axis]
    let index = rest / along.span / steps * steps
    let count = min(steps, along.count - index)
    start += index * along.stride
    first += index * along.span
    return Band(first, start, Self.box(layout.axes, axis, count))
  }

  private static func box(
    _ axes: [StridedLayout.Axis], _ axis: Int, _ steps: Int
  ) -> [StridedLayout.Axis] {
    var box = Array(axes[axis...])
    box[0].count = steps
    return box
  }
}

/// One band of a view: its bytes of the tensor, and the bytes of the source that it needs.
///
/// Ranges of the source that touch or overlap are one piece. Pieces are kept one after another, in
/// the order of the source.
struct Band {
  /// The bytes of the tensor.
  let bytes: Range<Int>
  /// Offset of the first element in the source.
  let start: Int
  /// Bytes that are kept.
  let size: Int
  /// Where the band's elements lie in what is kept.
  let layout: StridedLayout
  /// The pieces, from the first on: where they are in the source and, as spans, where they are kept.
  let pieces: [StridedLayout.Axis]

  /// Describes the band of the steps of `box` that begins at byte `first` of the tensor.
  init(_ first: Int, _ start: Int, _ box: [StridedLayout.Axis]) {
    let count = box[0].count * box[0].span
    let (kept, pieces, size) = Self.keep(box)
    bytes = first..<first + count
    self.start = start
    self.size = size
    self.pieces = pieces
    layout = StridedLayout(axes: kept, byteCount: count)
  }

  /// Bytes that are kept of a box.
  static func size(_ box: [StridedLayout.Axis]) -> Int { keep(box).size }

  /// Whether all that is kept is one piece of the source.
  var isOnePiece: Bool { pieces.count == 1 }

  /// Reads the pieces; `target` has just their size.
  func read(into target: inout MutableRawSpan, from source: StridedLayout.Source) throws {
    var gather = StridedGather(pieces)
    try gather.read(at: start, into: &target, from: source)
  }

  private static func keep(
    _ box: [StridedLayout.Axis]
  ) -> (kept: [StridedLayout.Axis], pieces: [StridedLayout.Axis], size: Int) {
    var kept = box
    var pieces: [StridedLayout.Axis] = []
    var (extent, size) = (1, 1)
    // From the smallest stride up: as long as an axis steps no further than what is covered
    // already, it extends the piece; from the first larger step on, axes repeat the piece.
    for index in box.indices.sorted(by: { box[$0].stride < box[$1].stride }) {
      let axis = box[index]
      if axis.count == 1 { continue }
      if pieces.isEmpty, axis.stride <= extent {
        extent += (axis.count - 1) * axis.stride
        size = extent
        continue
      }
      if pieces.isEmpty { size = pitch(of: extent) }
      kept[index].stride = size
      pieces.append(
        StridedLayout.Axis(count: axis.count, stride: axis.stride, span: size))
      let (product, overflow) = size.multipliedReportingOverflow(by: axis.count)
      size = overflow ? .max : product
    }
    pieces.append(StridedLayout.Axis(count: extent, stride: 1, span: 1))
    return (kept, pieces, size)
  }

  /// Pieces of some lines of the processor's cache are kept a line apart: at distances of a power of
  /// two they would all want the same places in it.
  private static func pitch(of extent: Int) -> Int {
    extent < 256 ? extent : (extent + 63) / 64 * 64 + 64
  }
}
