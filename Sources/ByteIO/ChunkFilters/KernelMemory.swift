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
