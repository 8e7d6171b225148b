import ByteIO
package import ParallelWork
package import TensorCore

/// Undoes the filters of chunks; it keeps its buffers for the next one.
package struct NativeChunkDecoder: ~Copyable {
  private var content = ChunkBuffer(capacity: capacity)
  private var planes = ChunkBuffer(capacity: NativeLayout.chunkSize)
  private var dense = ChunkBuffer(capacity: NativeLayout.chunkSize)
  private var words = ChunkBuffer(capacity: NativeLayout.chunkSize)

  /// Room for the words of a chunk, a mask, signs, and levels.
  private static let capacity = 2 * NativeLayout.chunkSize

  /// Idle decoders.
  package static let pool = Pool(capacity: 16) { NativeChunkDecoder() }

  /// Unpacks the stream of one chunk.
  ///
  /// - Throws: ``CheckpointError`` `malformed` unless it holds what the filter and the size of the
  ///   chunk demand.
  package mutating func decode(
    _ stream: RawSpan, _ filter: NativeFilter, into target: inout MutableRawSpan
  ) throws(CheckpointError) {
    let isSound = try Self.decode(
      stream, filter, &content, &planes, &dense, &words, into: &target)
    guard isSound else {
      throw CheckpointError(
        .malformed,
        "what the stream holds is not \(target.byteCount) bytes by filter \(filter.name)")
    }
  }

  // Separate buffers, since the compiler treats access to any of them as access to all of `self`.
  private static func decode(
    _ stream: RawSpan, _ filter: NativeFilter, _ content: inout ChunkBuffer,
    _ planes: inout ChunkBuffer, _ dense: inout ChunkBuffer, _ words: inout ChunkBuffer,
    into target: inout MutableRawSpan
  ) throws(CheckpointError) -> Bool {
    let made = try unpack(stream, isRanged: filter.isRanged, into: &content)
    let count = target.byteCount / filter.wideWidth
    let size = count.saturated(times: filter.width)
    var parts = ContentParts(content.bytes(made))
    let (mask, ones) = parts.mask(filter, of: count)
    let denseSize = ones.saturated(times: filter.width)
    let signs = parts.take(filter.isSparse ? (count - ones + 7) / 8 : 0)
    let levels = parts.levels(filter, of: count)
    guard parts.isComplete else { return false }
    if filter.isSparse {
      guard mask.hasOnlyBits(count), signs.hasOnlyBits(count - ones) else { return false }
    }
    let rest = parts.rest
    if filter.isPlain { return join(rest, filter, through: &planes, into: &target) }
    // Each step writes into a buffer, the last one into the target.
    let isNarrow = filter.isFloat32 || filter.half != nil
    if !filter.isSparse, !isNarrow {
      guard join(rest, filter, through: &planes, into: &target) else { return false }
      add(levels, filter, to: &target)
      return true
    }
    var joined = dense.mutableBytes(denseSize)
    guard join(rest, filter, through: &planes, into: &joined) else { return false }
    if filter.isSparse {
      if let levels {
        WordLevels.add(
          &joined, mask: mask, of: count, width: filter.width, rows: levels.rows,
          columns: levels.columns)
      }
      guard isNarrow else {
        SparseWords.merge(
          mask: mask, signs: signs, dense: dense.bytes(denseSize), width: filter.width,
          into: &target)
        return true
      }
      var all = words.mutableBytes(size)
      SparseWords.merge(
        mask: mask, signs: signs, dense: dense.bytes(denseSize), width: filter.width,
        into: &all)
      widen(words.bytes(size), filter, through: &planes, into: &target)
      return true
    }
    add(levels, filter, to: &joined)
    widen(dense.bytes(size), filter, through: &planes, into: &target)
    return true
  }

  private static func unpack(
    _ stream: RawSpan, isRanged: Bool, into content: inout ChunkBuffer
  ) throws(CheckpointError) -> Int {
    var target = content.mutableBytes(content.capacity)
    if isRanged { return try PlaneCodec.unpackRanged(stream, into: &target) }
    return try PlaneCodec.unpack(stream, into: &target)
  }

  private static func add(
    _ levels: (rows: [UInt16], columns: [UInt16])?, _ filter: NativeFilter,
    to words: inout MutableRawSpan
  ) {
    guard let levels else { return }
    WordLevels.add(&words, width: filter.width, rows: levels.rows, columns: levels.columns)
  }

  /// Undoes the layout; whether the bytes are as many as the words need.
  private static func join(
    _ bytes: RawSpan, _ filter: NativeFilter, through planes: inout ChunkBuffer,
    into words: inout MutableRawSpan
  ) -> Bool {
    let (size, width) = (words.byteCount, filter.width)
    // Levels are added to words that are still rotated.
    let isTurned = filter.columns == nil
    switch filter.layout {
    case .palette:
      guard bytes.byteCount > 0 else { return false }
      let expected = Palette.size(first: bytes.byte(at: 0), width: width, words: size / width)
      guard bytes.byteCount == expected else { return false }
      return Palette.decode(bytes, width: width, into: &words)
    case .bits:
      let (count, half) = (size / width, width / 2)
      let packed = half * 8 * ((count + 7) / 8)
      guard bytes.byteCount == packed + half * count else { return false }
      var target = planes.mutableBytes(size)
      for plane in 0..<half {
        let start = plane * packed / half
        let bits = bytes.extracting(start..<start + packed / half)
        for bit in 0..<8 {
          let one = bits.extracting(bit * bits.byteCount / 8..<(bit + 1) * bits.byteCount / 8)
          guard one.hasOnlyBits(count) else { return false }
        }
        var part = target._mutatingExtracting(plane * count..<(plane + 1) * count)
        BitPlanes.merge(bits, into: &part)
      }
      var upper = target._mutatingExtracting(half * count..<size)
      upper.copyBytes(from: bytes.extracting(packed...))
      merge(planes.bytes(size), width, isTurned: isTurned, into: &words)
    case .differences:
      guard bytes.byteCount == size else { return false }
      Planes.merge(bytes, width: width, rotated: false, into: &words)
      WordDifferences.decode(&words, width: width)
    case .planes where !Planes.widths.contains(width):
      guard bytes.byteCount == size else { return false }
      BlockPlanes.merge(bytes, size: width, into: &words)
    case .planes, .rotatedPlanes, .raw, .base:
      guard bytes.byteCount == size else { return false }
      merge(bytes, width, isTurned: filter.layout == .rotatedPlanes && isTurned, into: &words)
    }
    return true
  }

  /// Joins planes into words, and rotates these back.
  private static func merge(
    _ planes: RawSpan, _ width: Int, isTurned: Bool, into words: inout MutableRawSpan
  ) {
    Planes.merge(planes, width: width, rotated: isTurned && width < 8, into: &words)
    if isTurned, width == 8 { WordRotation.rotateBack(&words, width: 8) }
  }

  /// Makes the words of the chunk out of narrower ones.
  private static func widen(
    _ words: RawSpan, _ filter: NativeFilter, through floats: inout ChunkBuffer,
    into target: inout MutableRawSpan
  ) {
    guard let half = filter.half else {
      return NarrowFloats.widen(words, .f32, into: &target)
    }
    guard filter.isFloat32 else { return NarrowFloats.widen(words, half, into: &target) }
    let size = 2 * words.byteCount
    var wide = floats.mutableBytes(size)
    NarrowFloats.widen(words, half, into: &wide)
    NarrowFloats.widen(floats.bytes(size), .f32, into: &target)
  }
}

