import CKernels

/// The filter `planes` for block types: all first bytes of blocks, then all second bytes, etc.
///
/// A chunk need not end with a whole block: what is left follows the planes unchanged.
package enum BlockPlanes {
  /// Sizes of blocks in bytes.
  package static let sizes = 1...512

  /// Divides blocks of `size` bytes into planes; `target` has just as many bytes.
  package static func split(_ blocks: RawSpan, size: Int, into target: inout MutableRawSpan) {
    transpose(blocks, size: size, into: &target) { ($0, size) }
  }

  /// Joins planes into blocks, the inverse of ``split(_:size:into:)``.
  package static func merge(_ planes: RawSpan, size: Int, into target: inout MutableRawSpan) {
    transpose(planes, size: size, into: &target) { (size, $0) }
  }

  private static func transpose(
    _ source: RawSpan, size: Int, into target: inout MutableRawSpan,
    shape: (_ blocks: Int) -> (rows: Int, columns: Int)
  ) {
    precondition(
      sizes.contains(size) && source.byteCount == target.byteCount,
      "\(source.byteCount) bytes in blocks of \(size) into \(target.byteCount) bytes")
    if source.isEmpty { return }
    let count = source.byteCount / size
    let shape = shape(count)
    unsafe source.withUnsafeBytes { source in
      unsafe target.withUnsafeMutableBytes { target in
        unsafe ckpt_bytes_transpose(
          source.firstByte, target.firstByte, shape.rows, shape.columns)
        let rest = count * size..<source.count
        unsafe UnsafeMutableRawBufferPointer(rebasing: target[rest])
          .copyMemory(from: UnsafeRawBufferPointer(rebasing: source[rest]))
      }
    }
  }
}
