import CKernels

/// An optimal prefix code whose words have a limited length, as deflate's alphabets require.
///
/// Source of the lengths: package-merge (Larmore and Hirschberg, *A fast algorithm for optimal
/// length-limited Huffman codes*, 1990); of the words: RFC 1951, section 3.2.2. Symbols with equal
/// counts are ordered by number, so that the code depends only on the counts.
package struct HuffmanCode {
  /// Length in bits of each symbol's word; 0 for a symbol that does not occur.
  package let lengths: [UInt8]

  /// Creates a code for symbols with these counts; there may be at most 2^`limit` symbols.
  ///
  /// A code with a single word would be incomplete, which readers refuse, so a second symbol gets one
  /// too.
  package init(counts: [UInt32], limit: Int) {
    let used = counts.count { $0 > 0 }
    precondition(counts.count <= 288 && limit <= 15, "\(counts.count) symbols, \(limit) bits")
    precondition(max(used, 2) <= 1 << limit, "\(used) words of \(limit) bits")
    var lengths = [UInt8](repeating: 0, count: counts.count)
    unsafe ckpt_code_lengths(counts, counts.count, UInt32(limit), &lengths)
    self.lengths = lengths
  }

  /// Each symbol's word, bit-reversed so that its first bit is the lowest, plus its length << 16; 0
  /// for a symbol without a word.
  package var words: [UInt32] {
    // RFC 1951, 3.2.2, step 2. Until the loop below reaches it, next[n] is the number of words of n
    // - 1 bits, from which the first word of n bits follows.
    var next = [UInt32](repeating: 0, count: 17)
    for length in lengths where length > 0 { next[Int(length) + 1] += 1 }
    // From the number of words of each length to the first word of that length.
    for length in 1..<17 { next[length] = (next[length - 1] + next[length]) << 1 }
    return lengths.map { length in
      if length == 0 { return 0 }
      let word = next[Int(length)]
      next[Int(length)] += 1
      return UInt32(length) << 16 | word.bitReversed >> UInt32(32 - length)
    }
  }

  /// Bits that symbols take which occur so often.
  package func bits(_ counts: [UInt32]) -> Int {
    zip(lengths, counts).reduce(0) { $0 + Int($1.0) * Int($1.1) }
  }
}

extension UInt32 {
  /// The bits from the other end.
  fileprivate var bitReversed: UInt32 {
    var bits = self.byteSwapped
    bits = bits >> 4 & 0x0f0f_0f0f | bits << 4 & 0xf0f0_f0f0
    bits = bits >> 2 & 0x3333_3333 | bits << 2 & 0xcccc_cccc
    return bits >> 1 & 0x5555_5555 | bits << 1 & 0xaaaa_aaaa
  }
}
