import CKernels

/// The lower half of the filter `bits`: bytes as eight planes of bits.
package enum BitPlanes {
  /// Divides `m` bytes into eight planes of ⌈m/8⌉ bytes, lowest bits first; unused bits are 0.
  ///
  /// `target` has room for all planes.
  package static func split(_ plane: RawSpan, into target: inout MutableRawSpan) {
    let count = plane.byteCount
    precondition(
      target.byteCount / 8 >= (count + 7) / 8, "planes of \(count) bytes in \(target.byteCount)")
    if count == 0 { return }
    unsafe plane.withUnsafeBytes { plane in
      unsafe target.withUnsafeMutableBytes { target in
        unsafe ckpt_bits_split(plane.firstByte, target.firstByte, count)
      }
    }
  }

  /// Joins eight planes, the inverse of ``split(_:into:)``; unused bits are ignored.
  package static func merge(_ planes: RawSpan, into plane: inout MutableRawSpan) {
    let count = plane.byteCount
    precondition(
      planes.byteCount % 8 == 0 && planes.byteCount / 8 == (count + 7) / 8,
      "planes of \(planes.byteCount) bytes for \(count) bytes")
    if count == 0 { return }
    unsafe planes.withUnsafeBytes { planes in
      unsafe plane.withUnsafeMutableBytes { plane in
        unsafe ckpt_bits_merge(planes.firstByte, plane.firstByte, count)
      }
    }
  }
}
