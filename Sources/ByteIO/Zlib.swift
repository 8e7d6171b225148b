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
    var inflater = try Inflater(.zlib)
    let wanted = target.byteCount
    var (consumed, produced) = (0, 0)
    var status = Z_OK
    while status == Z_OK {
      let input = min(stream.byteCount - consumed, Int(UInt32.max))
      let output = min(wanted - produced, Int(UInt32.max))
      var part = target._mutatingExtracting(produced..<produced + output)
      let step = inflater.step(stream.extracting(consumed..<consumed + input), into: &part)
      status = step.status
      consumed += step.taken
      produced += step.made
    }
    try check(
      status, consumed: consumed, of: stream.byteCount, produced: produced, of: wanted,
      reason: inflater.reason(for: status))
    return produced
  }

  private static func check(
    _ status: Int32, consumed: Int, of available: Int, produced: Int, of wanted: Int,
    reason: String
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
        .malformed, "the zlib stream is damaged: \(reason)")
    }
  }
}
