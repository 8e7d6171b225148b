import CZlib
import TensorCore

extension UnsafeMutablePointer<z_stream> {
  /// Lets a function of zlib work until `source` or `target` is exhausted; both must have less than
  /// 4 GiB.
  ///
  /// - Returns: zlib's status, and the numbers of bytes consumed and produced.
  func run(
    _ source: RawSpan, into target: inout MutableRawSpan, _ work: (Self) -> Int32
  ) -> (status: Int32, taken: Int, made: Int) {
    var status = Z_OK
    var spare: UInt8 = 0  // zlib refuses a null pointer even for no bytes
    unsafe source.withUnsafeBytes { source in
      unsafe target.withUnsafeMutableBytes { sink in
        unsafe withUnsafeMutablePointer(to: &spare) { spare in
          let from = unsafe source.baseAddress?.assumingMemoryBound(to: UInt8.self)
          let to = unsafe sink.baseAddress?.assumingMemoryBound(to: UInt8.self)
          unsafe pointee.next_in = UnsafeMutablePointer<UInt8>(
            mutating: from ?? UnsafePointer<UInt8>(spare))
          unsafe pointee.avail_in = UInt32(source.count)
          unsafe pointee.next_out = to ?? spare
          unsafe pointee.avail_out = UInt32(sink.count)
          status = unsafe work(self)
        }
      }
    }
    return (
      status, source.byteCount - Int(unsafe pointee.avail_in),
      target.byteCount - Int(unsafe pointee.avail_out)
    )
  }
}
