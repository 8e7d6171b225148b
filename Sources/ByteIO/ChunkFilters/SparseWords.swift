import CKernels

/// The filter `sparse`: zeros of both signs, apart from the other words.
///
/// Bits are packed lowest first, and unused bits of a last byte are 0.
package enum SparseWords {
  /// Word sizes in bytes.
  package static let widths = [2, 4, 8]

  /// Divides `m` words into those that are 0 apart from their highest bit, and the others.
  ///
  /// `mask`, with room for ⌈m/8⌉ bytes, gets one bit for each word, 0 for zeros. `signs`, with room for
  /// ⌈m/8⌉ + 8 bytes, gets the highest bit of each zero, in ⌈(m - k)/8⌉ bytes, and `dense`, with room
  /// for m words, the other words.
  ///
  /// - Returns: k, the number of words in `dense`.
  package static func split(
    _ words: RawSpan, width: Int, mask: inout MutableRawSpan, signs: inout MutableRawSpan,
    dense: inout MutableRawSpan
  ) -> Int {
    let count = wordCount(words.byteCount, width, of: widths)
    let size = (count + 7) / 8
    precondition(
      mask.byteCount >= size && signs.byteCount >= size + 8 && dense.byteCount >= words.byteCount,
      "\(count) words of \(width) bytes into \(mask.byteCount), \(signs.byteCount), and"
        + " \(dense.byteCount) bytes")
    return unsafe words.withUnsafeBytes { words in
      unsafe mask.withUnsafeMutableBytes { mask in
        unsafe signs.withUnsafeMutableBytes { signs in
          unsafe dense.withUnsafeMutableBytes { dense in
            unsafe ckpt_sparse_split(
              words.baseAddress, count, width, mask.firstByte, signs.firstByte, dense.baseAddress)
          }
        }
      }
    }
  }

  /// Writes the words at the ones of `mask` to `dense`, which has room for all, and returns their
  /// number.
  package static func pick(
    _ words: RawSpan, width: Int, mask: RawSpan, into dense: inout MutableRawSpan
  ) -> Int {
    let count = wordCount(words.byteCount, width, of: widths)
    precondition(
      mask.byteCount >= (count + 7) / 8 && dense.byteCount >= words.byteCount,
      "\(count) words of \(width) bytes with \(mask.byteCount) bytes into \(dense.byteCount)")
    return unsafe words.withUnsafeBytes { words in
      unsafe mask.withUnsafeBytes { mask in
        unsafe dense.withUnsafeMutableBytes { dense in
          unsafe ckpt_sparse_pick(
            words.baseAddress, mask.firstByte, count, width, dense.baseAddress)
        }
      }
    }
  }

  /// The ones among the first `m` bits of `mask`.
  package static func count(_ mask: RawSpan, of m: Int) -> Int {
    precondition(m >= 0 && mask.byteCount >= (m + 7) / 8, "\(m) bits of \(mask.byteCount) bytes")
    return unsafe mask.withUnsafeBytes { unsafe ckpt_sparse_count($0.firstByte, m) }
  }

  /// Puts words back together, the inverse of ``split(_:width:mask:signs:dense:)``.
  ///
  /// `signs` must have just the bytes, and `dense` just the words, that follow from ``count(_:of:)``.
  package static func merge(
    mask: RawSpan, signs: RawSpan, dense: RawSpan, width: Int, into words: inout MutableRawSpan
  ) {
    let count = wordCount(words.byteCount, width, of: widths)
    let present = Self.count(mask, of: count)
    precondition(
      signs.byteCount == (count - present + 7) / 8 && dense.byteCount == present * width,
      "\(present) of \(count) words in \(dense.byteCount) bytes, signs in \(signs.byteCount)")
    unsafe mask.withUnsafeBytes { mask in
      unsafe signs.withUnsafeBytes { signs in
        unsafe dense.withUnsafeBytes { dense in
          unsafe words.withUnsafeMutableBytes { words in
            unsafe ckpt_sparse_merge(
              mask.firstByte, signs.firstByte, dense.baseAddress, words.baseAddress, count, width)
          }
        }
      }
    }
  }
}
