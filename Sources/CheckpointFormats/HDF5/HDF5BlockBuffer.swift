import ByteIO
import HDF5
import ParallelWork
import TensorCore

/// One block that is to be written, packed or as it is, and the memory that it uses.
struct HDF5BlockBuffer: ~Copyable {
  private var input = ChunkBuffer()
  private var planes = ChunkBuffer()
  private var output = ChunkBuffer(capacity: PlaneCodec.maxStreamSize(maxPacked))
  private var inputCount = 0
  /// Size in bytes of the packed chunk; `nil` if the block is not packed.
  private var packedCount: Int?

  /// Buffers that are not in use.
  static let pool = Pool(capacity: 32) { HDF5BlockBuffer() }
  /// Size in bytes of the largest chunk that is packed.
  static let maxPacked = ChunkBuffer.standardSize

  /// Reads a block.
  mutating func read(_ entry: Checkpoint.Entry, _ block: HDF5Blocks.Block) throws {
    let count = block.bytes.count
    if input.capacity < count { input = ChunkBuffer(capacity: count) }
    var target = input.mutableBytes(count)
    try entry.read(block.bytes, into: &target)
    (inputCount, packedCount) = (count, nil)
  }

  /// Packs the bytes read, zero-padded to a whole chunk, whose elements have `width` bytes.
  mutating func pack(
    chunkSize: Int, width: Int, _ packing: HDF5Packing
  ) throws(CheckpointError) {
    Self.clear(&input, inputCount..<chunkSize)
    packedCount = try Self.pack(input, chunkSize, width: width, packing, &output, &planes)
  }

  /// Hands the bytes read to a digest.
  func digest(_ piece: Piece, by digests: TensorDigests) {
    digests.add(piece, input.bytes(inputCount))
  }

  /// Lends the packed chunk, or the block as it was read.
  func lend(to body: (RawSpan) throws(CheckpointError) -> Void) throws(CheckpointError) {
    if let packedCount {
      try body(output.bytes(packedCount))
    } else {
      try body(input.bytes(inputCount))
    }
  }

  // Separate functions, since the compiler treats access to any buffer as access to all of `self`.

  private static func clear(_ buffer: inout ChunkBuffer, _ range: Range<Int>) {
    var bytes = buffer.mutableBytes(range.upperBound)
    for offset in range { bytes.storeBytes(of: 0, toByteOffset: offset, as: UInt8.self) }
  }

  private static func pack(
    _ input: borrowing ChunkBuffer, _ count: Int, width: Int, _ packing: HDF5Packing,
    _ output: inout ChunkBuffer, _ planes: inout ChunkBuffer
  ) throws(CheckpointError) -> Int {
    var target = output.mutableBytes(output.capacity)
    return try packing.pack(input.bytes(count), width: width, into: &target, planes: &planes)
  }
}
