import ByteIO
import TensorCore

/// The functions of the system's libzstd.
///
/// Source: `zstd.h` 1.5.
enum Zstandard {
  fileprivate typealias Decompress =
    @convention(c) (UnsafeMutableRawPointer?, Int, UnsafeRawPointer?, Int) -> Int
  fileprivate typealias ContentSize = @convention(c) (UnsafeRawPointer?, Int) -> UInt64
  fileprivate typealias Create = @convention(c) () -> OpaquePointer?
  fileprivate typealias Free = @convention(c) (OpaquePointer?) -> Int
  fileprivate typealias Stream =
    @convention(c) (OpaquePointer?, UnsafeMutableRawPointer, UnsafeMutableRawPointer) -> Int

  /// Bytes that one byte of a frame can stand for, at most: a block is 4 bytes or more, and unpacks
  /// to 128 KiB or less.
  static let ratio = 1 << 15

  fileprivate static func function<Function>(
    _ name: String, as type: Function.Type
  ) throws(CheckpointError) -> Function {
    try SystemLibrary.function(
      name, of: "libzstd.so.1", package: "libzstd1", as: type)
  }

  fileprivate static func check(_ result: Int) throws(CheckpointError) {
    typealias IsError = @convention(c) (Int) -> UInt32
    typealias ErrorName = @convention(c) (Int) -> UnsafePointer<CChar>?
    guard try function("ZSTD_isError", as: IsError.self)(result) != 0 else { return }
    let name = try unsafe function("ZSTD_getErrorName", as: ErrorName.self)(result)
    let reason = unsafe name.map { unsafe String(cString: $0) } ?? "error \(result)"
    throw CheckpointError(.malformed, "zstd: the frame is damaged: \(reason)")
  }

  /// Unpacks a frame of exactly `size` bytes.
  fileprivate static func decode(_ source: [UInt8], size: Int) throws(CheckpointError) -> [UInt8] {
    let decompress = try unsafe function("ZSTD_decompress", as: Decompress.self)
    var target = [UInt8](repeating: 0, count: size)
    let count = unsafe target.withUnsafeMutableBytes { target in
      unsafe source.withUnsafeBytes { source in
        unsafe decompress(target.baseAddress, target.count, source.baseAddress, source.count)
      }
    }
    try check(count)
    guard count == size else {
      throw CheckpointError(
        .malformed, "zstd: expected a frame of \(size) bytes, found one of \(count)")
    }
    return target
  }
}

/// The filter zstd: each chunk is Zstandard frames, usually one.
///
/// libzstd keeps the frame's window, of 128 MiB at most, and refuses larger ones. Source: The HDF
/// Group's registered filter 32015.
@safe
final class ZstandardStage: FilterStage {
  private var input: FilterInput
  private let context: OpaquePointer?
  private let stream: Zstandard.Stream
  private let free: Zstandard.Free
  /// Whether a frame has ended, and no other has begun.
  private var isBetweenFrames = true

  /// `ZSTD_inBuffer` and `ZSTD_outBuffer`: an address, a size, and how much of it was used.
  @unsafe private struct Buffer {
    var address: UnsafeRawPointer?
    var size: Int
    var position = 0
  }

  /// Unpacks a chunk of at most `limit` bytes.
  ///
  /// - Throws: ``CheckpointError``: `malformed` for a frame that states a larger size, or `unsupported`
  ///   without the library.
  init(_ input: FilterInput, limit: Int) throws(CheckpointError) {
    self.input = input
    unsafe stream = try unsafe Zstandard.function(
      "ZSTD_decompressStream", as: Zstandard.Stream.self)
    unsafe free = try unsafe Zstandard.function("ZSTD_freeDCtx", as: Zstandard.Free.self)
    let contentSize = try unsafe Zstandard.function(
      "ZSTD_getFrameContentSize", as: Zstandard.ContentSize.self)
    let create = try unsafe Zstandard.function("ZSTD_createDCtx", as: Zstandard.Create.self)
    unsafe context = unsafe create()
    guard unsafe context != nil else {
      throw CheckpointError(.system, "zstd cannot allocate memory")
    }
    guard try self.input.hasMore() else { throw FilterInput.cutShort }
    var stated: UInt64 = 0
    try self.input.take { bytes throws(CheckpointError) in
      stated = unsafe bytes.withUnsafeBytes { unsafe contentSize($0.baseAddress, $0.count) }
      return 0
    }
    // The largest numbers mean an unknown size and an error.
    if let size = Int(exactly: stated), size > limit {
      throw CheckpointError(
        .malformed, "zstd: expected a frame of at most \(limit) bytes, found one of \(size)")
    }
  }

  deinit { unsafe _ = free(context) }

  func read(into target: inout MutableRawSpan) throws(CheckpointError) -> Int {
    while true {
      let hasInput = try input.hasMore()
      if !hasInput, isBetweenFrames { return 0 }
      var (made, result) = (0, 0)
      try input.take { bytes throws(CheckpointError) in
        unsafe bytes.withUnsafeBytes { source in
          unsafe target.withUnsafeMutableBytes { sink in
            var from = unsafe Buffer(address: source.baseAddress, size: source.count)
            var to = unsafe Buffer(address: UnsafeRawPointer(sink.baseAddress), size: sink.count)
            result = unsafe stream(context, &to, &from)
            made = unsafe to.position
            return unsafe from.position
          }
        }
      }
      try Zstandard.check(result)
      isBetweenFrames = result == 0
      if made > 0 { return made }
      if !hasInput, !isBetweenFrames { throw FilterInput.cutShort }
    }
  }
}

/// Blocks that are Zstandard frames, each preceded by its size, as the filter bitshuffle writes them.
final class ZstandardBlocks: FilterStage {
  private var input: FilterInput
  private var left: Int
  private let blockSize: Int
  private let unit: Int
  private var block: [UInt8] = []
  private var position = 0

  /// Unpacks `size` bytes in blocks of `blockSize`, a multiple of `unit`; the rest follows as it is.
  init(_ input: FilterInput, size: Int, blockSize: Int, unit: Int) {
    (self.input, left, self.blockSize, self.unit) = (input, size, blockSize, unit)
  }

  func read(into target: inout MutableRawSpan) throws(CheckpointError) -> Int {
    if position == block.count {
      let count = min(blockSize, left / unit * unit)
      if count > 0 {
        block = try Zstandard.decode(try input.bytes(try input.bigEndian()), size: count)
      } else {
        block = try input.bytes(left)
      }
      left -= block.count
      position = 0
    }
    let count = min(target.byteCount, block.count - position)
    var part = target._mutatingExtracting(..<count)
    part.copyBytes(from: block[position..<position + count].rawBytes)
    position += count
    return count
  }
}
