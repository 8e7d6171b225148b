import CDeflate
import CKernels
import TensorCore

/// Unpacks zlib streams (RFC 1950), those of byte planes several times faster than zlib does.
///
/// Our kernel refuses a stream at the first block that has matches of several distances: libdeflate
/// unpacks those faster (0.91 GB/s per core against 0.56, for shuffled float32 at gzip level 4; zlib
/// 0.45). zlib has the last word: a stream that both refuse goes to zlib, whose result and error
/// message count.
@safe
struct DeflateReader: ~Copyable {
  private let tables = UnsafeMutableRawPointer.allocate(
    byteCount: ckpt_inflate_memory(), alignment: 64)
  private let general = unsafe libdeflate_alloc_decompressor()

  deinit {
    unsafe tables.deallocate()
    unsafe libdeflate_free_decompressor(general)
  }

  /// Unpacks one stream, which must fill `target` exactly.
  ///
  /// - Throws: ``CheckpointError`` as ``Zlib/inflate(_:into:)`` does.
  func inflate(_ stream: RawSpan, into target: inout MutableRawSpan) throws(CheckpointError) {
    let isSound = unsafe stream.withUnsafeBytes { source in
      unsafe target.withUnsafeMutableBytes { sink -> Bool in
        guard var deflated = unsafe ckpt_deflated(zlib: source, sink) else { return false }
        return unsafe ckpt_inflate(tables, &deflated, 1, 1, nil) == 1
      }
    }
    if isSound, stream.storedAdler32 == Checksum.adler32(target.bytes) { return }
    if inflateGeneral(stream, into: &target) { return }
    try Zlib.inflate(stream, into: &target)
  }

  /// Unpacks one stream, which may hold less than `target` has room for, and returns how much.
  ///
  /// - Throws: ``CheckpointError`` as ``inflate(_:into:)`` does, except for a short stream.
  func inflate(
    _ stream: RawSpan, upTo target: inout MutableRawSpan
  ) throws(CheckpointError) -> Int {
    var count = 0
    let isSound = unsafe stream.withUnsafeBytes { source in
      unsafe target.withUnsafeMutableBytes { sink -> Bool in
        guard var deflated = unsafe ckpt_deflated(zlib: source, sink) else { return false }
        return unsafe ckpt_inflate(tables, &deflated, 1, 1, &count) == 1
      }
    }
    if isSound, stream.storedAdler32 == Checksum.adler32(target.bytes.extracting(..<count)) {
      return count
    }
    if let count = inflateGeneral(stream, upTo: &target) { return count }
    return try Zlib.inflate(stream, upTo: &target)
  }

  /// Unpacks any stream with libdeflate; returns whether it is valid and filled `target` exactly.
  private func inflateGeneral(_ stream: RawSpan, into target: inout MutableRawSpan) -> Bool {
    inflateGeneral(stream, upTo: &target) == target.byteCount
  }

  /// The same for a stream that may hold less; returns how much, `nil` if it is not valid.
  private func inflateGeneral(_ stream: RawSpan, upTo target: inout MutableRawSpan) -> Int? {
    guard let general = unsafe general else { return nil }
    return unsafe stream.withUnsafeBytes { source in
      unsafe target.withUnsafeMutableBytes { sink in
        // libdeflate ignores a window size below 32 KiB, which zlib enforces: leave those to zlib.
        guard unsafe source.first == 0x78 else { return nil }
        var (taken, made) = (0, 0)
        let result = unsafe libdeflate_zlib_decompress_ex(
          general, source.baseAddress, source.count, sink.baseAddress, sink.count, &taken, &made)
        return result == LIBDEFLATE_SUCCESS && taken == source.count ? made : nil
      }
    }
  }

  /// Unpacks two streams at once into the bytes of `target` before and after `middle`, which they
  /// must fill exactly; returns whether both are valid, so that the caller can decode each on its own
  /// if not.
  ///
  /// Unless it `comparesSums`, a wrong Adler-32 is not noticed.
  func inflateTwo(
    _ first: RawSpan, _ second: RawSpan, into target: inout MutableRawSpan, dividedAt middle: Int,
    comparesSums: Bool = true
  ) -> Bool {
    let isSound = unsafe first.withUnsafeBytes { first in
      unsafe second.withUnsafeBytes { second in
        unsafe target.withUnsafeMutableBytes { sink -> Bool in
          let (left, right) = unsafe (
            UnsafeMutableRawBufferPointer(rebasing: sink[..<middle]),
            UnsafeMutableRawBufferPointer(rebasing: sink[middle...])
          )
          guard let one = unsafe ckpt_deflated(zlib: first, left),
            let two = unsafe ckpt_deflated(zlib: second, right)
          else { return false }
          let both: [2 of ckpt_deflated] = unsafe [one, two]
          return unsafe both.span.withUnsafeBufferPointer {
            // A bit per stream that filled its target.
            unsafe ckpt_inflate(tables, $0.baseAddress, 2, 1, nil) == 3
          }
        }
      }
    }
    guard isSound, comparesSums else { return isSound }
    let bytes = target.bytes
    return first.storedAdler32 == Checksum.adler32(bytes.extracting(..<middle))
      && second.storedAdler32 == Checksum.adler32(bytes.extracting(middle...))
  }
}

extension ckpt_deflated {
  /// The deflate stream in a zlib stream, without the 2 bytes of header and the 4 of Adler-32; `nil`
  /// unless the header is valid and asks for no preset dictionary (RFC 1950, section 2.2).
  @unsafe
  fileprivate init?(zlib stream: UnsafeRawBufferPointer, _ target: UnsafeMutableRawBufferPointer) {
    guard let bytes = unsafe stream.baseAddress?.assumingMemoryBound(to: UInt8.self),
      stream.count > 6,
      let sink = unsafe target.baseAddress?.assumingMemoryBound(to: UInt8.self),
      unsafe bytes[0] & 0x0f == 8, unsafe bytes[0] >> 4 <= 7, unsafe bytes[1] & 0x20 == 0,
      unsafe (Int(bytes[0]) << 8 | Int(bytes[1])) % 31 == 0
    else { return nil }
    unsafe self.init(
      stream: bytes + 2, size: stream.count - 6, target: sink, count: target.count)
  }
}

extension RawSpan {
  /// The last four bytes, big-endian; `nil` if there are fewer.
  fileprivate var storedAdler32: UInt32? {
    guard byteCount >= 4 else { return nil }
    return UInt32(
      bigEndian: unsafe unsafeLoadUnaligned(fromByteOffset: byteCount - 4, as: UInt32.self))
  }
}
