import CKernels

/// The filter `delta`: each word minus that of another tensor, with wraparound, in zigzag form.
///
/// In that form, differences close to 0 are small numbers: 0, -1, 1, -2 … become 0, 1, 2, 3 …
package enum WordDeltas {
  /// Writes the differences; `base` has the same size as `words`, and `target` room for as much.
  package static func encode(
    _ words: RawSpan, base: RawSpan, width: Int, into target: inout MutableRawSpan
  ) {
    check(words.byteCount, base.byteCount, width)
    precondition(target.byteCount >= words.byteCount, "\(words.byteCount) bytes are needed")
    unsafe words.withUnsafeBytes { words in
      unsafe base.withUnsafeBytes { base in
        unsafe target.withUnsafeMutableBytes { target in
          unsafe ckpt_deltas_encode(
            words.baseAddress, base.baseAddress, target.baseAddress, words.count / width, width)
        }
      }
    }
  }

  /// Replaces differences by words, the inverse of ``encode(_:base:width:into:)``.
  package static func decode(_ words: inout MutableRawSpan, base: RawSpan, width: Int) {
    check(words.byteCount, base.byteCount, width)
    unsafe words.withUnsafeMutableBytes { words in
      unsafe base.withUnsafeBytes { base in
        unsafe ckpt_deltas_decode(
          words.baseAddress, base.baseAddress, words.count / width, width)
      }
    }
  }

  private static func check(_ words: Int, _ base: Int, _ width: Int) {
    precondition(
      Planes.widths.contains(width) && words % width == 0 && words == base,
      "\(words) bytes of \(width)-byte words with a base of \(base)")
  }
}
