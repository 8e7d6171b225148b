import TensorCore

/// Unpacks zlib streams of byte planes, with memory that it keeps for the next.
struct PlaneDecoder: ~Copyable {
  private var planes = ChunkBuffer()
  private var reader = DeflateReader()

  /// Decoders that are not at work.
  static let stock = Stock(capacity: 16) { PlaneDecoder() }

  /// Unpacks one stream.
  mutating func decode(
    _ stream: RawSpan, width: Int, rotated: Bool, into target: inout MutableRawSpan
  ) throws(CheckpointError) {
    if width == 1 { return try reader.inflate(stream, into: &target) }
    let count = target.byteCount
    if planes.capacity < count { planes = ChunkBuffer(capacity: count) }
    try Self.inflate(stream, with: reader, into: &planes, count)
    Planes.merge(planes.bytes(count), width: width, rotated: rotated, into: &target)
  }

  /// A function of its own, since the compiler counts both parts of `self` as the whole.
  private static func inflate(
    _ stream: RawSpan, with reader: borrowing DeflateReader, into planes: inout ChunkBuffer,
    _ count: Int
  ) throws(CheckpointError) {
    var target = planes.mutableBytes(count)
    try reader.inflate(stream, into: &target)
  }
}
