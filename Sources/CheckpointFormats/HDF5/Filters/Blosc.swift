import ByteIO
import TensorCore

/// The filter blosc: each chunk is one buffer of c-blosc 1, unpacked by the system's libblosc.
///
/// Sources: `blosc.h` 1.21 and its `README_CHUNK_FORMAT.rst`.
enum Blosc {
  private typealias Validate =
    @convention(c) (UnsafeRawPointer?, Int, UnsafeMutablePointer<Int>?) -> Int32
  private typealias Decompress =
    @convention(c) (UnsafeRawPointer?, UnsafeMutableRawPointer?, Int, Int32) -> Int32

  /// Bytes of the header, with the unpacked size at 4 and the packed one at 12.
  private static let headerSize = 16

  /// Unpacks a chunk of at most `limit` bytes.
  ///
  /// - Throws: ``CheckpointError``: `malformed`, or `unsupported` without the library.
  static func decode(_ source: [UInt8], limit: Int) throws(CheckpointError) -> [UInt8] {
    guard source.count >= headerSize,
      Int(source.littleEndian(UInt32.self, at: 12)) == source.count
    else { throw damaged }
    let validate = try unsafe function("blosc_cbuffer_validate", as: Validate.self)
    var size = 0
    let status = unsafe source.withUnsafeBytes { source in
      unsafe validate(source.baseAddress, source.count, &size)
    }
    guard status == 0, (0...limit).contains(size) else { throw damaged }
    let decompress = try unsafe function("blosc_decompress_ctx", as: Decompress.self)
    var target = [UInt8](repeating: 0, count: size)
    let count = unsafe target.withUnsafeMutableBytes { target in
      unsafe source.withUnsafeBytes { source in
        unsafe decompress(source.baseAddress, target.baseAddress, target.count, 1)
      }
    }
    guard Int(count) == size else { throw damaged }
    return target
  }

  private static var damaged: CheckpointError {
    CheckpointError(.malformed, "blosc: the buffer is damaged")
  }

  private static func function<Function>(
    _ name: String, as type: Function.Type
  ) throws(CheckpointError) -> Function {
    try SystemLibrary.function(name, of: "libblosc.so.1", package: "libblosc1", as: type)
  }
}
