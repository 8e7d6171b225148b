import Testing
import TorchRandom

@Suite struct GeneratorJumpTests {
  static let counts = [
    0, 1, 2, 623, 624, 625, 19_936, 19_937, 19_938, 1_000_000, 3_499_999, 3_500_000, 3_500_001,
    3_500_624, 3_500_625, 123_456_789,
  ]

  /// Passes over words by steps that are too short for a jump.
  static func twisted(_ start: Generator, words count: Int) -> Generator {
    var generator = start
    var left = count
    while left > 0 {
      let step = min(left, 3_000_000)
      generator.skip(words: step)
      left -= step
    }
    return generator
  }

  static func next(_ count: Int, of generator: Generator) -> [UInt32] {
    var copy = generator
    return (0..<count).map { _ in copy.nextUInt32() }
  }

  @Test(arguments: counts)
  func `a skip of any length lands where the words one by one do`(count: Int) {
    for usedBefore in [0, 1, 300, 623, 624] {
      var start = Generator(seed: 42)
      start.skip(words: usedBefore)
      var skipped = start
      skipped.skip(words: count)
      #expect(
        Self.next(1300, of: skipped) == Self.next(1300, of: Self.twisted(start, words: count)),
        "after \(usedBefore)")
    }
  }

  @Test func `jumps add up`() {
    var chained = Generator(seed: 7)
    var total = 0
    for count in [10_000_000, 5, 4_000_001, 700, 1 << 40, 3_600_000] {
      chained.skip(words: count)
      total += count
    }
    var single = Generator(seed: 7)
    single.skip(words: total)
    #expect(Self.next(1300, of: chained) == Self.next(1300, of: single))
  }

  @Test func `the longest skip is the sum of its halves`() {
    var whole = Generator(seed: 1)
    whole.skip(words: .max)
    var halves = Generator(seed: 1)
    halves.skip(words: .max / 2)
    halves.skip(words: .max - .max / 2)
    #expect(Self.next(1300, of: whole) == Self.next(1300, of: halves))
    #expect(Self.next(2, of: whole) != Self.next(2, of: Generator(seed: 1)))
    var later = Generator(seed: 1)
    for words in [.max / 2, 0, .max - .max / 2] { later.skipLater(words: words) }
    #expect(Self.next(1300, of: later) == Self.next(1300, of: whole))
  }

  @Test(arguments: [0, 1, 623, 624, 625, 1247, 1248, 1249, 5000])
  func `filling gives the words one by one`(count: Int) {
    for usedBefore in [0, 1, 300, 623, 624] {
      var single = Generator(seed: 3)
      single.skip(words: usedBefore)
      var filled = single
      var words = [UInt32](repeating: 0, count: count)
      var span = words.mutableSpan
      filled.fill(&span)
      #expect(words == (0..<count).map { _ in single.nextUInt32() })
      #expect(filled.nextUInt64() == single.nextUInt64())
    }
  }

  @Test func `a jump leaves the cached normal alone`() {
    var generator = Generator(seed: 1)
    generator.cachedNormal = 0.5
    generator.skip(words: 10_000_000)
    #expect(generator.cachedNormal == 0.5)
  }
}
