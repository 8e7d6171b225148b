import CBZip2
import TensorCore

/// Unpacks bzip2 streams with libbz2, which compares the CRC-32 of each block; it is loaded for
/// this.
@safe
struct BZip2Unpacker: ~Copyable, StreamUnpacker {
  // libbz2 keeps the address, so the state must not move.
  private let state: UnsafeMutablePointer<bz_stream>
  private let library: Library
  private(set) var isAtEnd = false

  /// The functions of libbz2.
  @safe
  private struct Library {
    typealias Start = @convention(c) (UnsafeMutablePointer<bz_stream>, Int32, Int32) -> Int32
    typealias Step = @convention(c) (UnsafeMutablePointer<bz_stream>) -> Int32

    let begin: Start
    let unpack: Step
    let end: Step

    init() throws(CheckpointError) {
      unsafe begin = try unsafe Self.function("BZ2_bzDecompressInit", as: Start.self)
      unsafe unpack = try unsafe Self.function("BZ2_bzDecompress", as: Step.self)
      unsafe end = try unsafe Self.function("BZ2_bzDecompressEnd", as: Step.self)
    }

    private static func function<Function>(
      _ name: String, as type: Function.Type
    ) throws(CheckpointError) -> Function {
      try SystemLibrary.function(name, of: "libbz2.so.1.0", package: "libbz2-1.0", as: type)
    }
  }

  init() throws(CheckpointError) { try self.init(Library()) }

  private init(_ library: Library) throws(CheckpointError) {
    self.library = library
    unsafe state = UnsafeMutablePointer<bz_stream>.allocate(capacity: 1)
    unsafe state.initialize(to: bz_stream())
    try begin()
  }

  deinit {
    _ = unsafe library.end(state)
    unsafe state.deallocate()
  }

  private func begin() throws(CheckpointError) {
    guard unsafe library.begin(state, 0, 0) == BZ_OK else {
      throw CheckpointError(.system, "libbz2 cannot allocate memory to unpack")
    }
  }

  mutating func restart() throws(CheckpointError) {
    _ = unsafe library.end(state)
    try begin()
    isAtEnd = false
  }

  mutating func unpack(
    _ stream: RawSpan, into target: inout MutableRawSpan
  ) throws(CheckpointError) -> (taken: Int, made: Int) {
    var status = BZ_OK
    var spare: CChar = 0
    unsafe stream.withUnsafeBytes { source in
      unsafe target.withUnsafeMutableBytes { sink in
        unsafe withUnsafeMutablePointer(to: &spare) { spare in
          let from = unsafe source.baseAddress?.assumingMemoryBound(to: CChar.self)
          let to = unsafe sink.baseAddress?.assumingMemoryBound(to: CChar.self)
          unsafe state.pointee.next_in =
            from.map { unsafe UnsafeMutablePointer(mutating: $0) } ?? spare
          unsafe state.pointee.avail_in = UInt32(source.count)
          unsafe state.pointee.next_out = to ?? spare
          unsafe state.pointee.avail_out = UInt32(sink.count)
          status = unsafe library.unpack(state)
        }
      }
    }
    switch status {
    case BZ_OK: break
    case BZ_STREAM_END: isAtEnd = true
    default:
      throw CheckpointError(.malformed, "the stream is damaged: libbz2 status \(status)")
    }
    return (
      stream.byteCount - Int(unsafe state.pointee.avail_in),
      target.byteCount - Int(unsafe state.pointee.avail_out)
    )
  }
}
