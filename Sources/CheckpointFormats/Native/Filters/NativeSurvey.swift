import ByteIO
import ParallelWork
import TensorCore

/// A look at a few words of a chunk, from which its filter is chosen.
///
/// All arithmetic is on integers, so that every machine makes the same choice.
struct NativeSurvey {
  /// Number of words that were looked at.
  private(set) var looked = 0
  /// How many of them are 0, whatever their sign.
  private(set) var zeros = 0
  /// How many different ones there are, or a little fewer.
  private(set) var distinct = 0
  /// Whether a sign is set.
  private(set) var hasSigns = false
  /// Ones among the lowest 15 bits.
  private var ones = 0

  /// Most words that are looked at.
  private static let maxLooked = 512

  init(_ words: RawSpan, width: Int, isFloat: Bool) {
    let count = words.byteCount / width
    looked = min(count, Self.maxLooked)
    var seen: [16 of UInt64] = .init(repeating: 0)
    for index in 0..<looked {
      // Groups of 32, all over the chunk.
      let place =
        looked < Self.maxLooked ? index : (count - 32) / 15 * (index >> 5) + (index & 31)
      let word = words.word(place, width: width)
      let magnitude = isFloat ? word << UInt64(64 - 8 * width + 1) : word
      if magnitude == 0 { zeros += 1 }
      let slot = Int(Self.hashed(word) >> 54)
      seen[slot >> 6] |= 1 << UInt64(slot & 63)
      ones += (word & 0x7fff).nonzeroBitCount
      if word >> UInt64(8 * width - 1) != 0 { hasSigns = true }
    }
    for index in seen.indices { distinct += seen[index].nonzeroBitCount }
  }

  private static func hashed(_ word: UInt64) -> UInt64 { word &* 0x9e37_79b9_7f4a_7c15 }

  /// Whether so few different words occur that a table of them may do.
  var mayBePalette: Bool { looked >= 256 && distinct <= 230 }

  /// Whether zeros are worth a mask.
  var isSparse: Bool { zeros * 50 > looked }

  /// Whether nothing but zeros was seen.
  var isZero: Bool { zeros == looked }

  /// Whether the bits that the words share are 0 in some of them.
  static func mayNarrow(_ words: RawSpan, width: Int, lowBits: UInt64) -> Bool {
    let count = words.byteCount / width
    var all: UInt64 = 0
    for index in stride(from: 0, to: count, by: 1 + count / 64) {
      all |= words.word(index, width: width)
    }
    return all & lowBits == 0
  }

  // MARK: - What repeats

  /// Whether words come in pairs that occurred before, in one of two windows.
  ///
  /// Their top bytes are left out, since exponents repeat in noise; of bytes and of words of two,
  /// eight bytes are taken. Runs do not count.
  static func repeats(_ words: RawSpan, width: Int) -> Bool {
    repeats(words, width: width, quarter: 1) || repeats(words, width: width, quarter: 3)
  }

  private static func repeats(_ words: RawSpan, width: Int, quarter: Int) -> Bool {
    let count = words.byteCount / width
    let window = min(count, 384)
    if window < 64 { return false }
    let start = (count - window) * quarter / 4 * width
    let bytes = words.extracting(start..<start + window * width)
    // Keys overlap by words; of blocks, by bytes.
    let isWide = width != 4 && width != 8
    let isBlock = !Planes.widths.contains(width)
    let step = isBlock ? 1 : width
    let span = min(bytes.byteCount, 384 * (isBlock ? 4 : width))
    let number = (span - (isWide ? 8 : 2 * width)) / step
    var last = [UInt16](repeating: 0, count: 1024)
    var keys = [UInt64](repeating: 0, count: max(number, 0))
    var (hits, all) = (0, 0)
    for index in keys.indices {
      guard let key = key(bytes, at: index * step, width, isWide: isWide) else { continue }
      keys[index] = key
      let slot = Int(hashed(key) >> 54)
      if last[slot] > 0, keys[Int(last[slot]) - 1] == key { hits += 1 }
      last[slot] = UInt16(index + 1)
      all += 1
    }
    return hits > 12 && hits > all / (width == 4 || width == 8 ? 16 : 4)
  }

