import ByteIO
import TensorCore
import TestSupport
import Testing

/// The window of the LZ77 family, compared with copies byte by byte.
@Suite struct LZWindowTests {
  private enum Step {
    case literals([UInt8])
    case match(distance: Int, count: Int)
  }

  /// Steps that are drawn, each of which refers to bytes that are there.
  private static func steps(_ count: Int, seed: UInt64) -> [Step] {
    var random = SplitMix(seed: seed)
    var made = 0
    return (0..<count).map { _ in
      if made == 0 || random.below(3) == 0 {
        let bytes = (0..<1 + random.below(32)).map { _ in UInt8(random.below(256)) }
        made += bytes.count
        return .literals(bytes)
      }
      // Near ones overlap what they make; far ones reach as far as LibLZF does.
      let reach = [3, 20, 300, 8192][random.below(4)]
      let count = random.below(2) == 0 ? 3 + random.below(7) : 3 + random.below(262)
      defer { made += count }
      return .match(distance: 1 + random.below(min(reach, made)), count: count)
    }
  }

  /// The bytes, made one by one, and where each step ends.
  private static func plain(_ steps: [Step]) -> (bytes: [UInt8], ends: [Int]) {
    var (bytes, ends): ([UInt8], [Int]) = ([], [])
    for step in steps {
      switch step {
      case .literals(let literals): bytes += literals
      case .match(let distance, let count):
        for _ in 0..<count { bytes.append(bytes[bytes.count - distance]) }
      }
      ends.append(bytes.count)
    }
    return (bytes, ends)
  }

  /// Steps in the spelling of LibLZF, and where each ends.
  private static func packed(_ steps: [Step]) -> (bytes: [UInt8], ends: [Int]) {
    var (bytes, ends): ([UInt8], [Int]) = ([], [])
    for step in steps {
      switch step {
      case .literals(let literals): bytes += [UInt8(literals.count - 1)] + literals
      case .match(let distance, let count):
        let (high, low) = ((distance - 1) >> 8, UInt8((distance - 1) & 255))
        bytes.append(UInt8(min(count - 2, 7) << 5 | high))
        if count >= 9 { bytes.append(UInt8(count - 9)) }
        bytes.append(low)
      }
      ends.append(bytes.count)
    }
    return (bytes, ends)
  }

  private func content(_ window: borrowing LZWindow, _ range: Range<Int>) -> [UInt8] {
    let bytes = window.bytes(range)
    return [UInt8](count: range.count) { $0.copyBytes(from: bytes) }
  }

  @Test(arguments: 0..<8) func `whole steps of LibLZF are unpacked, and all but the last few`(
    seed: Int
  ) {
    let steps = Self.steps(600, seed: UInt64(seed))
    let (expected, packed) = (Self.plain(steps), Self.packed(steps))
    var window = LZWindow()
    let taken = window.unpackLZF(packed.bytes.rawBytes)
    #expect(packed.bytes.count - taken <= 33)
    let number = packed.ends.firstIndex(of: taken)
    #expect(number.map { expected.ends[$0] } == window.made)
    #expect(content(window, 0..<window.made) == Array(expected.bytes[..<window.made]))
  }

  @Test func `it stops before a match that refers to what was never unpacked`() {
    var window = LZWindow()
    let stream = [2, 1, 2, 3, 0x20, 3] + [UInt8](repeating: 0, count: 40)
    #expect(window.unpackLZF(stream.rawBytes) == 4)
    #expect(window.made == 3)
  }

  @Test func `matches reach back over what was dropped`() {
    let steps = Self.steps(9_000, seed: 99)
    let expected = Self.plain(steps).bytes
    var window = LZWindow()
    var passed: [UInt8] = []
    for step in steps {
      if window.room < 300 {
        passed += content(window, passed.count..<window.made)
        window.slide()
      }
      switch step {
      case .literals(let bytes): window.append(bytes.rawBytes)
      case .match(let distance, let count): window.append(repeating: count, distance: distance)
      }
    }
    passed += content(window, passed.count..<window.made)
    #expect(window.made == expected.count && window.made > 2 * LZWindow.reach)
    #expect(passed == expected)
  }
}
