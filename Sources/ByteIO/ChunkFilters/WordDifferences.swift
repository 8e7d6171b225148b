import CKernels

/// The filter `differences`, before its planes: each word minus the one before it, with wraparound.
package enum WordDifferences {
  /// Writes the first word and the differences; `target` has room for all.
  package static func encode(_ words: RawSpan, width: Int, into target: inout MutableRawSpan) {
    precondition(
      Planes.widths.contains(width) && words.byteCount % width == 0
        && target.byteCount >= words.byteCount,
      "\(words.byteCount) bytes of \(width)-byte words into \(target.byteCount)")
    unsafe words.withUnsafeBytes { words in
      unsafe target.withUnsafeMutableBytes { target in
        unsafe ckpt_differences_encode(
          words.baseAddress, target.baseAddress, words.count / width, width)
      }
    }
  }

  /// Replaces differences by their running sum, the inverse of ``encode(_:width:into:)``.
  package static func decode(_ words: inout MutableRawSpan, width: Int) {
    precondition(
      Planes.widths.contains(width) && words.byteCount % width == 0,
      "\(words.byteCount) bytes of \(width)-byte words")
    unsafe words.withUnsafeMutableBytes { words in
      unsafe ckpt_differences_decode(words.baseAddress, words.count / width, width)
    }
  }
}
