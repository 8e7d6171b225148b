import CKernels
import TensorCore

/// The code that a block is written with.
struct BlockCode {
  /// Whether runs of three or more bytes are matches.
  let hasRuns: Bool
  let code: HuffmanCode
  let header: BlockHeader
  /// Size of the block in bits, including its header and end.
  let bitCount: Int

  /// Usual length of the longest word for a literal: a reader's table of 2048 entries decodes it in
  /// one step.
  private static let maxLiteral = 11
  /// The longest word of which two fit into one entry of the writer's table of pairs.
  private static let maxLong = 13
  /// Longest code word if there are runs; the format's maximum.
  private static let maxRun = 15

  private init(_ counts: [UInt32], _ code: HuffmanCode, hasRuns: Bool = false, extraBits: Int = 0) {
    self.hasRuns = hasRuns
    self.code = code
    header = BlockHeader(literals: code.lengths, distances: [hasRuns ? 1 : 0])
    bitCount = header.bitCount + code.bits(counts) + extraBits
  }

  /// The best code for a block; `nil` if its bytes are better stored.
  init?(_ block: borrowing PlannedBlock, of bytes: RawSpan) {
    guard block.kind != .stored, bytes.byteCount > 0 else { return nil }
    var best = Self(literals: block.counts)
    if block.kind == .runs {
      let runs = Self(runsOf: bytes)
      if runs.bitCount < best.bitCount { best = runs }
    }
    // A stored block has 5 bytes of its own for each 65,535.
    let stored = 8 * bytes.byteCount + 40 * ((bytes.byteCount + 65_534) / 65_535)
    guard best.bitCount < stored else { return nil }
    self = best
  }

  /// About how many bits a block takes; for literals a little less than it does, since its code has words of
  /// any length and its header is estimated.
  static func bits(_ block: borrowing PlannedBlock, of bytes: RawSpan) -> Int {
    let stored = 8 * bytes.byteCount + 40 * ((bytes.byteCount + 65_534) / 65_535)
    switch block.kind {
    case .stored: return stored
    case .runs: return Self(block, of: bytes)?.bitCount ?? stored
    case .literals:
      let (counts, header) = (block.counts, 60 + 4 * block.used)
      return min(
        header
          + Int(
            unsafe counts.span.withUnsafeBufferPointer { counts in
              unsafe ckpt_huffman_bits(counts.baseAddress, counts.count)
            }), stored)
    }
  }

  private init(literals: borrowing [256 of UInt32]) {
    var counts = [UInt32](repeating: 1, count: 257)  // the last one is the end of the block
    for index in literals.indices { counts[index] = literals[index] }
    let long = HuffmanCode(counts: counts, limit: Self.maxLong)
    guard long.lengths.contains(where: { $0 > Self.maxLiteral }) else {
      self.init(counts, long)
      return
    }
    let short = HuffmanCode(counts: counts, limit: Self.maxLiteral)
    // Long words cost time, and must save 1/256 of the block.
    let (bits, least) = (short.bits(counts), long.bits(counts))
    self.init(counts, bits - least > bits / 256 ? long : short)
  }

  private init(runsOf bytes: RawSpan) {
    var counts = [UInt32](repeating: 0, count: 286)
    unsafe bytes.withUnsafeBytes { bytes in
      unsafe ckpt_runs_histogram(
        bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count, &counts)
    }
    counts[256] = 1
    // A match costs its extra length bits (RFC 1951, section 3.2.5) and one bit for its distance.
    var extraBits = 0
    for symbol in 257..<286 {
      let lengthBits = symbol < 265 || symbol == 285 ? 0 : (symbol - 261) / 4
      extraBits += Int(counts[symbol]) * (lengthBits + 1)
    }
    self.init(
      counts, HuffmanCode(counts: counts, limit: Self.maxRun), hasRuns: true, extraBits: extraBits)
  }
}
