import ByteIO
import ParallelWork
import TensorCore

/// Chooses a filter for a chunk and packs it; it keeps its buffers for the next one.
///
/// The choice depends on the chunk, its type, and its tensor's shape alone, so that chunks may be
/// packed in any order.
struct NativeChunkEncoder: ~Copyable {
  private var float32 = ChunkBuffer(capacity: NativeLayout.chunkSize / 2)
  private var half = ChunkBuffer(capacity: NativeLayout.chunkSize / 2)
  private var memory = Memory()

  /// Idle encoders.
  static let pool = Pool(capacity: 16) { NativeChunkEncoder() }

  /// Buffers for what is made of the words.
  struct Memory: ~Copyable {
    /// What goes into the stream.
    var content = ChunkBuffer(capacity: 2 * NativeLayout.chunkSize)
    /// Words after a step, and those that are not zero.
    var words = ChunkBuffer(capacity: NativeLayout.chunkSize + 64)
    var dense = ChunkBuffer(capacity: NativeLayout.chunkSize + 64)
    /// Planes, or signs.
    var planes = ChunkBuffer(capacity: NativeLayout.chunkSize + 64)
    /// The best stream so far.
    var best = ChunkBuffer(capacity: NativeLayout.maxStreamSize(NativeLayout.chunkSize))
    /// Any stream: steps add parts to the content, and a sample may have promised too much of them.
    var trial = ChunkBuffer(capacity: NativeLayout.maxStreamSize(2 * NativeLayout.chunkSize))
  }

  /// Packs a chunk into `target`, which needs room for `NativeLayout.maxStreamSize`; returns the size
  /// of the stream and the filter.
  ///
  /// `columns` are the numbers of words that rows of the tensor may have.
  mutating func encode(
    _ chunk: RawSpan, _ packing: NativePacking, columns: [Int],
    into target: inout MutableRawSpan
  ) -> (count: Int, filter: NativeFilter) {
    let width = packing.width
    if packing.effort == .fast || width > chunk.byteCount {
      return Self.encodePlain(chunk, packing, &memory, into: &target)
    }
    let kind = packing.kind
    guard kind == .float, chunk.byteCount / width >= 64 else {
      return Self.encode(
        chunk, packing, packing.plainFilter, columns: columns, &memory, into: &target)
    }
    var filter = packing.plainFilter
    if width == 8, Self.narrow(chunk, .f32, lowBits: 0x1fff_ffff, into: &float32) {
      (filter.isFloat32, filter.width) = (true, 4)
    }
    if filter.isFloat32 {
      let size = chunk.byteCount / 2
      filter.half = Self.narrowed(float32, size, into: &half)
      if filter.half == nil {
        return Self.encode(
          float32, size, packing, filter, columns: columns, &memory, into: &target)
      }
    } else if width == 4 {
      filter.half = Self.narrowed(chunk, into: &half)
    }
    guard filter.half != nil else {
      return Self.encode(chunk, packing, filter, columns: columns, &memory, into: &target)
    }
    filter.width = 2
    let size = chunk.byteCount / filter.wideWidth * 2
    return Self.encode(half, size, packing, filter, columns: columns, &memory, into: &target)
  }

  // Functions that take a buffer, because the compiler takes access to a part of one as access to all
  // of what it belongs to.

  private static func narrowed(
    _ words: borrowing ChunkBuffer, _ count: Int, into half: inout ChunkBuffer
  ) -> NarrowFloats.Kind? {
    narrowed(words.bytes(count), into: &half)
  }

  private static func encode(
    _ words: borrowing ChunkBuffer, _ count: Int, _ packing: NativePacking, _ filter: NativeFilter,
    columns: [Int], _ memory: inout Memory, into target: inout MutableRawSpan
  ) -> (count: Int, filter: NativeFilter) {
    encode(words.bytes(count), packing, filter, columns: columns, &memory, into: &target)
  }

