import ByteIO
import TensorCore

/// How a packing of the LZ77 family writes its sequences.
protocol LZGrammar {
  /// The next step, after `made` bytes were unpacked; `nil` at the end.
  ///
  /// - Throws: ``CheckpointError`` `malformed`, also for a match that begins before the first byte or
  ///   more than ``LZWindow/reach`` bytes back.
  mutating func next(
    _ input: inout FilterInput, made: Int
  ) throws(CheckpointError) -> LZStep?

  /// Unpacks as many steps as it likes at once; those that are damaged or cut are for
  /// ``next(_:made:)``.
  mutating func unpack(
    _ input: inout FilterInput, into window: inout LZWindow
  ) throws(CheckpointError)
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
  private var window = LZWindow()
  /// Unpacked bytes that were passed on.
  private var passed = 0
  private var literals = 0
  private var match = (distance: 1, count: 0)
  private var isAtEnd = false

  init(_ input: FilterInput, _ grammar: Grammar) {
    self.input = input
    self.grammar = grammar
  }

  func read(into target: inout MutableRawSpan) throws(CheckpointError) -> Int {
    if passed == window.made { try unpack() }
    let count = min(target.byteCount, window.made - passed)
    var part = target._mutatingExtracting(..<count)
    part.copyBytes(from: window.bytes(passed..<passed + count))
    passed += count
    return count
  }

  /// Unpacks until the window is full or the stream ends.
  private func unpack() throws(CheckpointError) {
    window.slide()
    while window.room > 0, !isAtEnd {
      if literals > 0 {
        guard try input.hasMore() else { throw FilterInput.cutShort }
        try input.take { bytes throws(CheckpointError) in
          let count = min(literals, window.room, bytes.byteCount)
          window.append(bytes.extracting(..<count))
          literals -= count
          return count
        }
      } else if match.count > 0 {
        let count = min(match.count, window.room)
        window.append(repeating: count, distance: match.distance)
        match.count -= count
      } else {
        try grammar.unpack(&input, into: &window)
        switch try grammar.next(&input, made: window.made) {
        case .literals(let count): literals = count
        case .match(let distance, let count): match = (distance, count)
        case nil: isAtEnd = true
        }
      }
    }
  }
}
