import ByteIO
import CKernelVariants
import CKernels
import TensorCore
import TestSupport
import Testing

/// Streams of asymmetric numeral systems against a plain reader and writer of the specification.
@Suite struct RangedStreamTests {
  /// Bytes of which some are frequent.
  private static func skewed(_ count: Int, _ spread: UInt64, seed: UInt64) -> [UInt8] {
    var random = SplitMix(seed: seed)
    return (0..<count).map { _ in
      let number = (0..<4).reduce(UInt64(0)) { sum, _ in sum + random.next() >> 32 % spread }
      return UInt8(truncatingIfNeeded: number + 100)
    }
  }

  private static func packed(_ content: [UInt8], saving: Int = 0) -> [UInt8]? {
    var packed: PlaneCodec.Packed?
    let memory = [UInt8](count: PlaneCodec.maxStreamSize(content.count)) { target in
      packed = PlaneCodec.pack(
        content.rawBytes, parts: [content.count], rangedIfSaving: saving, into: &target)
    }
    return packed.flatMap { $0.isRanged ? Array(memory[..<$0.count]) : nil }
  }

  private static func unpacked(_ stream: [UInt8], room: Int) throws(CheckpointError) -> [UInt8] {
    var made = 0
    let memory = try [UInt8](count: room) { target throws(CheckpointError) in
      made = try PlaneCodec.unpackRanged(stream.rawBytes, into: &target)
    }
    return Array(memory[..<made])
  }

  // MARK: - By the specification

  private struct Reader {
    let stream: [UInt8]
    var position = 0

    mutating func number(_ size: Int) -> Int {
      position += size
      return (0..<size).reduce(0) { $0 | Int(stream[position - size + $1]) << (8 * $1) }
    }

    mutating func parts() -> [Int] {
      var parts: [Int] = []
      while parts.reduce(0, +) < 4096 {
        let first = number(1)
        if first == 0 {
          parts += [Int](repeating: 0, count: number(1) + 1)
        } else {
          parts.append(first < 128 ? first : (first & 127) << 8 | number(1))
        }
      }
      return parts
    }

    mutating func content() -> (bytes: [UInt8], kinds: [Int]) {
      var (bytes, kinds): ([UInt8], [Int]) = ([], [])
      while position < stream.count {
        let head = number(4)
        kinds.append(head & 3)
        switch head & 3 {
        case 0: for _ in 0..<head >> 2 { bytes.append(UInt8(number(1))) }
        case 2: bytes += [UInt8](repeating: UInt8(number(1)), count: head >> 2)
        default:
          let parts = parts()
          let symbols = parts.indices.flatMap { [Int](repeating: $0, count: parts[$0]) }
          var states = (0..<64).map { _ in number(4) }
          for index in 0..<head >> 2 {
            let state = states[index % 64]
            let symbol = symbols[state % 4096]
            let first = parts[..<symbol].reduce(0, +)
            var next = parts[symbol] * (state / 4096) + state % 4096 - first
            if next < 65536 { next = next << 16 | number(2) }
            states[index % 64] = next
            bytes.append(UInt8(symbol))
          }
          if states != [Int](repeating: 65536, count: 64) { return ([], kinds) }
        }
      }
      return (bytes, kinds)
    }
  }

  @Test(arguments: [4000, 4001, 4031, 4032, 4033, 4095, 4096, 50_003], [5, 20])
  func `a stream is as specified, and comes back`(_ count: Int, _ spread: UInt64) throws {
    let content = Self.skewed(count, spread, seed: UInt64(count))
    let stream = try #require(Self.packed(content))
    var reader = Reader(stream: stream)
    let (bytes, kinds) = reader.content()
    #expect(bytes == content)
    #expect(kinds.contains(1))
    #expect(try Self.unpacked(stream, room: content.count) == content)
    #expect(try Self.unpacked(stream, room: content.count + 9) == content)
    #expect(throws: CheckpointError.self) { try Self.unpacked(stream, room: content.count - 1) }
    // Close to what the bytes are worth.
    let (bits, _) = FixedLogarithm.entropy(of: content.rawBytes)
    #expect(stream.count * 8 <= bits + bits / 400 + 8 * 400 * kinds.count, "\(stream.count)")
  }

