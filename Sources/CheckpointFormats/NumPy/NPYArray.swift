import ByteIO
import Strided
import TensorCore

/// The elements of a stored array in row-major order and little-endian.
struct NPYArray: Sendable {
  /// Reads stored bytes after the header.
  typealias Source =
    @Sendable (_ offset: Int, _ target: inout MutableRawSpan) throws -> Void

  private let info: TensorInfo
  /// The layout of the stored elements, if they are not in row-major order.
  private let view: StridedView?
  private let materialize: @Sendable () throws -> Void
  /// Bytes of a word whose most significant byte comes first; 1 if there is none.
  private let swappedWidth: Int
  private let source: Source

  /// Describes the array after a header, whose bytes `source` reads; `materialize` makes reading in any
  /// order cheap.
  init(
    _ header: NPYHeader, materialize: @escaping @Sendable () throws -> Void = {},
    source: @escaping Source
  ) throws(CheckpointError) {
    info = header.info
    self.materialize = materialize
    self.source = source
    if header.isFortranOrder, info.shape.count > 1, info.elementCount > 0 {
      let shape = header.info.shape
      // Column-major: the first index is the fastest, so a step along a dimension passes all before
      // it.
      let strides = shape.indices.map { shape.product(along: ..<$0) }
      view = StridedView(try StridedLayout(info, strides: strides))
    } else {
      view = nil
    }
    swappedWidth = header.isBigEndian ? info.dtype.element.wordWidth : 1
  }

  /// The array as a tensor.
  func entry(named name: TensorName) -> Checkpoint.Entry {
    Checkpoint.Entry(name: name, info: info) { try read($0, into: &$1) }.swapped(swappedWidth)
  }

  private func read(_ range: Range<Int>, into target: inout MutableRawSpan) throws {
    guard let view else {
      try source(range.lowerBound, &target)
      return
    }
    // Bands are read in another order than they are stored; a deflate stream would start over for
    // each.
    if view.onlyRead == nil { try materialize() }
    try view.read(range, into: &target, from: source)
  }
}
