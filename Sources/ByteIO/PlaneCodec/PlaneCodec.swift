import ParallelWork
package import TensorCore

/// Packs a chunk of words as byte planes in one zlib stream, which any zlib unpacks.
///
/// Only what compresses is compressed: the exponents of weights carry about 2.6 bits in 8, mantissas
/// are noise. So each plane's histogram decides how it is packed: stored, Huffman-coded without
/// matches, or with run lengths. The bytes depend only on the chunk.
package enum PlaneCodec {
  /// Largest possible size of the stream of a chunk of `count` bytes.
  package static func maxStreamSize(_ count: Int) -> Int { count + count / 64 + 1024 }

  /// Packs `chunk`, whose words have `width` bytes (1, 2, 4, or 8; a divisor of the chunk's size),
  /// into `target`, which must have ``maxStreamSize(_:)`` bytes, and returns the stream's size.
  ///
  /// `rotated` rotates each word by one bit, which suits floats (see ``Planes``).
  package static func encode(
    _ chunk: RawSpan, width: Int, rotated: Bool, into target: inout MutableRawSpan
  ) -> Int {
    let encoder = PlaneEncoder.pool.acquire()
    defer { PlaneEncoder.pool.release(encoder) }
    return encoder.value.encode(chunk, width: width, rotated: rotated, into: &target)
  }

  /// Unpacks what ``encode(_:width:rotated:into:)``, or any other zlib encoder given the same planes,
  /// has made.
  ///
  /// - Throws: ``CheckpointError`` `malformed` unless the stream is complete and holds exactly as
  ///   many bytes as `target`.
  package static func decode(
    _ stream: RawSpan, width: Int, rotated: Bool, into target: inout MutableRawSpan
  ) throws(CheckpointError) {
    let decoder = PlaneDecoder.pool.acquire()
    defer { PlaneDecoder.pool.release(decoder) }
    try decoder.value.decode(stream, width: width, rotated: rotated, into: &target)
  }

  /// What a content was packed into.
  package struct Packed: Sendable {
    /// Size of the stream in bytes.
    package let count: Int
    /// Whether it is packed by asymmetric numeral systems, and not a zlib stream.
    package let isRanged: Bool
  }

  /// Packs a content that consists of parts of these sizes, which differ in what occurs in them, into
  /// `target`, which must have ``maxStreamSize(_:)`` bytes.
  ///
  /// It is packed by asymmetric numeral systems if that saves more than 1/`saving` of the zlib stream, with
  /// 0 in any case.
  package static func pack(
    _ content: RawSpan, parts: [Int], rangedIfSaving saving: Int? = nil,
    into target: inout MutableRawSpan
  ) -> Packed {
    let encoder = PlaneEncoder.pool.acquire()
    defer { PlaneEncoder.pool.release(encoder) }
    return encoder.value.pack(content, parts: parts, rangedIfSaving: saving, into: &target)
  }

  /// Unpacks what ``pack(_:parts:rangedIfSaving:into:)`` made without zlib, and returns how much it is.
  ///
  /// - Throws: ``CheckpointError`` `malformed` unless the stream is complete and valid.
  package static func unpackRanged(
    _ stream: RawSpan, into target: inout MutableRawSpan
  ) throws(CheckpointError) -> Int {
    try RangedStream.unpack(stream, into: &target)
  }

  /// Unpacks a stream that holds at most as many bytes as `target`, and returns how many.
  ///
  /// - Throws: ``CheckpointError`` `malformed` unless the stream is complete.
  package static func unpack(
    _ stream: RawSpan, into target: inout MutableRawSpan
  ) throws(CheckpointError) -> Int {
    let decoder = PlaneDecoder.pool.acquire()
    defer { PlaneDecoder.pool.release(decoder) }
    return try decoder.value.unpack(stream, into: &target)
  }

  /// Unpacks two streams at once, which is faster than one after the other, into the bytes of
  /// `target` before and after `middle`.
  ///
  /// - Returns: whether both were valid; if not, ``decode(_:width:rotated:into:)`` reports why.
  package static func decodeTwo(
    _ first: RawSpan, _ second: RawSpan, width: Int, rotated: Bool,
    into target: inout MutableRawSpan, dividedAt middle: Int
  ) -> Bool {
    let decoder = PlaneDecoder.pool.acquire()
    defer { PlaneDecoder.pool.release(decoder) }
    return decoder.value.decodeTwo(
      first, second, width: width, rotated: rotated, into: &target, dividedAt: middle)
  }
}
