import CKernels

/// The filter `planes` for block types: all first bytes of blocks, then all second bytes, etc.
package enum BlockPlanes {
  /// Sizes of blocks in bytes.
  package static let sizes = 1...512

  /// Divides blocks of `size` bytes into planes; `target` has just as many bytes.
  package static func split(_ blocks: RawSpan, size: Int, into target: inout MutableRawSpan) {
    transpose(blocks, rows: check(blocks.byteCount, size), columns: size, into: &target)
  }

  /// Joins planes into blocks, the inverse of ``split(_:size:into:)``.
  package static func merge(_ planes: RawSpan, size: Int, into target: inout MutableRawSpan) {
    transpose(planes, rows: size, columns: check(planes.byteCount, size), into: &target)
  }

  private static func check(_ byteCount: Int, _ size: Int) -> Int {
    precondition(
      sizes.contains(size) && byteCount % size == 0, "\(byteCount) bytes in blocks of \(size)")
    return byteCount / size
  }

  private static func transpose(
    _ source: RawSpan, rows: Int, columns: Int, into target: inout MutableRawSpan
  ) {
    precondition(source.byteCount == target.byteCount, "two buffers of different sizes")
    if source.isEmpty { return }
    unsafe source.withUnsafeBytes { source in
      unsafe target.withUnsafeMutableBytes { target in
        unsafe ckpt_bytes_transpose(source.firstByte, target.firstByte, rows, columns)
      }
    }
  }
}
