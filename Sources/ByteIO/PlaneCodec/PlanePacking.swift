import CKernels
import TensorCore

/// The packing of one plane, decided by the plane's histogram.
///
/// All arithmetic is on integers, so that every machine makes the same decision.
struct PlanePacking {
  /// The kinds of block that a plane may become.
  enum Kind {
    /// Uncompressed.
    case stored
    /// One code word per byte.
    case literals
    /// Code words for bytes and for runs of three or more.
    case runs
  }

  let kind: Kind
  /// The code of the block; `nil` if stored.
  let code: HuffmanCode?
  let header: BlockHeader?
  /// Size of the block in bits, including its header and end.
  let bitCount: Int

  /// Uncompressed.
  static let stored = PlanePacking(kind: .stored, code: nil, header: nil, bitCount: 0)

  /// Longest code word for literals: a reader's table of 2048 entries decodes it in one step.
  private static let maxLiteral = 11
  /// Longest code word if there are runs; the format's maximum.
  private static let maxRun = 15

  private init(kind: Kind, code: HuffmanCode?, header: BlockHeader?, bitCount: Int) {
    self.kind = kind
    self.code = code
    self.header = header
    self.bitCount = bitCount
  }

  /// Chooses the packing of a plane.
  init(_ plane: RawSpan) {
    let size = plane.byteCount
    // A code must save at least 1/32 of the bits, or it is not worth the time to decode it.
    let allowed = size * 8 - size / 4
    if size >= 4 * Self.sampleSize, Self.sampledBits(plane) >= Self.sampleSize * 8 * 31 / 32 {
      self = .stored
      return
    }
    var counts = [UInt32](repeating: 0, count: 257)
    unsafe plane.withUnsafeBytes { bytes in
      unsafe ckpt_histogram(
        bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count, &counts)
    }
    let most = counts.max() ?? 0
    counts[256] = 1  // the end-of-block symbol
    let literals = Self(.literals, counts, limit: Self.maxLiteral)
    var best = literals.bitCount <= allowed ? literals : .stored
    // If nearly all bytes are equal, even one bit for each is much: try runs.
    if Int(most) > size / 4 * 3 {
      var counts = [UInt32](repeating: 0, count: 286)
      var extraBits = 0
      unsafe plane.withUnsafeBytes { bytes in
        unsafe ckpt_runs_histogram(
          bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count, &counts)
      }
      counts[256] = 1
      // A match costs its extra length bits (RFC 1951, section 3.2.5) and one bit for its distance.
      for symbol in 257..<286 {
        let lengthBits = symbol < 265 || symbol == 285 ? 0 : (symbol - 261) / 4
        extraBits += Int(counts[symbol]) * (lengthBits + 1)
      }
      let runs = Self(.runs, counts, limit: Self.maxRun, extraBits: extraBits)
      if runs.bitCount < min(allowed, literals.bitCount) { best = runs }
    }
    self = best
  }

  private init(_ kind: Kind, _ counts: [UInt32], limit: Int, extraBits: Int = 0) {
    let code = HuffmanCode(counts: counts, limit: limit)
    let header = BlockHeader(literals: code.lengths, distances: [kind == .runs ? 1 : 0])
    self.init(
      kind: kind, code: code, header: header,
      bitCount: header.bitCount + code.bits(counts) + extraBits)
  }

  // MARK: - Sampling

  /// Number of bytes of a large plane that are sampled, in pieces spread over all of it.
  private static let sampleSize = 4096
  private static let pieceSize = 128

  /// n · log2(n) for the counts of a sample, in units of 1/1024.
  private static let weights = (0...sampleSize).map { $0 > 1 ? $0 * fixedLogarithm($0) : 0 }

  /// Size in bits of an ideal code for a sample of n bytes with counts c: Σ c·log2(n / c).
  private static func sampledBits(_ plane: RawSpan) -> Int {
    let pieces = sampleSize / pieceSize
    var counts = [UInt32](repeating: 0, count: 256)
    var sample = [UInt8](repeating: 0, count: sampleSize)
    var elements = sample.mutableSpan
    var target = unsafe elements.mutableBytes
    for piece in 0..<pieces {
      let start = (plane.byteCount - pieceSize) / (pieces - 1) * piece
      var part = target._mutatingExtracting(piece * pieceSize..<(piece + 1) * pieceSize)
      part.copyBytes(from: plane.extracting(start..<start + pieceSize))
    }
    unsafe ckpt_histogram(sample, sample.count, &counts)
    return (weights[sampleSize] - counts.reduce(0) { $0 + weights[Int($1)] }) >> 10
  }
}

/// The binary logarithm of a positive number in units of 1/1024, rounded down.
///
/// Each squaring of the mantissa gives one more bit of the fraction.
private func fixedLogarithm(_ number: Int) -> Int {
  let whole = Int.bitWidth - 1 - number.leadingZeroBitCount
  var mantissa = (UInt64(number) << UInt64(62 - whole)) >> 31  // 1 <= mantissa / 2^31 < 2
  var result = whole
  for _ in 0..<10 {
    // Trap: `>>` binds tighter than `*` in Swift, so this multiplies by 1 and the fraction stays 0.
    // The sample therefore calls noise what takes 7.3 bits a byte or more. A correction changes
    // which planes are packed, and so the bytes of files; it belongs with other changes to the
    // codec.
    mantissa = mantissa * mantissa >> 31
    result <<= 1
    if mantissa >= 1 << 32 {
      mantissa >>= 1
      result |= 1
    }
  }
  return result
}
