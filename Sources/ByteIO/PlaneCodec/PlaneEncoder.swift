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
    return pack(bytes, parts: Array(repeating: count / width, count: width), into: &target)
  }

  /// Packs a content that consists of parts of these sizes, such as planes.
  borrowing func pack(
    _ content: RawSpan, parts: [Int], into target: inout MutableRawSpan
  ) -> Int {
    unsafe target.withUnsafeMutableBytes { memory in
      var writer = unsafe DeflateWriter(memory)
      PlannedBlock.forEach(of: content, parts: parts) { block, isLast in
        let bytes = content.extracting(block.range)
        guard let code = BlockCode(block, of: bytes) else {
          return writer.appendStored(bytes, isLast: isLast)
        }
        if code.hasRuns {
          writer.appendRuns(bytes, code, isLast: isLast)
        } else {
          unsafe writer.appendLiterals(bytes, code, isLast: isLast, using: pairs)
        }
      }
      writer.finish(adler32: Checksum.adler32(content))
      return writer.count
    }
  }
}
