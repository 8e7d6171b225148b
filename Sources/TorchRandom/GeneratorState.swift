internal import CKernels

/// The 624 words of an mt19937 generator, and the ways in which they move on.
///
/// Source: Matsumoto and Nishimura, *Mersenne Twister*, ACM TOMACS 8 (1998); for the jump,
/// Haramoto et al., *Efficient Jump Ahead for F2-Linear Random Number Generators*, INFORMS J.
/// Comput. 20 (2008).
struct GeneratorState: Sendable {
  static let size = 624

  private var words: [UInt32]

  /// The state of `init_genrand(seed)`, which comes before the first words given out.
  init(seed: UInt32) {
    words = [UInt32](repeating: 0, count: Self.size)
    words[0] = seed
    for index in 1..<Self.size {
      let previous = words[index - 1]
      words[index] = 1_812_433_253 &* (previous ^ previous >> 30) &+ UInt32(index)
    }
  }

  /// The word given out at `index` of this state.
  subscript(index: Int) -> UInt32 {
    var y = words[index]
    y ^= y >> 11
    y ^= y << 7 & 0x9d2c_5680
    y ^= y << 15 & 0xefc6_0000
    return y ^ y >> 18
  }

  /// Writes the words given out at `range`.
  func temper(_ range: Range<Int>, into target: inout MutableSpan<UInt32>) {
    precondition(range.count == target.count, "span of another size than the range")
    let raw = words.span.extracting(range)
    unsafe raw.withUnsafeBufferPointer { raw in
      unsafe target.withUnsafeMutableBufferPointer { target in
        unsafe ckpt_mt19937_temper(raw.baseAddress, target.baseAddress, raw.count)
      }
    }
  }

  /// Moves on by 624 words, `times` times.
  mutating func twist(times: Int = 1) {
    precondition(times >= 0, "negative count")
    unsafe words.withUnsafeMutableBufferPointer {
      unsafe ckpt_mt19937_twist($0.baseAddress, times)
    }
  }

  /// Fills whole blocks of 624 words, moving on before each.
  mutating func fillBlocks(_ target: inout MutableSpan<UInt32>) {
    precondition(target.count.isMultiple(of: Self.size), "not whole blocks")
    unsafe words.withUnsafeMutableBufferPointer { words in
      unsafe target.withUnsafeMutableBufferPointer { target in
        unsafe ckpt_mt19937_blocks(words.baseAddress, target.baseAddress, target.count / Self.size)
      }
    }
  }

  /// Advances by `count` words, which need not be whole blocks.
  ///
  /// One step of the recurrence is a linear map A on the 19937 bits of the state, so `count` steps are
  /// A^count. By Cayley and Hamilton that is a polynomial in A of degree below 19937: x^count modulo
  /// the characteristic polynomial (`ckpt_mt19937_power`, by repeated squaring). The new state is the
  /// sum, modulo 2, of the states whose coefficients are 1 (`ckpt_mt19937_advance`).
  ///
  /// Takes the same time for any large count: less than a millisecond up to 2^40.
  mutating func jump(words count: UInt64) {
    let degree = 19937
    var polynomial = [UInt64](repeating: 0, count: degree / 64 + 1)
    var raw = [UInt32](repeating: 0, count: degree + Self.size)
    unsafe ckpt_mt19937_power(count, &polynomial)
    unsafe words.withUnsafeMutableBufferPointer {
      unsafe ckpt_mt19937_advance(polynomial, &raw, $0.baseAddress)
    }
  }
}
