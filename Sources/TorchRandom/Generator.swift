/// PyTorch's CPU generator: mt19937 plus one cached normal number.
///
/// A value: copying it forks the stream, so a position can be kept and drawn from again.
/// Source: PyTorch 2.15 `at::CPUGeneratorImpl`, `at::mt19937`; Matsumoto and Nishimura,
/// *Mersenne Twister*, ACM TOMACS 8 (1998).
public struct Generator: Sendable {
  private var state = [UInt32](repeating: 0, count: Self.stateSize)
  private var used = Self.stateSize
  private var twists = 0

  /// Words drawn since seeding.
  public var position: Int { twists == 0 ? 0 : (twists - 1) * Self.stateSize + used }

  /// The standard normal that the last odd-sized serial draw left over.
  ///
  /// The next serial normal uses it first, whatever was drawn in between; `manual_seed` clears it.
  public var cachedNormal: Double?

  private static let stateSize = 624
  private static let middle = 397

  /// Starts the stream of `torch.manual_seed(seed)`; only the low 32 bits of `seed` matter.
  public init(seed: UInt64) {
    state[0] = UInt32(truncatingIfNeeded: seed)
    for index in 1..<Self.stateSize {
      let previous = state[index - 1]
      state[index] = 1_812_433_253 &* (previous ^ previous >> 30) &+ UInt32(index)
    }
  }

  /// The next 32 bits.
  public mutating func nextUInt32() -> UInt32 {
    if used == Self.stateSize { twist() }
    let word = Self.temper(state[used])
    used += 1
    return word
  }

  /// The next 64 bits: the first word drawn is the high half.
  public mutating func nextUInt64() -> UInt64 {
    let high = UInt64(nextUInt32())
    return high << 32 | UInt64(nextUInt32())
  }

  /// Fills `words` with the words that come next, in order.
  public mutating func fill(_ words: inout MutableSpan<UInt32>) {
    var filled = 0
    while filled < words.count {
      if used == Self.stateSize { twist() }
      let batch = min(Self.stateSize - used, words.count - filled)
      var target = words._mutatingExtracting(filled..<filled + batch)
      Self.temper(state.span.extracting(used..<used + batch), into: &target)
      used += batch
      filled += batch
    }
  }

  /// Passes over `count` words without computing them one by one.
  public mutating func skip(words count: Int) {
    var left = count
    while left > Self.stateSize - used {
      left -= Self.stateSize - used
      twist()
    }
    used += left
  }

  private static func temper(_ word: UInt32) -> UInt32 {
    var y = word
    y ^= y >> 11
    y ^= y << 7 & 0x9d2c_5680
    y ^= y << 15 & 0xefc6_0000
    return y ^ y >> 18
  }

  private static func temper(_ raw: Span<UInt32>, into words: inout MutableSpan<UInt32>) {
    for index in raw.indices { words[index] = temper(raw[index]) }
  }

  private mutating func twist() {
    func next(_ high: UInt32, _ low: UInt32) -> UInt32 {
      (high & 0x8000_0000 | low & 0x7fff_ffff) >> 1 ^ (low & 1) &* 0x9908_b0df
    }
    var words = state.mutableSpan
    let last = Self.stateSize - 1
    for index in 0..<(Self.stateSize - Self.middle) {
      words[index] = words[index + Self.middle] ^ next(words[index], words[index + 1])
    }
    for index in (Self.stateSize - Self.middle)..<last {
      words[index] =
        words[index + Self.middle - Self.stateSize] ^ next(words[index], words[index + 1])
    }
    words[last] = words[Self.middle - 1] ^ next(words[last], words[0])
    used = 0
    twists += 1
  }
}
