import CKernels

/// The low bits of one word of the stream as what they are: sums, modulo 2, of bits of the state
/// that a seed makes.
///
/// So a seed is tested for any word, however far on, by 624 steps of the seeding and as many masks
/// for each bit. The masks follow from the recurrence run backwards; words very far on are first
/// written as sums of the first 20 000, as jumps are (jump.c).
struct WordField {
  /// As `ckpt_seed_word` takes them.
  let masks: [UInt32]
  /// How many bits of the field are below the eight of the sieve.
  private let restBits: Int

  private static let (sieveBits, maxRestBits) = (Int(CKPT_SIEVE_BITS), Int(CKPT_REST_BITS))
  private static let degree = 19937

  /// The low `bits` bits, 8 to 24, of word number `position`, counted from seeding.
  init(position: Int, bits: Int) {
    restBits = bits - Self.sieveBits
    var masks = [UInt32](repeating: 0, count: 624 * (Self.sieveBits + Self.maxRestBits))
    let terms = Self.terms(ofWord: position + 624)
    let last = terms.max() ?? 0
    for bit in 0..<bits {
      var sums = [UInt32](repeating: 0, count: max(last, 623) + 1)
      let tempered = Self.termsOfTempered(bit)
      for term in terms { sums[term] = tempered }
      for word in stride(from: last, through: 624, by: -1) where sums[word] != 0 {
        // word = middle ^ mixed(high, low), and mixed shifts down and adds 9908b0df if odd.
        let sum = sums[word]
        let odd = UInt32(truncatingIfNeeded: (sum & 0x9908_b0df).nonzeroBitCount & 1)
        let both = sum << 1 ^ odd
        // w[i] = w[i - 227] ^ mixed(w[i - 624], w[i - 623]): where w[i] is part of a sum, these
        // three take its place. From the last word down, only the 624 of the seeded state are left.
        sums[word - 227] ^= sum
        sums[word - 624] ^= both & 0x8000_0000
        sums[word - 623] ^= both & 0x7fff_ffff
      }
      let (row, column, start) =
        bit >= restBits
        ? (Self.sieveBits, bit - restBits, 0)
        : (Self.maxRestBits, bit, 624 * Self.sieveBits)
      for word in 0..<624 { masks[start + word * row + column] = sums[word] }
    }
    self.masks = masks
  }

  /// The field's value for one seed.
  func value(for seed: UInt32) -> UInt32 {
    let word = unsafe ckpt_seed_word(seed, masks)
    return (word >> UInt32(Self.maxRestBits)) << UInt32(restBits)
      | word & ((1 << UInt32(restBits)) - 1)
  }

  /// The values of the field's eight highest bits that a range of it has.
  func sieve(_ bounds: ClosedRange<UInt32>) -> ClosedRange<UInt32> {
    bounds.lowerBound >> UInt32(restBits)...bounds.upperBound >> UInt32(restBits)
  }

  /// The words of the recurrence, counted from the first of the state, that a word is the sum of.
  private static func terms(ofWord word: Int) -> [Int] {
    if word <= degree { return [word] }
    var polynomial = [UInt64](repeating: 0, count: 312)
    // Counted from the second word: the low bits of the first take no part in the recurrence.
    unsafe ckpt_mt19937_power(UInt64(word - 1), &polynomial)
    return (0..<degree).filter { polynomial[$0 / 64] >> ($0 % 64) & 1 == 1 }.map { $0 + 1 }
  }

  /// The bits of a word before tempering whose sum is one bit of it after.
  private static func termsOfTempered(_ bit: Int) -> UInt32 {
    (0..<32).reduce(0) { terms, index in
      var word = UInt32(1) << UInt32(index)
      word ^= word >> 11
      word ^= word << 7 & 0x9d2c_5680
      word ^= word << 15 & 0xefc6_0000
      word ^= word >> 18
      return terms | (word >> UInt32(bit) & 1) << UInt32(index)
    }
  }
}