  @Test func `the example of the specification is read`() throws {
    let stream: [UInt8] =
      [0x11, 0, 0, 0, 0, 6, 0x8c, 0, 0, 0, 0x84, 0]
      + [0, 0x54, 1, 0, 0, 0x54, 1, 0, 0, 0x0c, 4, 0, 0, 0x54, 1, 0]
      + (0..<60).flatMap { _ in [0, 0, 1, 0] as [UInt8] }
    #expect(try Self.unpacked(stream, room: 4) == [7, 7, 9, 7])
  }

  @Test func `noise and equal bytes stand beside coded ones`() throws {
    let content =
      Self.skewed(40_000, 9, seed: 1) + noise(70_000, seed: 2)
      + [UInt8](repeating: 7, count: 99_000)
      + Self.skewed(33_000, 30, seed: 3)
    let parts = [40_000, 70_000, 99_000, 33_000]
    var packed: PlaneCodec.Packed?
    let memory = [UInt8](count: PlaneCodec.maxStreamSize(content.count)) { target in
      packed = PlaneCodec.pack(
        content.rawBytes, parts: parts, rangedIfSaving: 0, into: &target)
    }
    let made = try #require(packed)
    try #require(made.isRanged)
    let stream = Array(memory[..<made.count])
    var reader = Reader(stream: stream)
    let (bytes, kinds) = reader.content()
    #expect(bytes == content && Set(kinds) == [0, 1, 2])
    #expect(try Self.unpacked(stream, room: content.count) == content)
  }

  @Test(arguments: [1, 2, 31, 63, 64, 65, 127, 128, 191, 1000, 4096, 50_001])
  func `kernels with and without vectors agree`(_ count: Int) {
    // Of two frequencies near both ends, and of many.
    var all: [[UInt16]] = [.init(repeating: 16, count: 256)]
    for rare in [1, 3] as [UInt16] {
      all.append([rare, 4096 - rare] + .init(repeating: 0, count: 254))
    }
    for parts in all {
      let used = parts.count { $0 > 0 }
      let bytes = noise(count, seed: UInt64(used)).map { UInt8(Int($0) % used) }
      let room = 288 + 2 * count
      var (stream, other) = ([UInt8](repeating: 1, count: room), [UInt8](repeating: 2, count: room))
      let size = unsafe ckpt_ans_encode(parts, bytes, count, &stream, room)
      #expect(unsafe portable_ans_encode(parts, bytes, count, &other, room) == size)
      #expect(stream[..<size] == other[..<size])
      var memory = [UInt32](repeating: 0, count: ckpt_ans_memory() / 4)
      var back = [UInt8](repeating: 0, count: count)
      let exact = Array(stream[..<size])
      #expect(unsafe ckpt_ans_decode(&memory, parts, exact, size, &back, count) == size)
      #expect(back == bytes)
      back = [UInt8](repeating: 0, count: count)
      #expect(unsafe portable_ans_decode(&memory, parts, exact, size, &back, count) == size)
      #expect(back == bytes)
      #expect(unsafe ckpt_ans_decode(&memory, parts, exact, size - 1, &back, count) < size)
      #expect(unsafe portable_ans_decode(&memory, parts, exact, size - 1, &back, count) < size)
    }
  }

  @Test func `it must save enough`() {
    let content = Self.skewed(300_000, 5, seed: 4)
    #expect(Self.packed(content, saving: 1 << 20) != nil)
    #expect(Self.packed(content, saving: 10) == nil)
    #expect(Self.packed([]) == [0, 0, 0, 0])
  }

  @Test func `every cut and every damage is refused or read`() throws {
    let content = Self.skewed(1500, 20, seed: 5)
    let stream = try #require(Self.packed(content))
    for count in 1..<stream.count {
      #expect(throws: CheckpointError.self, "\(count)") {
        try Self.unpacked(Array(stream[..<count]), room: content.count)
      }
    }
    var random = SplitMix(seed: 6)
    for _ in 0..<1000 {
      var damaged = stream
      for _ in 0...random.below(3) {
        damaged[random.below(random.below(2) == 0 ? 300 : stream.count)] ^=
          1 << UInt8(random.below(8))
      }
      let bytes = try? Self.unpacked(damaged, room: content.count)
      // States that must end where the writer began find nearly all.
      #expect(bytes != content || damaged == stream)
    }
  }
}
