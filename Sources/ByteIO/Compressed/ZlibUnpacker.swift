import CZlib
import TensorCore

/// Unpacks gzip members (RFC 1952) or zlib streams (RFC 1950) with the system's zlib, which compares
/// their checksums.
@safe
struct ZlibUnpacker: ~Copyable, StreamUnpacker {
  // zlib keeps the address, so the state must not move.
  private let state: UnsafeMutablePointer<z_stream>
  private(set) var isAtEnd = false

  init(isGzip: Bool) throws(CheckpointError) {
    unsafe state = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    unsafe state.initialize(to: z_stream())
    let size = unsafe Int32(MemoryLayout<z_stream>.size)
    // A window of 2^15 bytes, and 16 for the header and the trailer of gzip.
    let window: Int32 = isGzip ? 15 + 16 : 15
    guard unsafe inflateInit2_(state, window, ZLIB_VERSION, size) == Z_OK else {
      throw CheckpointError(.system, "zlib cannot allocate memory to inflate")
    }
  }

  deinit {
    unsafe inflateEnd(state)
    unsafe state.deallocate()
  }

  mutating func restart() throws(CheckpointError) {
    unsafe inflateReset(state)
    isAtEnd = false
  }

  mutating func unpack(
    _ stream: RawSpan, into target: inout MutableRawSpan
  ) throws(CheckpointError) -> (taken: Int, made: Int) {
    var status = Z_OK
    var spare: UInt8 = 0  // zlib refuses a null pointer even for no bytes
    unsafe stream.withUnsafeBytes { source in
      unsafe target.withUnsafeMutableBytes { sink in
        unsafe withUnsafeMutablePointer(to: &spare) { spare in
          let from = unsafe source.baseAddress?.assumingMemoryBound(to: UInt8.self)
          let to = unsafe sink.baseAddress?.assumingMemoryBound(to: UInt8.self)
          unsafe state.pointee.next_in = UnsafeMutablePointer(
            mutating: from ?? UnsafePointer(spare))
          unsafe state.pointee.avail_in = UInt32(source.count)
          unsafe state.pointee.next_out = to ?? spare
          unsafe state.pointee.avail_out = UInt32(sink.count)
          status = unsafe CZlib.inflate(state, Z_NO_FLUSH)
        }
      }
    }
    switch status {
    case Z_OK, Z_BUF_ERROR: break
    case Z_STREAM_END: isAtEnd = true
    default:
      let reason = unsafe state.pointee.msg.map { unsafe String(cString: $0) }
      throw CheckpointError(
        .malformed, "the stream is damaged: \(reason ?? "zlib status \(status)")")
    }
    return (
      stream.byteCount - Int(unsafe state.pointee.avail_in),
      target.byteCount - Int(unsafe state.pointee.avail_out)
    )
  }
}
