import ByteIO
import ParallelWork
import TensorCore

/// Reading chunks of a `.ckz` file and checking them.
extension NativeFile {
  /// Idle memory for stored chunks.
  private static let memory = Pool(capacity: 16) {
    ChunkBuffer(capacity: 2 * NativeLayout.maxStreamSize(NativeLayout.chunkSize))
  }

  /// Reads one chunk or two adjacent ones, checks them, and decodes them into `target`.
  ///
  /// - Throws: ``CheckpointError`` that names the chunk.
  func decode(
    _ indices: Range<Int>, of stored: NativeIndex.Stored, into target: inout MutableRawSpan
  ) throws(CheckpointError) {
    if stored.filter == .raw {
      var offset = 0
      for index in indices {
        var part = target._mutatingExtracting(offset..<offset + stored.chunks[index].length)
        try naming(index, of: stored) { () throws(CheckpointError) in
          try file.read(at: stored.chunks[index].offset, into: &part)
          try Self.check(part.bytes, stored.chunks[index])
          try Self.check(part.bytes, index, of: stored)
        }
        offset += stored.chunks[index].length
      }
      return
    }
    let memory = Self.memory.acquire()
    defer { Self.memory.release(memory) }
    try decode(indices, of: stored, into: &target, through: &memory.value)
  }

  private func decode(
    _ indices: Range<Int>, of stored: NativeIndex.Stored, into target: inout MutableRawSpan,
    through memory: inout ChunkBuffer
  ) throws(CheckpointError) {
    // Chunks of a tensor that are not raw follow each other without gaps.
    let length = stored.chunks[indices].reduce(0) { $0 + $1.length }
    if memory.capacity < length { memory = ChunkBuffer(capacity: length) }
    try naming(indices.lowerBound, of: stored) { () throws(CheckpointError) in
      var bytes = memory.mutableBytes(length)
      try file.read(at: stored.chunks[indices.lowerBound].offset, into: &bytes)
    }
    // If either of the two is damaged, each is decoded on its own, so that the error names the
    // right one.
    if try decodeTwo(indices, of: stored, memory.bytes(length), into: &target) { return }
    var (start, offset) = (0, 0)
    for index in indices {
      let chunk = stored.chunks[index]
      let size = NativeLayout.chunkRange(index, of: stored.info.byteCount).count
      var part = target._mutatingExtracting(offset..<offset + size)
      let stream = memory.bytes(length).extracting(start..<start + chunk.length)
      try naming(index, of: stored) { () throws(CheckpointError) in
        try Self.check(stream, chunk)
        try Self.unpack(stream, chunk.filter, into: &part)
        try Self.check(part.bytes, index, of: stored)
      }
      start += chunk.length
      offset += size
    }
  }

  /// Decodes two chunks at once; returns whether there were two, both valid.
  private func decodeTwo(
    _ indices: Range<Int>, of stored: NativeIndex.Stored, _ bytes: RawSpan,
    into target: inout MutableRawSpan
  ) throws(CheckpointError) -> Bool {
    guard indices.count == 2 else { return false }
    let (one, two) = (stored.chunks[indices.lowerBound], stored.chunks[indices.lowerBound + 1])
    let filter = one.filter
    guard filter == two.filter, filter.isWordPlanes else { return false }
    let (first, second) = (bytes.extracting(..<one.length), bytes.extracting(one.length...))
    guard Checksum.crc32(first) == one.crc32, Checksum.crc32(second) == two.crc32 else {
      return false
    }
    let middle = NativeLayout.chunkSize
    return PlaneCodec.decodeTwo(
      first, second, width: filter.width, rotated: filter.layout == .rotatedPlanes, into: &target,
      dividedAt: middle)
      && stored.matches(target.bytes.extracting(..<middle), chunk: indices.lowerBound)
      && stored.matches(target.bytes.extracting(middle...), chunk: indices.lowerBound + 1)
  }

  private static func unpack(
    _ stream: RawSpan, _ filter: NativeFilter, into target: inout MutableRawSpan
  ) throws(CheckpointError) {
    if filter.isWordPlanes {
      return try PlaneCodec.decode(
        stream, width: filter.width, rotated: filter.layout == .rotatedPlanes, into: &target)
    }
    let decoder = NativeChunkDecoder.pool.acquire()
    defer { NativeChunkDecoder.pool.release(decoder) }
    try decoder.value.decode(stream, filter, into: &target)
  }

  private static func check(
    _ bytes: RawSpan, _ index: Int, of stored: NativeIndex.Stored
  ) throws(CheckpointError) {
    guard stored.matches(bytes, chunk: index) else {
      throw CheckpointError(.malformed, "unpacked bytes differ from the digest in the index")
    }
  }

  private static func check(
    _ stored: RawSpan, _ chunk: NativeIndex.Chunk
  ) throws(CheckpointError) {
    let crc32 = Checksum.crc32(stored)
    guard crc32 == chunk.crc32 else {
      throw CheckpointError(
        .malformed, "expected CRC-32 \(chunk.crc32) of the stored bytes, found \(crc32)")
    }
  }

  private func naming(
    _ index: Int, of stored: NativeIndex.Stored, _ body: () throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    do {
      try body()
    } catch {
      throw CheckpointError(
        error.code, "chunk \(index) of \(stored.chunks.count): \(error.message)", path: file.name,
        offset: error.offset ?? stored.chunks[index].offset)
    }
  }
}
