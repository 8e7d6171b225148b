import ByteIO
import TensorCore

/// How a packing of the LZ77 family writes its sequences.
protocol LZGrammar {
  /// The next step, after `made` bytes were unpacked; `nil` at the end.
  ///
  /// - Throws: ``CheckpointError`` `malformed`, also for a match that begins before the first byte or
  ///   more than ``LZStage/reach`` bytes back.
  mutating func next(
    _ input: inout FilterInput, made: Int
  ) throws(CheckpointError) -> LZStep?
}

/// A step of unpacking.
enum LZStep {
  /// This many bytes follow as they are.
  case literals(Int)
  /// A copy of `count` bytes from `distance` bytes back, which may overlap those that it makes.
  case match(distance: Int, count: Int)
}

/// Unpacks a stream of literals and matches.
final class LZStage<Grammar: LZGrammar>: FilterStage {
  private var input: FilterInput
  private var grammar: Grammar
  /// The last bytes that were unpacked, each at its number modulo the size.
  private var ring = [UInt8](repeating: 0, count: 2 * LZStage.reach)
  /// Bytes that were unpacked, and those of them that were passed on.
  private var (made, passed) = (0, 0)
  private var literals = 0
  private var match = (distance: 1, count: 0)
  private var isAtEnd = false

  /// Largest distance of a match.
  static var reach: Int { 1 << 16 }

  init(_ input: FilterInput, _ grammar: Grammar) {
    self.input = input
    self.grammar = grammar
  }

  func read(into target: inout MutableRawSpan) throws(CheckpointError) -> Int {
    if passed == made { try unpack() }
    // As much as lies in one piece of the ring.
    let start = passed & (ring.count - 1)
    let count = min(target.byteCount, made - passed, ring.count - start)
    var part = target._mutatingExtracting(..<count)
    part.copyBytes(from: ring[start..<start + count].rawBytes)
    passed += count
    return count
  }

  /// Unpacks until half of the ring is new or the stream ends.
  private func unpack() throws(CheckpointError) {
    let end = passed + Self.reach
    while made < end, !isAtEnd {
      if literals > 0 {
        guard try input.hasMore() else { throw FilterInput.cutShort }
        let count = input.take(min(literals, end - made), into: &ring, at: made)
        made += count
        literals -= count
      } else if match.count > 0 {
        let count = min(match.count, end - made)
        Self.copy(count, from: match.distance, in: &ring, at: made)
        made += count
        match.count -= count
      } else {
        switch try grammar.next(&input, made: made) {
        case .literals(let count): literals = count
        case .match(let distance, let count): match = (distance, count)
        case nil: isAtEnd = true
        }
      }
    }
  }

  private static func copy(
    _ count: Int, from distance: Int, in ring: inout [UInt8], at start: Int
  ) {
    var bytes = ring.mutableSpan
    let mask = bytes.count - 1
    for index in start..<start + count { bytes[index & mask] = bytes[(index - distance) & mask] }
  }
}
