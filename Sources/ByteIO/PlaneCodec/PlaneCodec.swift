import ParallelWork
package import TensorCore

/// Packs a chunk of equal words as byte planes in one zlib stream, so that any zlib unpacks it.
///
/// Only what compresses is compressed: exponents of weights carry about 2.6 bits of 8, mantissas are
/// noise. So each plane's histogram says how it is packed: stored, as Huffman codes without
/// matches, or with run lengths. The bytes depend on nothing but the chunk.
package enum PlaneCodec {
  /// The most bytes that the stream of a chunk of `count` bytes may have.
  package static func maxStreamSize(_ count: Int) -> Int { count + count / 64 + 1024 }

  /// Packs `chunk`, words of `width` bytes (1, 2, 4 or 8; the chunk's size is a multiple), into
  /// `target`, which needs room for ``maxStreamSize(_:)``, and answers the stream's size.
  ///
  /// `rotated` says that the words are floats (see ``Planes``).
  package static func encode(
    _ chunk: RawSpan, width: Int, rotated: Bool, into target: inout MutableRawSpan
  ) -> Int {
    let encoder = PlaneEncoder.pool.acquire()
    defer { PlaneEncoder.pool.release(encoder) }
    return encoder.value.encode(chunk, width: width, rotated: rotated, into: &target)
  }

  /// The same, into a new array.
  package static func encode(_ chunk: RawSpan, width: Int, rotated: Bool) -> [UInt8] {
    var memory = ChunkBuffer(capacity: maxStreamSize(chunk.byteCount))
    var target = memory.mutableBytes(memory.capacity)
    let count = encode(chunk, width: width, rotated: rotated, into: &target)
    return [UInt8](count: count) { $0.copyBytes(from: memory.bytes(count)) }
  }

  /// Unpacks what ``encode(_:width:rotated:into:)`` or any other deflate made of the same planes.
  ///
  /// - Throws: ``CheckpointError`` with code `malformed` unless the stream is whole and holds just
  ///   as many bytes as `target`.
  package static func decode(
    _ stream: RawSpan, width: Int, rotated: Bool, into target: inout MutableRawSpan
  ) throws(CheckpointError) {
    let decoder = PlaneDecoder.pool.acquire()
    defer { PlaneDecoder.pool.release(decoder) }
    try decoder.value.decode(stream, width: width, rotated: rotated, into: &target)
  }

  /// Unpacks two streams at once, which is faster than one after the other, into the bytes of
  /// `target` before and behind `middle`.
  ///
  /// - Returns: whether both were sound; if not, ``decode(_:width:rotated:into:)`` says why.
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
