package import TensorCore

/// Packs a chunk of equal words as byte planes in one zlib stream, so that any zlib unpacks it.
///
/// Only what compresses is compressed: exponents of weights carry about 2.6 bits of 8, mantissas are
/// noise. So each plane's histogram says how it is packed: stored, as Huffman codes without
/// matches, or with run lengths. The bytes depend on nothing but the chunk.
package enum PlaneCodec {
  /// Packs `chunk`, words of `width` bytes (1, 2, 4 or 8; the chunk's size is a multiple);
  /// `rotated` says that they are floats (see ``Planes``).
  package static func encode(
    _ chunk: RawSpan, width: Int, rotated: Bool
  ) throws(CheckpointError) -> [UInt8] {
    var memory = ChunkBuffer(capacity: chunk.byteCount)
    var planes = memory.mutableBytes(chunk.byteCount)
    Planes.split(chunk, width: width, rotated: rotated, into: &planes)
    let bytes = memory.bytes(chunk.byteCount)
    let size = chunk.byteCount / width
    var parts: [(count: Int, packing: Zlib.Packing)] = []
    for plane in 0..<width {
      let part = bytes.extracting(plane * size..<(plane + 1) * size)
      parts.append((size, PlaneStatistics(part).packing))
    }
    return try Zlib.deflate(bytes, parts: parts)
  }

  /// Unpacks what ``encode(_:width:rotated:)`` or any other deflate made of the same planes.
  ///
  /// - Throws: ``CheckpointError`` with code `malformed` unless the stream is whole and holds just
  ///   as many bytes as `target`.
  package static func decode(
    _ stream: RawSpan, width: Int, rotated: Bool, into target: inout MutableRawSpan
  ) throws(CheckpointError) {
    if width == 1 { return try Zlib.inflate(stream, into: &target) }
    let count = target.byteCount
    var memory = ChunkBuffer(capacity: count)
    var planes = memory.mutableBytes(count)
    try Zlib.inflate(stream, into: &planes)
    Planes.merge(memory.bytes(count), width: width, rotated: rotated, into: &target)
  }
}