extension RawSpan {
  /// Whether the bits of its last byte after the first `count` ones of all are 0.
  fileprivate func hasOnlyBits(_ count: Int) -> Bool {
    count % 8 == 0 || byte(at: byteCount - 1) >> UInt8(count % 8) == 0
  }
}

/// The parts of a content, taken from its beginning.
private struct ContentParts: ~Escapable {
  private(set) var rest: RawSpan
  /// Whether there were as many bytes as were taken.
  private(set) var isComplete = true

  @_lifetime(copy rest)
  init(_ rest: RawSpan) { self.rest = rest }

  @_lifetime(copy self)
  mutating func take(_ count: Int) -> RawSpan {
    guard count <= rest.byteCount else {
      isComplete = false
      return rest.extracting(..<0)
    }
    let part = rest.extracting(..<count)
    rest = rest.extracting(count...)
    return part
  }

  /// The mask of the words that are not zero, and how many these are.
  @_lifetime(copy self)
  mutating func mask(_ filter: NativeFilter, of count: Int) -> (bits: RawSpan, ones: Int) {
    guard filter.isSparse else { return (rest.extracting(..<0), count) }
    let mask = take((count + 7) / 8)
    guard isComplete else { return (mask, 0) }
    return (mask, SparseWords.count(mask, of: count))
  }

  /// The numbers that were subtracted.
  mutating func levels(
    _ filter: NativeFilter, of count: Int
  ) -> (rows: [UInt16], columns: [UInt16])? {
    guard let columns = filter.columns else { return nil }
    let rows = (count + columns - 1) / columns
    return (numbers(rows), numbers(columns))
  }

  private mutating func numbers(_ count: Int) -> [UInt16] {
    let planes = take(2 * count)
    guard isComplete else { return [] }
    return (0..<count).map { index in
      UInt16(planes.byte(at: index)) | UInt16(planes.byte(at: count + index)) << 8
    }
  }
}
