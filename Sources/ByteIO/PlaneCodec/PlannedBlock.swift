import CKernels
import TensorCore

/// Bytes that become one block, or stored ones, and how they are packed: decided by histograms.
///
/// All arithmetic is on integers, so that every machine makes the same decision.
struct PlannedBlock {
  /// The kinds of block that bytes may become.
  enum Kind {
    /// Uncompressed.
    case stored
    /// One code word per byte.
    case literals
    /// Perhaps code words for bytes and for runs of three or more.
    case runs
  }

  private(set) var kind = Kind.stored
  private(set) var range: Range<Int>
  /// Whether its last byte is the last of a part.
  private var endsPart = false
  private(set) var counts: [256 of UInt32] = .init(repeating: 0)
  /// Size in bits of an ideal code.
  private var entropy = 0
  /// Number of different bytes.
  private(set) var used = 0

  /// Number of bytes whose histogram is made at once.
  private static let pieceSize = 1 << 15

  /// Bytes that are stored.
  private init(stored range: Range<Int>) { self.range = range }

  /// A piece of a part.
  private init(_ content: RawSpan, _ range: Range<Int>) {
    self.range = range
    let bytes = content.extracting(range)
    let size = range.count
    FixedLogarithm.fill(&counts, with: bytes)
    (entropy, used) = FixedLogarithm.entropy(of: counts, total: size)
    var most: UInt32 = 0
    for index in counts.indices { most = max(most, counts[index]) }
    if Int(most) > size / 4, Self.equalNeighbors(bytes) > size / 2 {
      kind = .runs
    } else if entropy + 60 + 4 * used < size * 8 * 31 / 32 {
      // A code must save at least 1/32 of the bits, or it is not worth the time to decode it.
      kind = .literals
    }
  }

  private static func equalNeighbors(_ bytes: RawSpan) -> Int {
    unsafe bytes.withUnsafeBytes { bytes in
      unsafe ckpt_equal_neighbors(
        bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count)
    }
  }

  /// Calls `body` with the blocks of a content that consists of parts of these sizes, in order.
  ///
  /// Pieces of 32 KiB are merged from left to right while that costs less than a block of their own.
  static func forEach(
    of content: RawSpan, parts: [Int], _ body: (borrowing PlannedBlock, _ isLast: Bool) -> Void
  ) {
    var current: PlannedBlock?
    var start = 0
    for size in parts where size > 0 {
      let part = start..<start + size
      start += size
      let isNoise = isNoise(content.extracting(part))
      let pieces = isNoise ? 1 : (size + pieceSize - 1) / pieceSize
      let step = (size + pieces - 1) / pieces
      for first in stride(from: part.lowerBound, to: part.upperBound, by: step) {
        let range = first..<min(first + step, part.upperBound)
        var next = isNoise ? PlannedBlock(stored: range) : PlannedBlock(content, range)
        next.endsPart = range.upperBound == part.upperBound
        if current?.take(next) != true {
          if let current { body(current, false) }
          current = next
        }
      }
    }
    body(current ?? PlannedBlock(stored: 0..<0), true)
  }

  /// Joins the piece that follows, if that is better than a block of its own.
  private mutating func take(_ next: borrowing PlannedBlock) -> Bool {
    // Runs are those of one part.
    guard kind == next.kind, kind != .runs || !endsPart else { return false }
    if kind != .stored {
      var sums = counts
      for index in sums.indices { sums[index] += next.counts[index] }
      let size = range.count + next.range.count
      let (bits, used) = FixedLogarithm.entropy(of: sums, total: size)
      // What another block costs: its header, and the time for its tables as a reader makes them and
      // as a writer does, for all pairs of bytes.
      let header = 60 + 4 * next.used
      let tables = min(size / 8, 1000) + next.used * next.used / 8
      guard bits + 4 * (used - self.used) <= entropy + next.entropy + header + tables else {
        return false
      }
      (counts, entropy, self.used) = (sums, bits, used)
    }
    range = range.lowerBound..<next.range.upperBound
    endsPart = next.endsPart
    return true
  }

  // MARK: - Sampling

  /// Number of bytes of a large part that are sampled, in pieces spread over all of it.
  private static let sampleSize = 4096
  private static let samplePieces = 32

  /// Whether a sample of a large part is not worth a code.
  private static func isNoise(_ part: RawSpan) -> Bool {
    guard part.byteCount >= 4 * sampleSize else { return false }
    let pieceSize = sampleSize / samplePieces
    let sample = [UInt8](count: sampleSize) { target in
      for piece in 0..<samplePieces {
        let start = (part.byteCount - pieceSize) / (samplePieces - 1) * piece
        var place = target._mutatingExtracting(piece * pieceSize..<(piece + 1) * pieceSize)
        place.copyBytes(from: part.extracting(start..<start + pieceSize))
      }
    }
    return FixedLogarithm.entropy(of: sample.rawBytes).bits >= sampleSize * 8 * 31 / 32
  }
}
