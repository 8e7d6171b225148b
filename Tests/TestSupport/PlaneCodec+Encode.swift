package import ByteIO
import ParallelWork
import TensorCore

extension PlaneCodec {
  /// Packs `chunk` into a new array.
  package static func encode(_ chunk: RawSpan, width: Int, rotated: Bool) -> [UInt8] {
    var memory = ChunkBuffer(capacity: maxStreamSize(chunk.byteCount))
    var target = memory.mutableBytes(memory.capacity)
    let count = encode(chunk, width: width, rotated: rotated, into: &target)
    return [UInt8](count: count) { $0.copyBytes(from: memory.bytes(count)) }
  }
}
