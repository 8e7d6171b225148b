import CZlib
package import TensorCore

/// Complete zlib streams (RFC 1950), through the system's zlib, which decides what is valid.
package enum Zlib {
  /// Unpacks one stream, which must fill `target` exactly.
  ///
  /// Allocates no memory for the content: unpacking stops at the end of `target`.
  /// - Throws: ``CheckpointError`` `malformed` when the stream is damaged or truncated, holds fewer
  ///   or more bytes, has a wrong Adler-32, or ends before `stream` does.
  package static func inflate(
    _ stream: RawSpan, into target: inout MutableRawSpan
  ) throws(CheckpointError) {
    let wanted = target.byteCount
    let produced = try inflate(stream, upTo: &target)
    guard produced == wanted else {
      throw CheckpointError(
        .malformed, "expected \(wanted) bytes, but the zlib stream holds \(produced)")
    }
  }

  /// Unpacks one stream, which may hold less than `target` has room for, and returns how much.
  ///
  /// - Throws: ``CheckpointError`` as ``inflate(_:into:)`` does, except for a short stream.
  package static func inflate(
    _ stream: RawSpan, upTo target: inout MutableRawSpan
  ) throws(CheckpointError) -> Int {
    // zlib keeps the address, so the state must not move.
    let state = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    unsafe state.initialize(to: z_stream())
    defer { unsafe state.deallocate() }
    guard unsafe inflateInit_(state, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else { throw CheckpointError(.system, "zlib cannot allocate memory to inflate") }
    defer { unsafe inflateEnd(state) }
    let wanted = target.byteCount
    var consumed = 0
    var produced = 0
    var status = Z_OK
    var spare: UInt8 = 0  // zlib refuses a null pointer even for no bytes
    while status == Z_OK {
      let input = min(stream.byteCount - consumed, Int(UInt32.max))
      let output = min(wanted - produced, Int(UInt32.max))
      unsafe stream.withUnsafeBytes { source in
        unsafe target.withUnsafeMutableBytes { sink in
          unsafe withUnsafeMutablePointer(to: &spare) { spare in
            let from = unsafe source.baseAddress?.advanced(by: consumed)
            let to = unsafe sink.baseAddress?.advanced(by: produced)
            unsafe state.pointee.next_in = UnsafeMutablePointer(
              mutating: from?.assumingMemoryBound(to: UInt8.self) ?? UnsafePointer(spare))
            unsafe state.pointee.avail_in = UInt32(input)
            unsafe state.pointee.next_out = to?.assumingMemoryBound(to: UInt8.self) ?? spare
            unsafe state.pointee.avail_out = UInt32(output)
            status = unsafe CZlib.inflate(state, Z_NO_FLUSH)
          }
        }
      }
      consumed += input - Int(unsafe state.pointee.avail_in)
      produced += output - Int(unsafe state.pointee.avail_out)
    }
    let reason = unsafe state.pointee.msg.map { unsafe String(cString: $0) }
    try check(
      status, consumed: consumed, of: stream.byteCount, produced: produced, of: wanted,
      reason: reason)
    return produced
  }

  private static func check(
    _ status: Int32, consumed: Int, of available: Int, produced: Int, of wanted: Int,
    reason: String?
  ) throws(CheckpointError) {
    switch status {
    case Z_STREAM_END where consumed < available:
      throw CheckpointError(
        .malformed, "expected a zlib stream of \(available) bytes, but it ends after \(consumed)")
    case Z_STREAM_END: return
    case Z_BUF_ERROR where consumed == available:
      throw CheckpointError(
        .malformed, "the zlib stream is truncated after \(available) bytes (\(produced) unpacked)")
    case Z_BUF_ERROR:
      throw CheckpointError(
        .malformed, "the zlib stream holds more than the expected \(wanted) bytes")
    case Z_NEED_DICT:
      throw CheckpointError(.malformed, "the zlib stream needs a preset dictionary")
    default:
      throw CheckpointError(
        .malformed, "the zlib stream is damaged: \(reason ?? "zlib status \(status)")")
    }
  }
}
