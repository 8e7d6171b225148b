/// Copies runs of bytes that lie at regular distances to places at other regular distances.
enum StridedCopy {
  /// Copies `run` bytes for every combination of steps along `axes`, whose strides are distances in
  /// `source` and whose spans are distances in `target`, there from byte `place` on.
  static func copy(
    _ source: RawSpan, to target: inout MutableRawSpan, at place: Int, run: Int,
    axes: [StridedLayout.Axis]
  ) {
    let reach = axes.reduce((source: run, target: place + run)) {
      ($0.source + ($1.count - 1) * $1.stride, $0.target + ($1.count - 1) * $1.span)
    }
    precondition(reach.source <= source.byteCount, "steps lead out of the source")
    precondition(reach.target <= target.byteCount, "steps lead out of the target")
    // The axis with the shortest way in the target is walked innermost: writes then go forward.
    var axes = axes
    axes.sort { $0.span > $1.span }
    guard let inner = axes.popLast() else { return }
    unsafe source.withUnsafeBytes { source in
      unsafe target.withUnsafeMutableBytes { target in
        guard let from = source.baseAddress, let to = target.baseAddress else { return }
        var indices = [Int](repeating: 0, count: axes.count)
        var (start, end) = (0, place)
        while true {
          unsafe copy(from + start, to: to + end, run: run, axis: inner)
          var axis = axes.count - 1
          while axis >= 0, indices[axis] == axes[axis].count - 1 {
            start -= indices[axis] * axes[axis].stride
            end -= indices[axis] * axes[axis].span
            indices[axis] = 0
            axis -= 1
          }
          if axis < 0 { return }
          indices[axis] += 1
          start += axes[axis].stride
          end += axes[axis].span
        }
      }
    }
  }

  private static func copy(
    _ source: UnsafeRawPointer, to target: UnsafeMutableRawPointer, run: Int,
    axis: StridedLayout.Axis
  ) {
    func words<Word: BitwiseCopyable>(_ type: Word.Type) {
      for step in 0..<axis.count {
        let word = unsafe source.loadUnaligned(fromByteOffset: step * axis.stride, as: type)
        unsafe target.storeBytes(of: word, toByteOffset: step * axis.span, as: type)
      }
    }
    switch run {
    case 1: words(UInt8.self)
    case 2: words(UInt16.self)
    case 4: words(UInt32.self)
    case 8: words(UInt64.self)
    default:
      for step in 0..<axis.count {
        unsafe (target + step * axis.span).copyMemory(
          from: source + step * axis.stride, byteCount: run)
      }
    }
  }
}
