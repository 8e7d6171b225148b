import CLZMA
import TensorCore

/// Unpacks streams of xz, or of the older format lzma, with liblzma, which compares their checksums;
/// it is loaded for this.
@safe
struct XZUnpacker: ~Copyable, StreamUnpacker {
  // liblzma keeps the address, so the state must not move.
  private let state: UnsafeMutablePointer<lzma_stream>
  private let library: Library
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

  /// The functions of liblzma.
  @safe
  private struct Library {
    typealias Begin =
      @convention(c) (UnsafeMutablePointer<lzma_stream>, UInt64, UInt32) -> lzma_ret
    typealias BeginAlone = @convention(c) (UnsafeMutablePointer<lzma_stream>, UInt64) -> lzma_ret
    typealias Code = @convention(c) (UnsafeMutablePointer<lzma_stream>, lzma_action) -> lzma_ret
    typealias End = @convention(c) (UnsafeMutablePointer<lzma_stream>) -> Void

    let begin: Begin
    let beginAlone: BeginAlone
    let code: Code
    let end: End

    init() throws(CheckpointError) {
      unsafe begin = try unsafe Self.function("lzma_auto_decoder", as: Begin.self)
      unsafe beginAlone = try unsafe Self.function("lzma_alone_decoder", as: BeginAlone.self)
      unsafe code = try unsafe Self.function("lzma_code", as: Code.self)
      unsafe end = try unsafe Self.function("lzma_end", as: End.self)
    }

    private static func function<Function>(
      _ name: String, as type: Function.Type
    ) throws(CheckpointError) -> Function {
      try SystemLibrary.function(name, of: "liblzma.so.5", package: "liblzma5", as: type)
    }
  }

  init(_ format: Format = .any) throws(CheckpointError) { try self.init(format, Library()) }

  private init(_ format: Format, _ library: Library) throws(CheckpointError) {
    (self.format, self.library) = (format, library)
    unsafe state = UnsafeMutablePointer<lzma_stream>.allocate(capacity: 1)
    unsafe state.initialize(to: lzma_stream())
    try restart()
  }

  deinit {
    unsafe library.end(state)
    unsafe state.deallocate()
  }

  mutating func restart() throws(CheckpointError) {
    let memory = Budget.current.isUnlimited ? UInt64.max : Self.maxMemory
    let status =
      switch format {
      case .any: unsafe library.begin(state, memory, 0)
      case .alone: unsafe library.beginAlone(state, memory)
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
        status = unsafe library.code(state, LZMA_RUN)
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
