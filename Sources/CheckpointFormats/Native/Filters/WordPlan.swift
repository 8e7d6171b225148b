import ByteIO
import ParallelWork
import TensorCore

/// What is done to words before they are packed: which steps, and in what layout.
struct WordPlan {
  private var isSparse = false
  private var levels: NativeLevels?
  private var asBits = false
  /// Whether levels save so little, by the sample, that both ways must be compared.
  private var isClose = false

  /// 1/1024 bits that levels must save per word, by the sample.
  private static let leastGain = 24

  /// Planes alone.
  init() {}

  /// What a survey of differences suggests.
  init(ofDifferences survey: NativeSurvey, width: Int) {
    isSparse = survey.isSparse && width > 1
  }

  /// What a survey of floats suggests.
  init(
    _ words: RawSpan, _ survey: NativeSurvey, _ packing: NativePacking, _ filter: NativeFilter,
    columns: [Int]
  ) {
    let width = filter.width
    isSparse = survey.isSparse && width > 1
    if width == 2 || width == 4, words.byteCount / width >= 16_384, !survey.isZero {
      // Rows of 256 are tried as well, for tensors that were flattened.
      for count in columns.contains(256) ? columns : columns + [256] {
        guard let found = NativeLevels(words, width: width, columns: count) else { continue }
        if found.gain > levels?.gain ?? 0 { levels = found }
      }
      let gain = levels?.gain ?? 0
      if gain < Self.leastGain { levels = nil }
      isClose = gain < (width == 2 ? 72 : 160)
    }
    let isNarrow = filter.isFloat32 || filter.half != nil
    asBits = survey.bitsPay(words, width: width, isNarrow: isNarrow)
  }

  /// Whether words are divided into planes as they are.
  var isPlain: Bool { !isSparse && levels == nil && !asBits }

  /// What is to be compared: the same without levels if these may not pay, and to save the most also with
  /// bits where there are planes and the other way around.
  func variants(width: Int, _ effort: NativePacking.Effort) -> [WordPlan] {
    var found: [WordPlan] = []
    let isSmall = effort == .small
    for levels in levels != nil && (isSmall || isClose) ? [levels, nil] : [levels] {
      for asBits in !isSmall ? [asBits] : width == 2 || width == 4 ? [false, true] : [false] {
        var plan = self
        (plan.levels, plan.asBits) = (levels, asBits)
        found.append(plan)
      }
    }
    return found
  }

  /// Writes what is to be packed into the content, and returns the sizes of its parts and the filter.
  func apply(
    to words: RawSpan, _ filter: NativeFilter, _ memory: inout NativeChunkEncoder.Memory
  ) -> (parts: [Int], filter: NativeFilter) {
    var filter = filter
    let (width, count) = (filter.width, words.byteCount / filter.width)
    var parts: [Int] = []
    var rest = count
    let numbers = levels?.fit(words, width: width)
    if let numbers {
      filter.columns = levels?.columnCount
      var lowered = memory.words.mutableBytes(words.byteCount)
      WordLevels.subtract(
        words, width: width, rows: numbers.rows, columns: numbers.columns, into: &lowered)
    }
    if isSparse {
      filter.isSparse = true
      rest = Self.splitZeros(words, width, &memory.content, &memory.planes, &memory.dense)
      parts = [(count + 7) / 8, (count - rest + 7) / 8]
      if numbers != nil {
        Self.pick(
          memory.words, words.byteCount, width, mask: memory.content, parts[0], &memory.dense)
      }
    }
    for list in numbers.map({ [$0.rows, $0.columns] }) ?? [] {
      Self.append(list, to: &memory.content, at: parts.reduce(0, +))
      parts += [list.count, list.count]
    }
    if asBits { filter.layout = .bits }
    let start = parts.reduce(0, +)
    if isSparse {
      Self.layOut(
        memory.dense, rest * width, filter, &memory.planes, into: &memory.content, at: start)
    } else if numbers != nil {
      Self.layOut(
        memory.words, words.byteCount, filter, &memory.planes, into: &memory.content, at: start)
    } else {
      Self.layOut(words, filter, &memory.planes, into: &memory.content, at: start)
    }
    return (parts + Self.parts(of: rest, words.byteCount, filter), filter)
  }

  /// Sizes of the planes of a number of words, and of what follows planes of blocks.
  private static func parts(of count: Int, _ size: Int, _ filter: NativeFilter) -> [Int] {
    let width = filter.width
    if filter.layout == .bits {
      return Array(repeating: (count + 7) / 8, count: 4 * width)
        + Array(repeating: count, count: width / 2)
    }
    return Array(repeating: count, count: width)
      + (Planes.widths.contains(width) ? [] : [size % width])
  }