  /// What is looked for at an offset; `nil` in a run.
  private static func key(
    _ bytes: RawSpan, at offset: Int, _ width: Int, isWide: Bool
  ) -> UInt64? {
    let part = bytes.extracting(offset...)
    if isWide {
      let key = part.word(0, width: 8)
      let turned = (key << 8 | key >> 56, key << 16 | key >> 48)
      return key == turned.0 || key == turned.1 ? nil : key
    }
    let top: UInt64 = width == 4 ? 0x00ff_ffff : 0x00ff_ffff_ffff_ffff
    let (first, second) = (part.word(0, width: width) & top, part.word(1, width: width) & top)
    if first == second { return nil }
    return width == 4 ? first << 24 | second : first &* 3 &+ (second ^ second >> 29)
  }

  /// Whether the differences of neighbors are less than half as long as the words.
  static func isSmooth(_ words: RawSpan, width: Int) -> Bool {
    let count = words.byteCount / width
    guard width > 1, Planes.widths.contains(width), count >= 64 else { return false }
    let window = min(count, 256)
    let start = (count - window) / 2
    var (differences, lengths) = (0, 0)
    for index in start..<start + window - 1 {
      let (word, next) = (words.word(index, width: width), words.word(index + 1, width: width))
      let unused = 64 - 8 * width
      let difference = Int64(bitPattern: (next &- word) << UInt64(unused)) >> Int64(unused)
      let folded = UInt64(bitPattern: difference < 0 ? ~difference : difference)
      differences += 64 - folded.leadingZeroBitCount
      lengths += 64 - word.leadingZeroBitCount
    }
    return 2 * differences < lengths
  }

  // MARK: - Bits

  /// Whether the lower half of rotated words is better stored bit by bit.
  func bitsPay(_ words: RawSpan, width: Int, isNarrow: Bool) -> Bool {
    guard width == 2 || width == 4, looked == Self.maxLooked, !isNarrow || !hasSigns else {
      return false
    }
    // On average 6.75 of 15 bits; noise has 7.5.
    guard !hasSigns || (width == 4 && ones < looked * 27 / 4) else { return false }
    // A plane of seven bits is read faster as bits.
    if !hasSigns { return true }
    let count = words.byteCount / width
    let group = min(count, 4096) / 32
    let sampled = group * 32
    var sample = ChunkBuffer(capacity: 4 * sampled)
    var planes = ChunkBuffer(capacity: 4 * sampled)
    do {
      var target = sample.mutableBytes(4 * sampled)
      for index in 0..<32 {
        let start = 4 * ((count - group) / 31 * index)
        var part = target._mutatingExtracting(4 * group * index..<4 * group * (index + 1))
        part.copyBytes(from: words.extracting(start..<start + 4 * group))
      }
      var divided = planes.mutableBytes(4 * sampled)
      Planes.split(sample.bytes(4 * sampled), width: 4, rotated: true, into: &divided)
    }
    var (asBits, asPlanes) = (0, 0)
    for plane in 0..<2 {
      let histogram = ByteHistogram(
        planes.bytes(4 * sampled).extracting(plane * sampled..<(plane + 1) * sampled))
      for bit in 0..<8 {
        let ones = histogram.count { $0 >> bit & 1 == 1 }
        asBits +=
          (FixedLogarithm.product(sampled) - FixedLogarithm.product(ones)
            - FixedLogarithm.product(sampled - ones)) >> 10
      }
      let (bits, used) = histogram.entropy
      let all = bits + (used < 64 ? sampled / max(used, 1) : used * 3 / 4)
      asPlanes += all > sampled * 8 * 31 / 32 ? sampled * 8 : all
    }
    return asBits + sampled * 3 / 8 < asPlanes
  }
}
