import CKernels

/// The rotation of floats before their planes, which moves the sign, and of float64 also the upper bits
/// of the exponent, which hardly vary, to the other end of the word.
package enum WordRotation {
  /// By how many bits words of 2, 4, or 8 bytes are rotated left.
  package static func bits(width: Int) -> Int {
    precondition([2, 4, 8].contains(width), "words of \(width) bytes cannot be rotated")
    return width == 8 ? 5 : 1
  }

  /// Writes the words rotated left; `target` has room for all.
  package static func rotate(_ words: RawSpan, width: Int, into target: inout MutableRawSpan) {
    let bits = UInt32(bits(width: width))
    precondition(
      words.byteCount % width == 0 && target.byteCount >= words.byteCount,
      "\(words.byteCount) bytes of \(width)-byte words into \(target.byteCount)")
    unsafe words.withUnsafeBytes { words in
      unsafe target.withUnsafeMutableBytes { target in
        unsafe ckpt_words_rotate(
          words.baseAddress, target.baseAddress, words.count / width, width, bits)
      }
    }
  }

  /// Rotates words right in place, the inverse of ``rotate(_:width:into:)``.
  package static func rotateBack(_ words: inout MutableRawSpan, width: Int) {
    let bits = UInt32(8 * width - bits(width: width))
    precondition(words.byteCount % width == 0, "\(words.byteCount) bytes of \(width)-byte words")
    unsafe words.withUnsafeMutableBytes { words in
      unsafe ckpt_words_rotate(
        words.baseAddress, words.baseAddress, words.count / width, width, bits)
    }
  }
}
