/// Addresses as the kernels expect them.
extension UnsafeRawBufferPointer {
  /// The first byte's address; `nil` if there is none.
  var firstByte: UnsafePointer<UInt8>? { unsafe baseAddress?.assumingMemoryBound(to: UInt8.self) }
}

extension UnsafeMutableRawBufferPointer {
  /// The first byte's address; `nil` if there is none.
  var firstByte: UnsafeMutablePointer<UInt8>? {
    unsafe baseAddress?.assumingMemoryBound(to: UInt8.self)
  }
}

/// The number of words of `width` bytes, which must be one of `widths`, in this many bytes.
func wordCount(_ byteCount: Int, _ width: Int, of widths: [Int]) -> Int {
  precondition(
    widths.contains(width) && byteCount % width == 0,
    "expected words of \(widths) bytes, found \(byteCount) bytes and width \(width)")
  return byteCount / width
}
