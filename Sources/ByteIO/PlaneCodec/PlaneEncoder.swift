import ParallelWork
import TensorCore

/// Packs chunks of words as byte planes in zlib streams; it keeps its buffers for the next chunk.
@safe
struct PlaneEncoder: ~Copyable {
  private var planes = ChunkBuffer()
  private var scratch = ChunkBuffer()
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
    return unsafe Self.pack(
      bytes, parts: Array(repeating: count / width, count: width), into: &target, using: pairs)
  }

  /// Packs a content that consists of parts of these sizes, such as planes, as a zlib stream, or by
  /// asymmetric numeral systems if that saves more than 1/`saving` of it, with 0 in any case.
  mutating func pack(
    _ content: RawSpan, parts: [Int], rangedIfSaving saving: Int?, into target: inout MutableRawSpan
  ) -> PlaneCodec.Packed {
    guard let saving else {
      return unsafe PlaneCodec.Packed(
        count: Self.pack(content, parts: parts, into: &target, using: pairs), isRanged: false)
    }
    var planned: [PlannedBlock] = []
    var ranged: [RangedStream.Block] = []
    var (bits, least) = (8 * 8, 0)
    PlannedBlock.forEach(of: content, parts: parts) { block, _ in
      let plan = RangedStream.Block(block)
      planned.append(copy block)
      ranged.append(plan)
      bits += BlockCode.bits(block, of: content.extracting(block.range))
      least += plan.bitCount
    }
    // A few bytes are not worth a second kind of stream.
    if saving == 0 || least + 8 * 32 < bits - bits / saving {
      let size = RangedStream.scratchSize(ranged.map(\.range.count).max() ?? 0)
      if scratch.capacity < size { scratch = ChunkBuffer(capacity: size) }
      var memory = scratch.mutableBytes(size)
      let count = RangedStream.write(ranged, of: content, into: &target, scratch: &memory)
      return PlaneCodec.Packed(count: count, isRanged: true)
    }
    let count = unsafe target.withUnsafeMutableBytes { memory in
      var writer = unsafe DeflateWriter(memory)
      for (index, block) in planned.enumerated() {
        let bytes = content.extracting(block.range)
        unsafe writer.append(
          bytes, BlockCode(block, of: bytes), isLast: index == planned.count - 1, using: pairs)
      }
      writer.finish(adler32: Checksum.adler32(content))
      return writer.count
    }
    return PlaneCodec.Packed(count: count, isRanged: false)
  }

  private static func pack(
    _ content: RawSpan, parts: [Int], into target: inout MutableRawSpan,
    using pairs: UnsafeMutablePointer<UInt32>
  ) -> Int {
    unsafe target.withUnsafeMutableBytes { memory in
      var writer = unsafe DeflateWriter(memory)
      PlannedBlock.forEach(of: content, parts: parts) { block, isLast in
        let bytes = content.extracting(block.range)
        unsafe writer.append(bytes, BlockCode(block, of: bytes), isLast: isLast, using: pairs)
      }
      writer.finish(adler32: Checksum.adler32(content))
      return writer.count
    }
  }
}
