import ByteIO
import TensorCore

/// The filter zstd: each chunk is one Zstandard frame, unpacked by the system's libzstd.
///
/// Source: The HDF Group's registered filter 32015; `zstd.h` 1.5.
enum Zstandard {
  private typealias Decompress =
    @convention(c) (UnsafeMutableRawPointer?, Int, UnsafeRawPointer?, Int) -> Int
  private typealias IsError = @convention(c) (Int) -> UInt32
  private typealias ContentSize = @convention(c) (UnsafeRawPointer?, Int) -> UInt64

  /// Unpacks a chunk of at most `limit` bytes.
  ///
  /// - Throws: ``CheckpointError``: `malformed`, or `unsupported` without the library.
  static func decode(_ source: [UInt8], limit: Int) throws(CheckpointError) -> [UInt8] {
    let contentSize = try unsafe function("ZSTD_getFrameContentSize", as: ContentSize.self)
    let stated = unsafe source.withUnsafeBytes { unsafe contentSize($0.baseAddress, $0.count) }
    // The largest numbers mean an unknown size and an error.
    let size = Int(exactly: stated) ?? limit
    guard size <= limit else {
      throw CheckpointError(
        .malformed, "zstd: expected a frame of at most \(limit) bytes, found one of \(size)")
    }
    let decompress = try unsafe function("ZSTD_decompress", as: Decompress.self)
    let isError = try function("ZSTD_isError", as: IsError.self)
    var target = [UInt8](repeating: 0, count: size)
    let count = unsafe target.withUnsafeMutableBytes { target in
      unsafe source.withUnsafeBytes { source in
        unsafe decompress(target.baseAddress, target.count, source.baseAddress, source.count)
      }
    }
    guard isError(count) == 0, (0...size).contains(count) else {
      throw CheckpointError(.malformed, "zstd: the frame is damaged")
    }
    target.removeLast(size - count)
    return target
  }

  /// Unpacks a frame of exactly `size` bytes.
  static func decode(_ source: [UInt8], size: Int) throws(CheckpointError) -> [UInt8] {
    let bytes = try decode(source, limit: size)
    guard bytes.count == size else {
      throw CheckpointError(
        .malformed, "zstd: expected a frame of \(size) bytes, found one of \(bytes.count)")
    }
    return bytes
  }

  private static func function<Function>(
    _ name: String, as type: Function.Type
  ) throws(CheckpointError) -> Function {
    try SystemLibrary.function(name, of: "libzstd.so.1", package: "libzstd1", as: type)
  }
}
