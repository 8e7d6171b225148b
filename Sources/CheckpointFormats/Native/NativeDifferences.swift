import ByteIO
import ParallelWork
import TensorCore

/// Packs the differences of chunks from those of a base; it keeps its buffers for the next one.
struct NativeDifferences: ~Copyable {
  private var base = ChunkBuffer(capacity: NativeLayout.chunkSize)
  private var words = ChunkBuffer(capacity: NativeLayout.chunkSize)
  private var stream = ChunkBuffer(
    capacity: NativeLayout.maxStreamSize(NativeLayout.chunkSize) + 1024)

  /// Those that are not in use.
  static let pool = Pool(capacity: 16) { NativeDifferences() }

  /// Packs a chunk, whose bytes in the base are `range`; returns the size of the stream and the
  /// filter.
  ///
  /// An equal chunk has the filter `base` and no stream.
  mutating func encode(
    _ chunk: RawSpan, _ original: Checkpoint.Entry, _ range: Range<Int>, _ packing: NativePacking
  ) throws -> (count: Int, filter: NativeFilter) {
    do {
      var target = base.mutableBytes(range.count)
      try original.read(range, into: &target)
    }
    if chunk.isByteEqual(to: base.bytes(range.count)) { return (0, .base) }
    Self.subtract(base, chunk, packing.width, into: &words)
    return Self.pack(words, range.count, packing, into: &stream)
  }

  /// Copies the stream.
  func copy(_ count: Int, into target: inout MutableRawSpan) {
    target.copyBytes(from: stream.bytes(count))
  }

  // Separate functions, since the compiler treats access to any buffer as access to all of `self`.

  private static func subtract(
    _ base: borrowing ChunkBuffer, _ chunk: RawSpan, _ width: Int, into words: inout ChunkBuffer
  ) {
    var target = words.mutableBytes(chunk.byteCount)
    WordDeltas.encode(chunk, base: base.bytes(chunk.byteCount), width: width, into: &target)
  }

  private static func pack(
    _ words: borrowing ChunkBuffer, _ count: Int, _ packing: NativePacking,
    into stream: inout ChunkBuffer
  ) -> (count: Int, filter: NativeFilter) {
    let encoder = NativeChunkEncoder.pool.acquire()
    defer { NativeChunkEncoder.pool.release(encoder) }
    var target = stream.mutableBytes(stream.capacity)
    var made = encoder.value.encode(words.bytes(count), packing, columns: [], into: &target)
    made.filter.isDelta = true
    return made
  }
}
