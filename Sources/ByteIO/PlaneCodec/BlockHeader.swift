/// The header of a dynamic Huffman block: the code lengths of its two codes, run-length encoded and
/// Huffman-coded themselves (RFC 1951, section 3.2.7).
struct BlockHeader {
  /// Size of the header in bits, including the three block header bits.
  let bitCount: Int
  private let literalCount: Int
  private let distanceCount: Int
  private let tokens: [Token]
  private let code: HuffmanCode
  private let codeLengthCount: Int

  /// A symbol of the code length alphabet: a length from 0 to 15, or 16, 17, or 18 for repetitions,
  /// whose number is in the extra bits.
  private struct Token {
    var symbol: UInt8
    var extra: UInt8 = 0
    var extraBits: UInt8 = 0
  }

  /// The order in which the lengths of the code length code are stored.
  private static let order = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
  ]

  /// Creates the header for the code lengths of literals and distances; the latter may all be 0.
  init(literals: [UInt8], distances: [UInt8]) {
    // Trailing zeros are left out, down to the minimum that the format can express.
    literalCount = max(257, (literals.lastIndex { $0 > 0 } ?? 0) + 1)
    // A block without matches still states one distance code, of length 0.
    distanceCount = max(1, (distances.lastIndex { $0 > 0 } ?? 0) + 1)
    // Both codes form one sequence of lengths, so that a repetition may cross from one into the
    // other.
    tokens = Self.tokens(Array(literals[..<literalCount] + distances[..<distanceCount]))
    var counts = [UInt32](repeating: 0, count: 19)
    for token in tokens { counts[Int(token.symbol)] += 1 }
    // Lengths of the code length code are stored in 3 bits.
    let code = HuffmanCode(counts: counts, limit: 7)
    self.code = code
    codeLengthCount = max(4, (Self.order.lastIndex { code.lengths[$0] > 0 } ?? 0) + 1)
    // BFINAL and BTYPE, then HLIT, HDIST, and HCLEN (5, 5, and 4 bits), then the lengths.
    bitCount =
      3 + 14 + 3 * codeLengthCount + code.bits(counts)
      + tokens.reduce(0) { $0 + Int($1.extraBits) }
  }

  /// Run-length encodes code lengths: 17 and 18 repeat 0 for 3–10 and 11–138 times, 16 repeats the
  /// previous length 3–6 times.
  private static func tokens(_ lengths: [UInt8]) -> [Token] {
    var tokens: [Token] = []
    var index = 0
    while index < lengths.count {
      let length = lengths[index]
      var run = 1
      while index + run < lengths.count, lengths[index + run] == length { run += 1 }
      index += run
      if length == 0 {
        while run >= 11 {
          let part = min(run, 138)
          tokens.append(Token(symbol: 18, extra: UInt8(part - 11), extraBits: 7))
          run -= part
        }
        if run >= 3 {
          tokens.append(Token(symbol: 17, extra: UInt8(run - 3), extraBits: 3))
          run = 0
        }
      } else {
        // 16 repeats the length before it, so the first of a run is written as it is.
        tokens.append(Token(symbol: length))
        run -= 1
        while run >= 3 {
          let part = min(run, 6)
          tokens.append(Token(symbol: 16, extra: UInt8(part - 3), extraBits: 2))
          run -= part
        }
      }
      for _ in 0..<run { tokens.append(Token(symbol: length)) }
    }
    return tokens
  }

  /// Writes the header; `isLast` marks the final block of the stream.
  func write(to writer: inout DeflateWriter, isLast: Bool) {
    writer.append(isLast ? 1 : 0, bits: 1)
    writer.append(2, bits: 2)
    writer.append(UInt64(literalCount - 257), bits: 5)
    writer.append(UInt64(distanceCount - 1), bits: 5)
    writer.append(UInt64(codeLengthCount - 4), bits: 4)
    for symbol in Self.order[..<codeLengthCount] {
      writer.append(UInt64(code.lengths[symbol]), bits: 3)
    }
    let words = code.words
    for token in tokens {
      writer.append(word: words[Int(token.symbol)])
      writer.append(UInt64(token.extra), bits: Int(token.extraBits))
    }
  }
}
