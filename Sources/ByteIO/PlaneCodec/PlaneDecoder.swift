import ParallelWork
import TensorCore

/// Unpacks zlib streams of byte planes; it keeps its buffers for the next stream.
struct PlaneDecoder: ~Copyable {
  private var planes = ChunkBuffer()
  private var reader = DeflateReader()

  /// Idle decoders.
  static let pool = Pool(capacity: 16) { PlaneDecoder() }

  /// Unpacks one stream, then puts the planes together again.
  mutating func decode(
    _ stream: RawSpan, width: Int, rotated: Bool, into target: inout MutableRawSpan
  ) throws(CheckpointError) {
    if width == 1 { return try reader.inflate(stream, into: &target) }
    let count = target.byteCount
    if planes.capacity < count { planes = ChunkBuffer(capacity: count) }
    try Self.inflate(stream, with: reader, into: &planes, count)
    Planes.merge(planes.bytes(count), width: width, rotated: rotated, into: &target)
  }

  /// Unpacks a stream of at most as many bytes as `target`, and returns how many.
  borrowing func unpack(
    _ stream: RawSpan, into target: inout MutableRawSpan
  ) throws(CheckpointError) -> Int {
    try reader.inflate(stream, upTo: &target)
  }

  /// Unpacks two streams at once into the two parts of `target`; returns whether both are valid.
  mutating func decodeTwo(
    _ first: RawSpan, _ second: RawSpan, width: Int, rotated: Bool,
    into target: inout MutableRawSpan, dividedAt middle: Int, comparesSums: Bool
  ) -> Bool {
    let count = target.byteCount
    if width == 1 {
      return reader.inflateTwo(
        first, second, into: &target, dividedAt: middle, comparesSums: comparesSums)
    }
    if planes.capacity < count { planes = ChunkBuffer(capacity: count) }
    guard
      Self.inflateTwo(
        first, second, with: reader, into: &planes, count, dividedAt: middle,
        comparesSums: comparesSums)
    else { return false }
    let bytes = planes.bytes(count)
    var left = target._mutatingExtracting(..<middle)
    Planes.merge(bytes.extracting(..<middle), width: width, rotated: rotated, into: &left)
    var right = target._mutatingExtracting(middle...)
    Planes.merge(bytes.extracting(middle...), width: width, rotated: rotated, into: &right)
    return true
  }

  private static func inflateTwo(
    _ first: RawSpan, _ second: RawSpan, with reader: borrowing DeflateReader,
    into planes: inout ChunkBuffer, _ count: Int, dividedAt middle: Int, comparesSums: Bool
  ) -> Bool {
    var target = planes.mutableBytes(count)
    return reader.inflateTwo(
      first, second, into: &target, dividedAt: middle, comparesSums: comparesSums)
  }

  /// A separate function, because the compiler treats access to two parts of `self` as overlapping.
  private static func inflate(
    _ stream: RawSpan, with reader: borrowing DeflateReader, into planes: inout ChunkBuffer,
    _ count: Int
  ) throws(CheckpointError) {
    var target = planes.mutableBytes(count)
    try reader.inflate(stream, into: &target)
  }
}
