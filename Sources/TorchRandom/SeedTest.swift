import CKernels

/// A test of many seeds at once by words of their streams; one task's own, with its memory.
///
/// All are tested by one word, and those that pass by the others in turn.
package struct SeedTest {
  private struct Word {
    let range: WordRange
    let field: WordField

    init(_ range: WordRange, start: Int) {
      self.range = range
      field = WordField(
        position: start + range.offset, bits: 32 - range.mask.leadingZeroBitCount)
    }

    func passes(_ seed: UInt32) -> Bool { range.bounds.contains(field.value(for: seed)) }
  }

  /// The first word, if it is among the first 227 of the stream, and its offset.
  private let near: (range: WordRange, position: UInt32)?
  /// The others, and the first one if it is further on.
  private let words: [Word]
  private var hits: [UInt32] = []

  /// Words that follow from seeding without a whole state.
  private static let near = 227

  /// Prepares to test the words that `ranges` speak of, for a draw that starts after `start` words.
  package init(_ ranges: [WordRange], start: Int) {
    let isNear = ranges.first.map { start + $0.offset < Self.near } ?? false
    near = isNear ? ranges.first.map { ($0, UInt32(start + $0.offset)) } : nil
    words = ranges.dropFirst(isNear ? 1 : 0).map { Word($0, start: start) }
  }

  /// Those of `groups` times 64 seeds from `first` on that pass, in order.
  package mutating func seeds(from first: UInt32, groups: Int) -> [UInt32] {
    if hits.count < groups * 64 + 1 { hits = [UInt32](repeating: 0, count: groups * 64 + 1) }
    let found: Int
    if let near {
      let bounds = near.range.bounds
      found = unsafe ckpt_seed_near(
        first, groups, near.position, near.range.mask, bounds.lowerBound,
        bounds.upperBound - bounds.lowerBound, &hits)
    } else if let word = words.first {
      let sieve = word.field.sieve(word.range.bounds)
      found = unsafe ckpt_seed_sieve(
        first, groups, sieve.lowerBound, sieve.upperBound - sieve.lowerBound, word.field.masks,
        &hits)
    } else {
      return (0..<UInt32(groups * 64)).map { first &+ $0 }
    }
    return hits[..<found].filter { seed in words.allSatisfy { $0.passes(seed) } }
  }
}