  /// Narrows words of float32 if 16 bits hold them all.
  private static func narrowed(
    _ words: RawSpan, into half: inout ChunkBuffer
  ) -> NarrowFloats.Kind? {
    if narrow(words, .bf16, lowBits: 0xffff, into: &half) { return .bf16 }
    if narrow(words, .f16, lowBits: 0x1fff, into: &half) { return .f16 }
    return nil
  }

  private static func narrow(
    _ words: RawSpan, _ kind: NarrowFloats.Kind, lowBits: UInt64, into buffer: inout ChunkBuffer
  ) -> Bool {
    guard NativeSurvey.mayNarrow(words, width: kind.wideWidth, lowBits: lowBits) else {
      return false
    }
    var target = buffer.mutableBytes(words.byteCount / kind.wideWidth * kind.narrowWidth)
    return NarrowFloats.narrow(words, kind, into: &target)
  }

  // MARK: - Words

  /// Packs words that are as narrow as can be; `filter` has the steps so far, and the plain layout.
  private static func encode(
    _ words: RawSpan, _ packing: NativePacking, _ filter: NativeFilter, columns: [Int],
    _ memory: inout Memory, into target: inout MutableRawSpan
  ) -> (count: Int, filter: NativeFilter) {
    let width = filter.width
    let isFloat = packing.kind == .float
    var best: (count: Int, filter: NativeFilter)?
    var plan = WordPlan()
    if packing.kind != .block {
      let survey = NativeSurvey(words, width: width, isFloat: isFloat)
      if survey.mayBePalette, width > 1 {
        best = encodePalette(words, packing, filter, &memory)
      }
      if isFloat { plan = WordPlan(words, survey, packing, filter, columns: columns) }
      if packing.kind == .delta { plan = WordPlan(ofDifferences: survey, width: width) }
    }
    if best == nil { best = encodeMatches(words, filter, &memory, into: &target) }
    if best == nil, plan.isPlain, packing.effort != .small {
      // There is nothing to compare it with, so the stream goes at once where it belongs.
      let (parts, made) = plan.apply(to: words, filter, &memory)
      return pack(memory.content, parts, made, packing, into: &target)
    }
    for variant in plan.variants(width: width, packing.effort) {
      let (parts, made) = variant.apply(to: words, filter, &memory)
      let limit = best?.count ?? NativeLayout.maxStreamSize(words.byteCount)
      let packed = pack(
        memory.content, parts, made, packing, through: &memory.trial, into: &memory.best,
        ifBelow: limit)
      if let packed { best = packed }
      if packing.effort == .small {
        let matched = match(
          memory.content, parts.reduce(0, +), through: &target, into: &memory.best,
          ifBelow: packed?.count ?? limit)
        if let matched { best = (matched, made) }
      }
    }
    guard let best else {
      let (parts, made) = WordPlan().apply(to: words, filter, &memory)
      return pack(memory.content, parts, made, packing, into: &target)
    }
    copy(memory.best, best.count, into: &target)
    return best
  }

  /// Packs planes without any choice.
  private static func encodePlain(
    _ chunk: RawSpan, _ packing: NativePacking, _ memory: inout Memory,
    into target: inout MutableRawSpan
  ) -> (count: Int, filter: NativeFilter) {
    let (parts, filter) = WordPlan().apply(to: chunk, packing.plainFilter, &memory)
    return pack(memory.content, parts, filter, packing, into: &target)
  }

  /// Packs a table and indices into the best stream.
  private static func encodePalette(
    _ words: RawSpan, _ packing: NativePacking, _ filter: NativeFilter, _ memory: inout Memory
  ) -> (count: Int, filter: NativeFilter)? {
    var filter = filter
    filter.layout = .palette
    let sizes: (known: Int, all: Int)
    do {
      var content = memory.content.mutableBytes(memory.content.capacity)
      guard let found = Palette.encode(words, width: filter.width, into: &content) else {
        return nil
      }
      sizes = found
    }
    let planes = [1 + sizes.known] + Array(repeating: sizes.known, count: filter.width - 1)
    let parts = planes + [sizes.all - planes.reduce(0, +)]
    return pack(memory.content, parts, filter, packing, into: &memory.best)
  }

