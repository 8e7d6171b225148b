import TensorCore

/// Copies runs of bytes from regular distances in one buffer to regular distances in another.
package enum StridedCopy {
  private typealias Axis = StridedLayout.Axis

  /// Side, in elements, of the squares in which a matrix is transposed: that many lines of source and
  /// target fit in the L1 cache, even at distances of a power of two.
  private static let side = 8

  /// Copies a box of a layout whose first byte is the source's; `target` has just its size.
  static func copy(_ source: RawSpan, to target: inout MutableRawSpan, box: [StridedLayout.Axis]) {
    let isRun = box.last.map { $0.stride == 1 && $0.span == 1 } ?? false
    copy(
      source, to: &target, at: 0, run: isRun ? box[box.count - 1].count : 1,
      axes: (isRun ? box.dropLast() : box[...]).filter { $0.count > 1 })
  }

  /// Copies `run` bytes for every combination of steps along `axes`, whose strides are distances in
  /// `source` and whose spans are distances in `target`, there from byte `targetOffset` on.
  package static func copy(
    _ source: RawSpan, to target: inout MutableRawSpan, at targetOffset: Int, run: Int,
    axes: [StridedLayout.Axis]
  ) {
    let reach = axes.reduce((source: run, target: targetOffset + run)) {
      ($0.source + ($1.count - 1) * $1.stride, $0.target + ($1.count - 1) * $1.span)
    }
    precondition(reach.source <= source.byteCount, "steps lead out of the source")
    precondition(reach.target <= target.byteCount, "steps lead out of the target")
    // The axes with the shortest ways in the target and in the source make the inner plane: writes
    // go forward, and what is read together is used together.
    var axes = axes
    axes.sort { $0.span > $1.span }
    let row = axes.popLast() ?? Axis(count: 1, stride: 0, span: 0)
    var column = Axis(count: 1, stride: 0, span: 0)
    if let index = axes.indices.min(by: { axes[$0].stride < axes[$1].stride }) {
      column = axes.remove(at: index)
    }
    unsafe source.withUnsafeBytes { source in
      unsafe target.withUnsafeMutableBytes { target in
        guard let from = source.baseAddress, let to = target.baseAddress else { return }
        var offset = Odometer(axes, source: 0, target: targetOffset)
        repeat {
          unsafe copy(from + offset.source, to: to + offset.target, run: run, row, column)
        } while offset.advance()
      }
    }
  }

  private static func copy(
    _ source: UnsafeRawPointer, to target: UnsafeMutableRawPointer, run: Int, _ row: Axis,
    _ column: Axis
  ) {
    switch run {
    case 1: unsafe words(UInt8.self, source, target, row, column)
    case 2: unsafe words(UInt16.self, source, target, row, column)
    case 4: unsafe words(UInt32.self, source, target, row, column)
    case 8: unsafe words(UInt64.self, source, target, row, column)
    case 16: unsafe words(SIMD2<UInt64>.self, source, target, row, column)
    default:
      for line in 0..<column.count {
        let (from, to) = unsafe (source + line * column.stride, target + line * column.span)
        for step in 0..<row.count {
          unsafe (to + step * row.span).copyMemory(from: from + step * row.stride, byteCount: run)
        }
      }
    }
  }

  private static func words<Word: BitwiseCopyable>(
    _ type: Word.Type, _ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, _ row: Axis,
    _ column: Axis
  ) {
    // Without a second axis, or where rows follow each other in the source, lines are copied whole.
    let width = row.stride <= column.stride ? row.count : side
    for firstLine in stride(from: 0, to: column.count, by: side) {
      let lines = firstLine..<min(firstLine + side, column.count)
      for firstStep in stride(from: 0, to: row.count, by: max(width, 1)) {
        let steps = firstStep..<min(firstStep + width, row.count)
        for line in lines {
          let (from, to) = unsafe (source + line * column.stride, target + line * column.span)
          for step in steps {
            let word = unsafe from.loadUnaligned(fromByteOffset: step * row.stride, as: type)
            unsafe to.storeBytes(of: word, toByteOffset: step * row.span, as: type)
          }
        }
      }
    }
  }
}
