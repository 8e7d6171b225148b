/// PyTorch's CPU generator: mt19937 plus one cached normal number.
///
/// A value: copying it forks the stream, so a position can be kept and drawn from again.
/// Source: PyTorch 2.15 `at::CPUGeneratorImpl`, `at::mt19937`; Matsumoto and Nishimura,
/// *Mersenne Twister*, ACM TOMACS 8 (1998).
public struct Generator: Sendable {
  private var state: GeneratorState
  /// Words of the state that were given out.
  private var used = GeneratorState.size
  /// Words that are passed over before the next is drawn.
  private var pending = 0
  /// Which of PyTorch's CPU paths makes values of the words; the words themselves are the same.
  public let cpuPath: CPUPath
  /// Words drawn since seeding, modulo 2^64.
  package private(set) var position: UInt64 = 0

  /// The standard normal that the last odd-sized serial draw left over.
  ///
  /// The next serial normal uses it first, whatever was drawn in between; `manual_seed` clears it.
  package var cachedNormal: Double?

  /// Words from which on a jump is quicker than twisting, measured: 0.45 ms against 0.08 µs for
  /// each 624 words.
  private static let leastJump = 3_500_000

  /// Starts the stream of `torch.manual_seed(seed)`; only the low 32 bits of `seed` matter.
  public init(seed: UInt64, cpuPath: CPUPath = .avx2) {
    self.cpuPath = cpuPath
    state = GeneratorState(seed: UInt32(truncatingIfNeeded: seed))
  }

  /// The next word of the stream, 32 bits.
  public mutating func nextUInt32() -> UInt32 {
    settle()
    if used == GeneratorState.size {
      state.twist()
      used = 0
    }
    used += 1
    position &+= 1
    return state[used - 1]
  }

  /// The next 64 bits: the first word drawn is the high half.
  public mutating func nextUInt64() -> UInt64 {
    let high = UInt64(nextUInt32())
    return high << 32 | UInt64(nextUInt32())
  }

  /// Fills `words` with the words that come next, in order.
  package mutating func fill(_ words: inout MutableSpan<UInt32>) {
    settle()
    let size = GeneratorState.size
    let first = min(size - used, words.count)
    let blocks = (words.count - first) / size * size
    let last = words.count - first - blocks
    position &+= UInt64(words.count)
    if first > 0 {
      var part = words._mutatingExtracting(0..<first)
      state.temper(used..<used + first, into: &part)
      used += first
    }
    if blocks > 0 {
      var part = words._mutatingExtracting(first..<first + blocks)
      state.fillBlocks(&part)
    }
    if last > 0 {
      state.twist()
      var part = words._mutatingExtracting(first + blocks..<words.count)
      state.temper(0..<last, into: &part)
      used = last
    }
  }

  /// Skips `count` words without computing them one by one.
  ///
  /// However many they are, it takes less than a few milliseconds.
  public mutating func skip(words count: Int) {
    skipLater(words: count)
    settle()
  }

  /// Skips words when the next is drawn, so that several skips cost what one does; a copy that is
  /// made before does so for itself.
  package mutating func skipLater(words count: Int) {
    precondition(count >= 0, "negative count")
    position &+= UInt64(count)
    if count > .max - pending { settle() }
    pending += count
  }

  /// Passes over the words that are to be skipped.
  package mutating func settle() {
    if pending == 0 { return }
    let count = pending
    pending = 0
    let size = GeneratorState.size
    let here = size - used
    guard count > here else {
      used += count
      return
    }
    let beyond = count - here
    if beyond >= Self.leastJump {
      // The jump gives the 624 words that end here; all of them count as given out.
      state.jump(words: UInt64(beyond))
      used = size
    } else {
      state.twist(times: (beyond + size - 1) / size)
      // 1 to 624 and never 0: the state moves on when a word of it is needed, not before.
      used = (beyond - 1) % size + 1
    }
  }
}
