import CZlib
package import TensorCore

/// Unpacks a deflate stream (RFC 1951) piece by piece with the system's zlib.
@safe
package struct Inflater: ~Copyable, StreamUnpacker {
  // zlib keeps the address, so the state must not move.
  private let state: UnsafeMutablePointer<z_stream>
  /// Whether the last block has ended.
  package private(set) var isAtEnd = false

  /// What is around the stream.
  package enum Wrapping {
    /// Nothing.
    case none
    /// The header and the checksum of zlib (RFC 1950).
    case zlib
    /// Those of gzip (RFC 1952).
    case gzip
  }

  /// Begins a stream.
  ///
  /// - Throws: ``CheckpointError`` `system` when there is not enough memory.
  package init(_ wrapping: Wrapping = .none) throws(CheckpointError) {
    unsafe state = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    unsafe state.initialize(to: z_stream())
    let size = unsafe Int32(MemoryLayout<z_stream>.size)
    // A window of 2^15 bytes: negative for a raw stream, and 16 more for one of gzip.
    let window: Int32 =
      switch wrapping {
      case .none: -15
      case .zlib: 15
      case .gzip: 15 + 16
      }
    guard unsafe inflateInit2_(state, window, ZLIB_VERSION, size) == Z_OK else {
      throw CheckpointError(.system, "zlib cannot allocate memory to inflate")
    }
  }

  deinit {
    unsafe inflateEnd(state)
    unsafe state.deallocate()
  }

  /// Begins again with another stream.
  mutating func restart() {
    unsafe inflateReset(state)
    isAtEnd = false
  }

  /// Unpacks from `stream` into `target` until either is exhausted; both must have less than 4 GiB.
  ///
  /// - Returns: the numbers of bytes consumed and produced.
  /// - Throws: ``CheckpointError`` with code `malformed` when the stream is damaged.
  package mutating func unpack(
    _ stream: RawSpan, into target: inout MutableRawSpan
  ) throws(CheckpointError) -> (taken: Int, made: Int) {
    let step = step(stream, into: &target)
    switch step.status {
    // Z_BUF_ERROR does not mean damage: zlib could do nothing without more input or more room.
    case Z_OK, Z_BUF_ERROR: break
    case Z_STREAM_END: isAtEnd = true
    default:
      throw CheckpointError(
        .malformed, "the deflate stream is damaged: \(reason(for: step.status))")
    }
    return (step.taken, step.made)
  }

  /// Unpacks as ``unpack(_:into:)`` does, and leaves it to the caller what zlib's status means.
  mutating func step(
    _ stream: RawSpan, into target: inout MutableRawSpan
  ) -> (status: Int32, taken: Int, made: Int) {
    unsafe state.run(stream, into: &target) { unsafe CZlib.inflate($0, Z_NO_FLUSH) }
  }

  /// Why zlib returned a status, in its own words if it has any.
  func reason(for status: Int32) -> String {
    unsafe state.pointee.msg.map { unsafe String(cString: $0) } ?? "zlib status \(status)"
  }
}
