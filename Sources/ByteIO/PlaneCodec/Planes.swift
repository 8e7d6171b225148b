import CKernels
import TensorCore

/// The rearrangement before packing: all first bytes of a chunk's words, then all second bytes, etc.
///
/// A float's sign is noise, but shares a byte with the upper bits of the exponent, which compress.
/// After a rotation to the left by one bit, the last plane holds the upper eight bits of the
/// exponent, and the sign is the lowest bit of the first plane.
package enum Planes {
  /// Word sizes in bytes that have fast kernels and can be rotated.
  package static let widths = [1, 2, 4, 8]

  /// Divides little-endian words of `width` bytes into planes, least significant bytes first.
  ///
  /// `source` and `target` must have the same size, a multiple of `width`.
  package static func split(
    _ source: RawSpan, width: Int, rotated: Bool, into target: inout MutableRawSpan
  ) {
    check(source, width, rotated, target.byteCount)
    if width == 1 { return target.copyBytes(from: source) }
    unsafe source.withUnsafeBytes { words in
      unsafe target.withUnsafeMutableBytes { planes in
        guard let words = words.baseAddress, let first = planes.baseAddress else { return }
        let count = planes.count / width
        let planes: [8 of UnsafeMutablePointer<UInt8>?] = unsafe .init { plane in
          unsafe first.assumingMemoryBound(to: UInt8.self)
            + (plane < min(width, 8) ? plane * count : 0)
        }
        unsafe planes.span.withUnsafeBufferPointer { planes in
          unsafe ckpt_planes_split(words, planes.baseAddress, count, width, rotated ? 1 : 0)
        }
      }
    }
  }

  /// Joins planes into words, the inverse of ``split(_:width:rotated:into:)``.
  package static func merge(
    _ source: RawSpan, width: Int, rotated: Bool, into target: inout MutableRawSpan
  ) {
    check(source, width, rotated, target.byteCount)
    if width == 1 { return target.copyBytes(from: source) }
    unsafe source.withUnsafeBytes { planes in
      unsafe target.withUnsafeMutableBytes { words in
        guard let first = planes.baseAddress, let words = words.baseAddress else { return }
        let count = planes.count / width
        let planes: [8 of UnsafePointer<UInt8>?] = unsafe .init { plane in
          unsafe first.assumingMemoryBound(to: UInt8.self)
            + (plane < min(width, 8) ? plane * count : 0)
        }
        unsafe planes.span.withUnsafeBufferPointer { planes in
          unsafe ckpt_planes_merge(planes.baseAddress, words, count, width, rotated ? 1 : 0)
        }
      }
    }
  }

  private static func check(_ source: RawSpan, _ width: Int, _ rotated: Bool, _ target: Int) {
    precondition(
      widths.contains(width) || !rotated, "words of \(width) bytes cannot be rotated")
    precondition(
      width > 0 && source.byteCount % width == 0 && source.byteCount == target,
      "expected two buffers of equal size, a multiple of \(width), found \(source.byteCount) and"
        + " \(target) bytes")
  }
}