  /// Packs planes, of words or of their differences, with matches into the best stream, where a
  /// sample says that they may save something.
  private static func encodeMatches(
    _ words: RawSpan, _ filter: NativeFilter, _ memory: inout Memory,
    into target: inout MutableRawSpan
  ) -> (count: Int, filter: NativeFilter)? {
    let width = filter.width
    var best: (count: Int, filter: NativeFilter)?
    if NativeSurvey.repeats(words, width: width) {
      var filter = filter
      filter.layout = .planes
      WordPlan.split(words, filter, through: &memory.planes, into: &memory.content, at: 0)
      if let count = match(memory.content, words.byteCount, into: &memory.best) {
        best = (count, filter)
      }
    }
    if NativeSurvey.isSmooth(words, width: width) {
      var filter = filter
      filter.layout = .differences
      do {
        var differences = memory.words.mutableBytes(words.byteCount)
        WordDifferences.encode(words, width: width, into: &differences)
      }
      WordPlan.split(
        memory.words, words.byteCount, filter, through: &memory.planes, into: &memory.content)
      let count = match(
        memory.content, words.byteCount, through: &target, into: &memory.best,
        ifBelow: best?.count ?? .max)
      if let count { best = (count, filter) }
    }
    return best
  }

  private static func match(
    _ content: borrowing ChunkBuffer, _ count: Int, into target: inout ChunkBuffer
  ) -> Int? {
    var target = target.mutableBytes(target.capacity)
    return MatchEncoder.encode(content.bytes(count), into: &target)
  }

  private static func copy(
    _ stream: borrowing ChunkBuffer, _ count: Int, into target: inout MutableRawSpan
  ) {
    var part = target._mutatingExtracting(..<count)
    part.copyBytes(from: stream.bytes(count))
  }

  /// The same through other memory, and only if it is smaller than what is there.
  private static func match(
    _ content: borrowing ChunkBuffer, _ count: Int, through other: inout MutableRawSpan,
    into target: inout ChunkBuffer, ifBelow limit: Int
  ) -> Int? {
    guard let size = MatchEncoder.encode(content.bytes(count), into: &other) else { return nil }
    return keep(size, of: other, in: &target, ifBelow: limit)
  }

  private static func pack(
    _ content: borrowing ChunkBuffer, _ parts: [Int], _ filter: NativeFilter,
    _ packing: NativePacking, into target: inout MutableRawSpan
  ) -> (count: Int, filter: NativeFilter) {
    let packed = PlaneCodec.pack(
      content.bytes(parts.reduce(0, +)), parts: parts, rangedIfSaving: packing.rangedSaving,
      into: &target)
    var filter = filter
    filter.isRanged = packed.isRanged
    return (packed.count, filter)
  }

  private static func pack(
    _ content: borrowing ChunkBuffer, _ parts: [Int], _ filter: NativeFilter,
    _ packing: NativePacking, into target: inout ChunkBuffer
  ) -> (count: Int, filter: NativeFilter) {
    var target = target.mutableBytes(target.capacity)
    return pack(content, parts, filter, packing, into: &target)
  }

  private static func pack(
    _ content: borrowing ChunkBuffer, _ parts: [Int], _ filter: NativeFilter,
    _ packing: NativePacking, through other: inout ChunkBuffer, into target: inout ChunkBuffer,
    ifBelow limit: Int
  ) -> (count: Int, filter: NativeFilter)? {
    var other = other.mutableBytes(other.capacity)
    let packed = pack(content, parts, filter, packing, into: &other)
    return keep(packed.count, of: other, in: &target, ifBelow: limit).map { ($0, packed.filter) }
  }

  private static func keep(
    _ size: Int, of stream: borrowing MutableRawSpan, in target: inout ChunkBuffer,
    ifBelow limit: Int
  ) -> Int? {
    guard size < limit else { return nil }
    var kept = target.mutableBytes(size)
    kept.copyBytes(from: stream.bytes.extracting(..<size))
    return size
  }
}