  /// Writes mask and signs into the content, and the other words densely.
  private static func splitZeros(
    _ words: RawSpan, _ width: Int, _ content: inout ChunkBuffer, _ planes: inout ChunkBuffer,
    _ dense: inout ChunkBuffer
  ) -> Int {
    let count = words.byteCount / width
    let size = (count + 7) / 8
    var memory = content.mutableBytes(content.capacity)
    var mask = memory._mutatingExtracting(..<size)
    var signs = planes.mutableBytes(planes.capacity)
    var target = dense.mutableBytes(dense.capacity)
    let rest = SparseWords.split(
      words, width: width, mask: &mask, signs: &signs, dense: &target)
    let signSize = (count - rest + 7) / 8
    var part = memory._mutatingExtracting(size..<size + signSize)
    part.copyBytes(from: signs.bytes.extracting(..<signSize))
    return rest
  }

  // Functions that take a buffer, because the compiler takes access to a part of one as access to all
  // of what it belongs to.

  private static func pick(
    _ words: borrowing ChunkBuffer, _ count: Int, _ width: Int, mask: borrowing ChunkBuffer,
    _ maskSize: Int, _ dense: inout ChunkBuffer
  ) {
    var target = dense.mutableBytes(dense.capacity)
    _ = SparseWords.pick(
      words.bytes(count), width: width, mask: mask.bytes(maskSize), into: &target)
  }

  private static func layOut(
    _ words: borrowing ChunkBuffer, _ count: Int, _ filter: NativeFilter,
    _ planes: inout ChunkBuffer, into content: inout ChunkBuffer, at start: Int
  ) {
    layOut(words.bytes(count), filter, &planes, into: &content, at: start)
  }

  static func split(
    _ words: borrowing ChunkBuffer, _ count: Int, _ filter: NativeFilter,
    through planes: inout ChunkBuffer, into content: inout ChunkBuffer
  ) {
    split(words.bytes(count), filter, through: &planes, into: &content, at: 0)
  }

  private static func append(
    _ numbers: [UInt16], to content: inout ChunkBuffer, at start: Int
  ) {
    var target = content.mutableBytes(content.capacity)
    var part = target._mutatingExtracting(start..<start + 2 * numbers.count)
    let planes = numbers.map { UInt8($0 & 0xff) } + numbers.map { UInt8($0 >> 8) }
    part.copyBytes(from: planes.rawBytes)
  }

  /// Writes words in a layout into the content.
  private static func layOut(
    _ words: RawSpan, _ filter: NativeFilter, _ planes: inout ChunkBuffer,
    into content: inout ChunkBuffer, at start: Int
  ) {
    guard filter.layout == .bits else {
      return split(words, filter, through: &planes, into: &content, at: start)
    }
    let (width, count) = (filter.width, words.byteCount / filter.width)
    do {
      var target = planes.mutableBytes(words.byteCount)
      Planes.split(words, width: width, rotated: filter.columns == nil, into: &target)
    }
    let bytes = planes.bytes(words.byteCount)
    var target = content.mutableBytes(content.capacity)
    let size = (count + 7) / 8 * 8
    for plane in 0..<width / 2 {
      var part = target._mutatingExtracting(start + plane * size..<start + (plane + 1) * size)
      BitPlanes.split(bytes.extracting(plane * count..<(plane + 1) * count), into: &part)
    }
    let upper = bytes.extracting(width / 2 * count..<width * count)
    let place = start + width / 2 * size
    var part = target._mutatingExtracting(place..<place + upper.byteCount)
    part.copyBytes(from: upper)
  }

  /// Divides words into planes, those of rotated words unless levels were subtracted, which rotates.
  static func split(
    _ words: RawSpan, _ filter: NativeFilter, through turned: inout ChunkBuffer,
    into content: inout ChunkBuffer, at start: Int
  ) {
    let (width, size) = (filter.width, words.byteCount)
    var all = content.mutableBytes(content.capacity)
    var target = all._mutatingExtracting(start..<start + size)
    let isRotated = filter.layout == .rotatedPlanes && filter.columns == nil
    if !Planes.widths.contains(width) {
      BlockPlanes.split(words, size: width, into: &target)
    } else if isRotated, width == 8 {
      do {
        var bytes = turned.mutableBytes(size)
        WordRotation.rotate(words, width: 8, into: &bytes)
      }
      Planes.split(turned.bytes(size), width: 8, rotated: false, into: &target)
    } else {
      Planes.split(words, width: width, rotated: isRotated, into: &target)
    }
  }
}
