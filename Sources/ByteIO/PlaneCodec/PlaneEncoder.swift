import ParallelWork
import TensorCore

/// Packs chunks of words as byte planes in zlib streams; it keeps its buffers for the next chunk.
@safe
struct PlaneEncoder: ~Copyable {
  private var planes = ChunkBuffer()
  private let pairs = UnsafeMutablePointer<UInt32>.allocate(capacity: 1 << 16)

  /// Idle encoders.
  static let pool = Pool(capacity: 16) { PlaneEncoder() }

  init() { unsafe pairs.initialize(repeating: 0, count: 1 << 16) }

  deinit { unsafe pairs.deallocate() }

  /// Packs a chunk into `target` and returns the size of the stream.
  mutating func encode(
    _ chunk: RawSpan, width: Int, rotated: Bool, into target: inout MutableRawSpan
  ) -> Int {
    let count = chunk.byteCount
    if planes.capacity < count { planes = ChunkBuffer(capacity: count) }
    var divided = planes.mutableBytes(count)
    Planes.split(chunk, width: width, rotated: rotated, into: &divided)
    let bytes = planes.bytes(count)
    return unsafe target.withUnsafeMutableBytes { memory in
      var writer = unsafe DeflateWriter(memory)
      write(bytes, width: width, to: &writer)
      writer.finish(adler32: Checksum.adler32(bytes))
      return writer.count
    }
  }

  /// Writes each plane as a block of its own, packed as ``PlanePacking`` decides.
  private func write(_ bytes: RawSpan, width: Int, to writer: inout DeflateWriter) {
    let size = bytes.byteCount / width
    let packings = (0..<width).map { plane in
      PlanePacking(bytes.extracting(plane * size..<(plane + 1) * size))
    }
    var plane = 0
    while plane < width {
      let packing = packings[plane]
      var end = plane + 1
      // Adjacent planes that are stored share their blocks.
      while packing.kind == .stored, end < width, packings[end].kind == .stored { end += 1 }
      let part = bytes.extracting(plane * size..<end * size)
      let isLast = end == width
      if let code = packing.code, let header = packing.header {
        if packing.kind == .runs {
          writer.appendRuns(part, code, header, bitCount: packing.bitCount, isLast: isLast)
        } else {
          unsafe writer.appendLiterals(
            part, code, header, bitCount: packing.bitCount, isLast: isLast, using: pairs)
        }
      } else {
        writer.appendStored(part, isLast: isLast)
      }
      plane = end
    }
  }
}
