import TensorCore

/// Unpacks Zstandard frames (RFC 8878) with the system's libzstd, which is loaded for this.
@safe
struct ZstandardUnpacker: ~Copyable, StreamUnpacker {
  private typealias Create = @convention(c) () -> UnsafeMutableRawPointer?
  private typealias Free = @convention(c) (UnsafeMutableRawPointer?) -> Int
  private typealias Decompress =
    @convention(c) (UnsafeMutableRawPointer?, UnsafeMutableRawPointer?, UnsafeMutableRawPointer?) ->
    Int
  private typealias IsError = @convention(c) (Int) -> UInt32

  private let state: UnsafeMutableRawPointer
  private let free: Free
  private let decompress: Decompress
  private let isError: IsError
  private(set) var isAtEnd = false

  init() throws(CheckpointError) {
    let create = try unsafe Self.function("ZSTD_createDStream", as: Create.self)
    let free = try unsafe Self.function("ZSTD_freeDStream", as: Free.self)
    let decompress = try unsafe Self.function("ZSTD_decompressStream", as: Decompress.self)
    let isError = try Self.function("ZSTD_isError", as: IsError.self)
    // Its own limit on a frame's window is 128 MiB.
    guard let state = unsafe create() else {
      throw CheckpointError(.system, "libzstd cannot allocate memory to unpack")
    }
    unsafe self.state = state
    unsafe self.free = free
    unsafe self.decompress = decompress
    self.isError = isError
  }

  deinit { _ = unsafe free(state) }

  /// A new frame needs no preparation.
  mutating func restart() throws(CheckpointError) { isAtEnd = false }

  mutating func unpack(
    _ stream: RawSpan, into target: inout MutableRawSpan
  ) throws(CheckpointError) -> (taken: Int, made: Int) {
    var status = 0
    // The structs of zstd.h for input and output: an address, its size, and how much of it is done.
    var (input, output) = ([UInt](repeating: 0, count: 3), [UInt](repeating: 0, count: 3))
    unsafe stream.withUnsafeBytes { source in
      unsafe target.withUnsafeMutableBytes { sink in
        input[0] = UInt(bitPattern: source.baseAddress)
        input[1] = UInt(source.count)
        output[0] = UInt(bitPattern: sink.baseAddress)
        output[1] = UInt(sink.count)
        unsafe input.withUnsafeMutableBytes { input in
          unsafe output.withUnsafeMutableBytes { output in
            status = unsafe decompress(state, output.baseAddress, input.baseAddress)
          }
        }
      }
    }
    guard isError(status) == 0 else {
      throw CheckpointError(
        .malformed, "the stream is damaged, or needs more than 128 MiB of memory")
    }
    isAtEnd = status == 0
    return (Int(input[2]), Int(output[2]))
  }

  private static func function<Function>(
    _ name: String, as type: Function.Type
  ) throws(CheckpointError) -> Function {
    try SystemLibrary.function(name, of: "libzstd.so.1", package: "libzstd1", as: type)
  }
}
