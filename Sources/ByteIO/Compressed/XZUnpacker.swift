import CLZMA
import TensorCore

/// Unpacks streams of xz, or of the older format lzma, with liblzma, which compares their checksums.
@safe
struct XZUnpacker: ~Copyable, StreamUnpacker {
  // liblzma keeps the address, so the state must not move.
  private let state: UnsafeMutablePointer<lzma_stream>
  private(set) var isAtEnd = false
  private let format: Format

  /// Which formats are told apart.
  enum Format {
    /// xz, or lzma where the header is one that its own tool writes.
    case any
    /// lzma with any properties.
    case alone
  }

  /// Bytes of memory that a stream may ask for; `xz -9` needs 65 MiB to unpack.
  private static let maxMemory: UInt64 = 128 << 20

  init(_ format: Format = .any) throws(CheckpointError) {
    self.format = format
    unsafe state = UnsafeMutablePointer<lzma_stream>.allocate(capacity: 1)
    unsafe state.initialize(to: lzma_stream())
    try restart()
  }

  deinit {
    unsafe lzma_end(state)
    unsafe state.deallocate()
  }

  mutating func restart() throws(CheckpointError) {
    let memory = Budget.current.isUnlimited ? UInt64.max : Self.maxMemory
    let status =
      switch format {
      case .any: unsafe lzma_auto_decoder(state, memory, 0)
      case .alone: unsafe lzma_alone_decoder(state, memory)
      }
    guard status == LZMA_OK else {
      throw CheckpointError(.system, "liblzma cannot allocate memory to unpack")
    }
    isAtEnd = false
  }

  /// Takes the header of a stream, which comes from elsewhere.
  mutating func begin(_ header: [UInt8]) throws(CheckpointError) {
    // Nothing is made of a header.
    _ = try [UInt8](count: 1) { target throws(CheckpointError) in
      guard try unpack(header.rawBytes, into: &target) == (header.count, 0) else {
        throw CheckpointError(.malformed, "the stream's header is damaged")
      }
    }
  }

  mutating func unpack(
    _ stream: RawSpan, into target: inout MutableRawSpan
  ) throws(CheckpointError) -> (taken: Int, made: Int) {
    var status = LZMA_OK
    unsafe stream.withUnsafeBytes { source in
      unsafe target.withUnsafeMutableBytes { sink in
        unsafe state.pointee.next_in = source.baseAddress?.assumingMemoryBound(to: UInt8.self)
        unsafe state.pointee.avail_in = source.count
        unsafe state.pointee.next_out = sink.baseAddress?.assumingMemoryBound(to: UInt8.self)
        unsafe state.pointee.avail_out = sink.count
        status = unsafe lzma_code(state, LZMA_RUN)
      }
    }
    switch status {
    // LZMA_BUF_ERROR does not mean damage: nothing could be done without more input or more room.
    case LZMA_OK, LZMA_BUF_ERROR: break
    case LZMA_STREAM_END: isAtEnd = true
    case LZMA_MEMLIMIT_ERROR:
      throw CheckpointError(
        .unsupported,
        "unpacking needs more than \(Self.maxMemory) bytes of memory; pass --allow-large to allow it"
      )
    case LZMA_OPTIONS_ERROR, LZMA_UNSUPPORTED_CHECK:
      throw CheckpointError(.unsupported, "the stream has options that liblzma does not know")
    default:
      throw CheckpointError(
        .malformed, "the stream is damaged: liblzma status \(status.rawValue)")
    }
    let rest = unsafe (state.pointee.avail_in, state.pointee.avail_out)
    return (stream.byteCount - rest.0, target.byteCount - rest.1)
  }
}
