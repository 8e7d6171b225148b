import ByteIO
import ParallelWork
import TensorCore

/// One job of the writer and the memory that it uses.
struct NativeJob: ~Copyable {
  /// A piece as it is stored in the file.
  struct Packed {
    /// What is known of the bytes before they were packed.
    enum Sum {
      /// The digest of a whole tensor.
      case digest(Digest)
      /// The chaining value of one of a tensor's chunks.
      case chainingValue([UInt8], isLast: Bool)
    }

    let source: Int
    let filter: NativeFilter
    /// Its range in the packed bytes, or in those that were read.
    let range: Range<Int>
    let crc32: UInt32
    let sum: Sum
  }

  /// Memory for what is read, and for what is packed of it: only what is still needed, since many jobs may
  /// wait to be appended.
  private var input: Pool<ChunkBuffer>.Item?
  private var output: Pool<ChunkBuffer>.Item?
  /// The pieces in order.
  private(set) var packed: [Packed] = []

  /// Jobs that are not in use; they are clear.
  static let pool = Pool(capacity: 64) { NativeJob() }
  private static let inputs = Pool(capacity: 64) { ChunkBuffer(capacity: NativeLayout.chunkSize) }
  private static let outputs = Pool(capacity: 64) {
    ChunkBuffer(
      capacity: PlaneCodec.maxStreamSize(NativeLayout.chunkSize) + 1024 * WorkLimits.maxGathered)
  }

  /// Discards the bytes packed earlier.
  mutating func clear() {
    packed.removeAll(keepingCapacity: true)
    releaseInput()
    output.map(Self.outputs.release)
    output = nil
  }

  private mutating func releaseInput() {
    input.map(Self.inputs.release)
    input = nil
  }

  /// Holds what another rank has packed, without the bytes.
  mutating func become(_ pieces: [Packed]) {
    clear()
    packed = pieces
  }

  /// Reads, digests, and packs pieces of a plan's sources.
  mutating func pack(_ pieces: [Piece], of plan: NativePlan) throws {
    clear()
    let (input, output) = (Self.inputs.acquire(), Self.outputs.acquire())
    (self.input, self.output) = (input, output)
    var (read, written) = (0, 0)
    for piece in pieces {
      let source = plan.sources[piece.tensor]
      let (inputStart, outputStart) = (read, written)
      let sum = try Self.read(piece, of: source, into: &input.value, at: inputStart)
      read += piece.range.count
      let isRaw = source.packing.kind == .raw
      var filter = source.packing.plainFilter
      if !isRaw, !piece.range.isEmpty {
        var packed = Self.encode(
          input.value, inputStart..<read, of: source, into: &output.value, at: outputStart)
        if let base = source.known?.base?.entry {
          packed = try Self.subtract(
            base, piece, from: input.value, inputStart..<read, of: source, packed,
            into: &output.value, at: outputStart)
        }
        written += packed.count
        filter = packed.filter
      }
      let range = isRaw ? inputStart..<read : outputStart..<written
      let crc32 = isRaw ? Self.crc32(input.value, range) : Self.crc32(output.value, range)
      packed.append(
        Packed(source: piece.tensor, filter: filter, range: range, crc32: crc32, sum: sum))
    }
    if !packed.contains(where: { $0.filter == .raw }) { releaseInput() }
  }

  private static func read(
    _ piece: Piece, of source: NativePlan.Source, into input: inout ChunkBuffer, at start: Int
  ) throws -> Packed.Sum {
    let end = start + piece.range.count
    var bytes = input.mutableBytes(end)
    var target = bytes._mutatingExtracting(start..<end)
    try source.entry.read(piece.range, into: &target)
    let content = input.bytes(end).extracting(start..<end)
    if piece.isWhole { return .digest(TreeDigest.digest(of: content)) }
    let chunk = piece.range.lowerBound / NativeLayout.chunkSize
    return .chainingValue(TreeDigest.value(of: content, chunk: chunk), isLast: piece.isLast)
  }

  private static func encode(
    _ input: borrowing ChunkBuffer, _ range: Range<Int>, of source: NativePlan.Source,
    into output: inout ChunkBuffer, at start: Int
  ) -> (count: Int, filter: NativeFilter) {
    let encoder = NativeChunkEncoder.pool.acquire()
    defer { NativeChunkEncoder.pool.release(encoder) }
    let content = input.bytes(range.upperBound).extracting(range)
    var rest = output.mutableBytes(output.capacity)
    var target = rest._mutatingExtracting(start..<rest.byteCount)
    return encoder.value.encode(
      content, source.packing, columns: source.columns, into: &target)
  }

  /// Replaces a packed piece by its differences from the base where these are smaller.
  private static func subtract(
    _ base: Checkpoint.Entry, _ piece: Piece, from input: borrowing ChunkBuffer,
    _ range: Range<Int>, of source: NativePlan.Source,
    _ packed: (count: Int, filter: NativeFilter), into output: inout ChunkBuffer, at start: Int
  ) throws -> (count: Int, filter: NativeFilter) {
    guard let packing = source.packing.ofDifferences else { return packed }
    let differences = NativeDifferences.pool.acquire()
    defer { NativeDifferences.pool.release(differences) }
    let content = input.bytes(range.upperBound).extracting(range)
    let made = try differences.value.encode(content, base, piece.range, packing)
    guard made.count < packed.count else { return packed }
    var rest = output.mutableBytes(output.capacity)
    var target = rest._mutatingExtracting(start..<start + made.count)
    differences.value.copy(made.count, into: &target)
    return made
  }

  private static func append(
    _ buffer: borrowing ChunkBuffer, _ range: Range<Int>, to sink: ByteSink
  ) throws(CheckpointError) {
    try sink.append(buffer.bytes(range.upperBound).extracting(range))
  }

  private static func crc32(_ buffer: borrowing ChunkBuffer, _ range: Range<Int>) -> UInt32 {
    Checksum.crc32(buffer.bytes(range.upperBound).extracting(range))
  }

  /// Writes one of the pieces, aligned if it is raw, and returns its offset.
  func append(_ piece: Packed, to sink: ByteSink) throws(CheckpointError) -> NativeIndex.Chunk {
    if piece.filter == .raw { try sink.pad(toMultipleOf: NativeLayout.alignment) }
    let offset = sink.position
    if let buffer = piece.filter == .raw ? input : output {
      try Self.append(buffer.value, piece.range, to: sink)
    } else {
      // Another rank has the bytes.
      try sink.append(RawSpan(), count: piece.range.count)
    }
    return NativeIndex.Chunk(
      offset: offset, length: piece.range.count, crc32: piece.crc32, filter: piece.filter)
  }
}
