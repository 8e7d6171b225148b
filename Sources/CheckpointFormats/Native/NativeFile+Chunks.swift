import ByteIO
import ParallelWork
import TensorCore

/// Reading chunks of a `.ckz` file and checking them.
extension NativeFile {
  /// Idle memory for stored chunks.
  private static let memory = Pool(capacity: 16) {
    ChunkBuffer(capacity: 2 * NativeLayout.maxStreamSize(NativeLayout.chunkSize))
  }

  /// Idle memory for differences.
  private static let differences = Pool(capacity: 16) {
    ChunkBuffer(capacity: NativeLayout.chunkSize)
  }

  /// Reads one chunk or two adjacent ones, checks them, and decodes them into `target`; `base` has the
  /// bytes from which chunks may be differences.
  ///
  /// - Throws: ``CheckpointError`` that names the chunk.
  func decode(
    _ indices: Range<Int>, of stored: NativeIndex.Stored, from base: Checkpoint.Entry?,
    into target: inout MutableRawSpan
  ) throws(CheckpointError) {
    if let base, indices.contains(where: { stored.chunks[$0].filter.needsBase }) {
      var offset = 0
      for index in indices {
        let range = NativeLayout.chunkRange(index, of: stored.info.byteCount)
        var part = target._mutatingExtracting(offset..<offset + range.count)
        if stored.chunks[index].filter.needsBase {
          try change(range, by: index, of: stored, from: base, into: &part)
        } else {
          try decode(index..<index + 1, of: stored, from: nil, into: &part)
        }
        offset += range.count
      }
      return
    }
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

  /// Decodes a chunk that is, or differs little from, that of the base.
  private func change(
    _ range: Range<Int>, by index: Int, of stored: NativeIndex.Stored,
    from base: Checkpoint.Entry, into target: inout MutableRawSpan
  ) throws(CheckpointError) {
    // The base may be differences as well: nothing is held while it is read.
    do {
      try base.read(range, into: &target)
    } catch {
      throw error as? CheckpointError ?? CheckpointError(.system, "\(error)")
    }
    try naming(index, of: stored) { () throws(CheckpointError) in
      let chunk = stored.chunks[index]
      if chunk.filter.isDelta {
        let (memory, differences) = (Self.memory.acquire(), Self.differences.acquire())
        defer {
          Self.memory.release(memory)
          Self.differences.release(differences)
        }
        try add(chunk, to: &target, through: &memory.value, &differences.value)
      }
      try Self.check(target.bytes, index, of: stored)
    }
  }

  /// Adds the differences that a chunk holds.
  private func add(
    _ chunk: NativeIndex.Chunk, to target: inout MutableRawSpan, through memory: inout ChunkBuffer,
    _ differences: inout ChunkBuffer
  ) throws(CheckpointError) {
    if memory.capacity < chunk.length { memory = ChunkBuffer(capacity: chunk.length) }
    do {
      var bytes = memory.mutableBytes(chunk.length)
      try file.read(at: chunk.offset, into: &bytes)
    }
    let stream = memory.bytes(chunk.length)
    try Self.check(stream, chunk)
    var words = differences.mutableBytes(target.byteCount)
    try Self.unpack(stream, chunk.filter.ofDifferences, into: &words)
    WordDeltas.decode(&words, base: target.bytes, width: chunk.filter.width)
    target.copyBytes(from: words.bytes)
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
    // The chaining values below show any damage to the result; the other checksums, which tell whether
    // a byte is damaged that the result does not depend on, cost a tenth of the time.
    if comparesStoredBytes {
      guard Checksum.crc32(first) == one.crc32, Checksum.crc32(second) == two.crc32 else {
        return false
      }
    }
    let middle = NativeLayout.chunkSize
    return PlaneCodec.decodeTwo(
      first, second, width: filter.width, rotated: filter.layout == .rotatedPlanes, into: &target,
      dividedAt: middle, comparesSums: comparesStoredBytes)
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

  static func check(
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
