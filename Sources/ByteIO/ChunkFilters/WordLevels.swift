import CKernels

/// The filter `levels`: a 16-bit number per row and per column of a matrix, subtracted from the upper
/// 16 bits of its words.
///
/// The upper bits of a float that is rotated left by one bit are its exponent and the first bits of
/// its mantissa, so that levels are logarithms of scales.
package enum WordLevels {
  /// Word sizes in bytes.
  package static let widths = [2, 4]

  /// Sums of the upper 16 bits of rotated words, and how many were summed, per row and per column.
  package struct Sums: Sendable {
    package private(set) var rowSums: [UInt32] = []
    package private(set) var rowCounts: [UInt32] = []
    package private(set) var columnSums: [UInt32] = []
    package private(set) var columnCounts: [UInt32] = []

    package init() {}

    /// Replaces the sums by those of `words`, in rows of `columns` words, the last perhaps shorter.
    ///
    /// Words that are 0 apart from their sign are left out, and signs count as 0. The sums are modulo
    /// 2^32, which those of a column with more than 65,537 rows may exceed.
    package mutating func add(_ words: RawSpan, width: Int, columns: Int) {
      let count = wordCount(words.byteCount, width, of: widths)
      precondition(columns > 0, "rows without columns")
      let rows = (count + columns - 1) / columns
      resize(&rowSums, rows)
      resize(&rowCounts, rows)
      resize(&columnSums, columns)
      resize(&columnCounts, columns)
      unsafe words.withUnsafeBytes { words in
        unsafe ckpt_levels_sums(
          words.baseAddress, count, width, columns, &rowSums, &rowCounts, &columnSums,
          &columnCounts)
      }
    }

    private func resize(_ sums: inout [UInt32], _ count: Int) {
      if sums.count != count { sums = Array(repeating: 0, count: count) }
    }
  }

  /// Rotates each word left by one bit and subtracts the sum of its two levels, with wraparound.
  ///
  /// `rows` has a number for each row of `columns.count` words, and `target` has room for all words.
  package static func subtract(
    _ words: RawSpan, width: Int, rows: [UInt16], columns: [UInt16],
    into target: inout MutableRawSpan
  ) {
    let count = wordCount(words.byteCount, width, of: widths)
    check(count, rows, columns)
    precondition(target.byteCount >= words.byteCount, "\(words.byteCount) bytes are needed")
    unsafe words.withUnsafeBytes { words in
      unsafe target.withUnsafeMutableBytes { target in
        unsafe withLevels(rows, columns) { levels in
          unsafe ckpt_levels_subtract(words.baseAddress, target.baseAddress, count, width, levels)
        }
      }
    }
  }

  /// Adds the levels of all words in place and rotates back, the inverse of
  /// ``subtract(_:width:rows:columns:into:)``.
  package static func add(
    _ words: inout MutableRawSpan, width: Int, rows: [UInt16], columns: [UInt16]
  ) {
    let count = wordCount(words.byteCount, width, of: widths)
    check(count, rows, columns)
    unsafe words.withUnsafeMutableBytes { words in
      unsafe withLevels(rows, columns) { levels in
        unsafe ckpt_levels_add(words.baseAddress, nil, count, width, levels)
      }
    }
  }

  /// Adds the levels of those of `m` words that are at the ones of `mask`, in place, and rotates back.
  ///
  /// `dense` must have just these words.
  package static func add(
    _ dense: inout MutableRawSpan, mask: RawSpan, of m: Int, width: Int, rows: [UInt16],
    columns: [UInt16]
  ) {
    let present = wordCount(dense.byteCount, width, of: widths)
    check(m, rows, columns)
    precondition(
      SparseWords.count(mask, of: m) == present, "a mask with another number of ones than words")
    if present == 0 { return }
    unsafe dense.withUnsafeMutableBytes { dense in
      unsafe mask.withUnsafeBytes { mask in
        unsafe withLevels(rows, columns) { levels in
          unsafe ckpt_levels_add(dense.baseAddress, mask.firstByte, m, width, levels)
        }
      }
    }
  }

  private static func check(_ count: Int, _ rows: [UInt16], _ columns: [UInt16]) {
    precondition(
      !columns.isEmpty && rows.count == (count + columns.count - 1) / columns.count,
      "\(rows.count) rows of \(columns.count) columns for \(count) words")
  }

  private static func withLevels(
    _ rows: [UInt16], _ columns: [UInt16], _ body: (UnsafePointer<ckpt_levels>) -> Void
  ) {
    unsafe rows.withUnsafeBufferPointer { rows in
      unsafe columns.withUnsafeBufferPointer { columns in
        var levels = unsafe ckpt_levels(
          rows: rows.baseAddress, columns: columns.baseAddress, width: columns.count)
        unsafe withUnsafePointer(to: &levels, body)
      }
    }
  }
}
