import ByteIO
import CZlib
import TensorCore
import TestSupport
import Testing

/// The inflate kernel compared with zlib, on valid and on damaged streams.
@Suite struct InflateFuzzTests {
  /// zlib's result for a raw deflate stream that must hold `count` bytes.
  private func verdict(_ stream: [UInt8], count: Int) -> [UInt8]? {
    var stream = stream
    var target = [UInt8](repeating: 0, count: count + 1)
    var state = unsafe z_stream()
    unsafe inflateInit2_(&state, -15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    defer { unsafe inflateEnd(&state) }
    let status = unsafe stream.withUnsafeMutableBufferPointer { source in
      unsafe target.withUnsafeMutableBufferPointer { sink in
        unsafe state.next_in = source.baseAddress
        unsafe state.avail_in = UInt32(source.count)
        unsafe state.next_out = sink.baseAddress
        unsafe state.avail_out = UInt32(sink.count)
        return unsafe inflate(&state, Z_FINISH)
      }
    }
    let isExact = unsafe status == Z_STREAM_END && state.avail_in == 0 && state.avail_out == 1
    return isExact ? Array(target[..<count]) : nil
  }

  /// Bytes packed by zlib, which changes its parameters in the middle.
  private func deflated(_ bytes: [UInt8], _ dice: inout SplitMix) -> [UInt8] {
    var bytes = bytes
    var output = [UInt8](repeating: 0, count: 2 * bytes.count + 1000)
    var state = unsafe z_stream()
    unsafe deflateInit2_(
      &state, .random(in: 0...9, using: &dice), Z_DEFLATED, -15, .random(in: 1...9, using: &dice),
      .random(in: 0...4, using: &dice), ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    defer { unsafe deflateEnd(&state) }
    let half = bytes.count / 2
    unsafe bytes.withUnsafeMutableBufferPointer { source in
      unsafe output.withUnsafeMutableBufferPointer { sink in
        unsafe state.next_in = source.baseAddress
        unsafe state.avail_in = UInt32(half)
        unsafe state.next_out = sink.baseAddress
        unsafe state.avail_out = UInt32(sink.count)
        let flush = [Z_NO_FLUSH, Z_PARTIAL_FLUSH, Z_SYNC_FLUSH, Z_FULL_FLUSH, Z_BLOCK]
        _ = unsafe deflate(&state, flush.randomElement(using: &dice) ?? Z_NO_FLUSH)
        unsafe deflateParams(
          &state, .random(in: 0...9, using: &dice), .random(in: 0...4, using: &dice))
        unsafe state.avail_in += UInt32(source.count - half)
        _ = unsafe deflate(&state, Z_FINISH)
      }
    }
    return unsafe Array(output[..<Int(state.total_out)])
  }

  private func texture(_ dice: inout SplitMix) -> [UInt8] {
    let limits = [40, 3000, 3000, 80_000]
    let count = Int.random(in: 0..<limits.randomElement(using: &dice)!, using: &dice)
    let kind = Int.random(in: 0..<6, using: &dice)
    var bytes: [UInt8] = []
    for index in 0..<count {
      let draw = dice.next()
      switch kind {
      case 0: bytes.append(UInt8(truncatingIfNeeded: draw))
      case 1: bytes.append(UInt8(draw & 3))
      case 2: bytes.append(UInt8((draw | 1 << 40).trailingZeroBitCount))
      case 3 where index > 8 && draw % 4 != 0: bytes.append(bytes[index - 1 - Int(draw >> 8 & 7)])
      case 4 where draw % 100 != 0: bytes.append(7)
      case 5 where index > 300 && draw % 16 != 0: bytes.append(bytes[index - 300])
      default: bytes.append(UInt8(truncatingIfNeeded: draw >> 16))
      }
    }
    return bytes
  }

  private func damaged(_ stream: [UInt8], _ count: Int, _ dice: inout SplitMix) -> ([UInt8], Int) {
    var (stream, count) = (stream, count)
    switch Int.random(in: 0..<6, using: &dice) {
    case 0...2:
      for _ in 0...Int.random(in: 0..<3, using: &dice) {
        let limit = Bool.random(using: &dice) ? stream.count : min(stream.count, 40)
        stream[Int.random(in: 0..<limit, using: &dice)] ^=
          1 << UInt8.random(in: 0..<8, using: &dice)
      }
    case 3: stream.removeLast(Int.random(in: 0...stream.count, using: &dice))
    case 4: stream.append(UInt8.random(in: 0...255, using: &dice))
    default: count += count == 0 || Bool.random(using: &dice) ? 1 : -1
    }
    return (stream, count)
  }

  @Test(arguments: ByteKernels.all, 1...4)
  func `the kernel accepts what zlib accepts, with the same bytes`(
    _ kernels: ByteKernels, _ seed: UInt64
  ) {
    var dice = SplitMix(seed: seed)
    var accepted = 0
    for _ in 0..<60 {
      let bytes = texture(&dice)
      let sound = deflated(bytes, &dice)
      for change in 0..<8 {
        let (stream, count) =
          change == 0 ? (sound, bytes.count) : damaged(sound, bytes.count, &dice)
        let expected = verdict(stream, count: count)
        if change == 0 { #expect(expected == bytes) }
        accepted += expected == nil ? 0 : 1
        #expect(kernels.inflated([(stream, count)]) == [expected])
        #expect(kernels.inflated([(stream, count), (sound, bytes.count)]) == [expected, bytes])
        #expect(kernels.inflated([(sound, bytes.count), (stream, count)]) == [bytes, expected])
      }
    }
    #expect((61...300).contains(accepted), "\(accepted) accepted: the damage is of the right kind")
  }

  @Test(arguments: 1...3)
  func `the reader accepts what zlib accepts`(_ seed: UInt64) throws {
    var dice = SplitMix(seed: seed)
    for _ in 0..<60 {
      let bytes = texture(&dice)
      let level = Int.random(in: 0...9, using: &dice)
      let sound = try Zlib.deflate(bytes.rawBytes, level: level)
      for change in 0..<6 {
        let (stream, count) =
          change == 0 ? (sound, bytes.count) : damaged(sound, bytes.count, &dice)
        let expected = try? [UInt8](count: count) { target throws(CheckpointError) in
          try Zlib.inflate(stream.rawBytes, into: &target)
        }
        let found = try? [UInt8](count: count) { target throws(CheckpointError) in
          try PlaneCodec.decode(stream.rawBytes, width: 1, rotated: false, into: &target)
        }
        #expect(found == expected)
      }
    }
  }

  @Test(arguments: ByteKernels.all)
  func `the kernel takes plain streams and leaves others to zlib`(_ kernels: ByteKernels) throws {
    let runs = [UInt8](repeating: 5, count: 4000) + [UInt8](0...20)
    let ours = PlaneCodec.encode(runs.rawBytes, width: 1, rotated: false)
    let plain = (Array(ours[2..<ours.count - 4]), runs.count)
    #expect(kernels.inflated([plain], plainOnly: true) == [runs])
    let bytes = (0..<20_000).map { UInt8(truncatingIfNeeded: ($0 % 300) &* ($0 % 300) >> 3) }
    let stream = try Zlib.deflate(bytes.rawBytes, level: 6)
    let general = (Array(stream[2..<stream.count - 4]), bytes.count)
    #expect(kernels.inflated([general]) == [bytes])
    #expect(kernels.inflated([general], plainOnly: true) == [nil])
    #expect(kernels.inflated([plain, general], plainOnly: true) == [runs, nil])
  }

  /// Headers of dynamic blocks that zlib refuses or accepts for special reasons.
  static let heads: [(String, [(value: Int, bits: Int)])] = {
    func block(
      _ literals: Int, _ distances: Int, _ lengths: [Int], _ rest: [(Int, Int)]
    ) -> [(value: Int, bits: Int)] {
      [(1, 1), (2, 2), (literals - 257, 5), (distances - 1, 5), (lengths.count - 4, 4)]
        + lengths.map { ($0, 3) } + rest
    }
    let order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
    func lengths(_ words: [Int: Int]) -> [Int] { order.map { words[$0] ?? 0 } }
    return [
      ("too many literals", block(287, 1, lengths([0: 1, 1: 1]), [])),
      ("too many distances", block(257, 31, lengths([0: 1, 1: 1]), [])),
      ("no lengths", block(257, 1, lengths([:]), [(0, 8)])),
      ("one length only", block(257, 1, lengths([1: 1]), [(0, 8)])),
      ("too many words", block(257, 1, lengths([0: 1, 1: 1, 2: 1]), [(0, 8)])),
      ("repeats nothing", block(257, 1, lengths([0: 2, 1: 2, 16: 1]), [(0, 8)])),
      // Words: 0 is '0', 1 is '10', 18 is '11'. 255 zeros, two ones, a zero: no word but the end's
      // would be enough, with that of 255 the code is complete.
      (
        "two words",
        block(
          257, 1, lengths([0: 1, 1: 2, 18: 2]),
          [(3, 2), (127, 7), (3, 2), (106, 7), (1, 2), (1, 2), (0, 1), (1, 1)])
      ),
      (
        "the end's word only",
        block(
          257, 1, lengths([0: 1, 1: 2, 18: 2]),
          [(3, 2), (127, 7), (3, 2), (107, 7), (1, 2), (0, 1), (0, 1)])
      ),
      (
        "no word for the end",
        block(
          257, 1, lengths([0: 1, 1: 2, 18: 2]),
          [(3, 2), (127, 7), (3, 2), (105, 7), (1, 2), (1, 2), (0, 1), (0, 1), (0, 1)])
      ),
      (
        "repeats beyond the end",
        block(257, 1, lengths([0: 1, 1: 2, 18: 2]), [(3, 2), (127, 7), (3, 2), (127, 7)])
      ),
    ]
  }()

  @Test(arguments: ByteKernels.all, heads.map(\.0))
  func `block headers at the limits`(_ kernels: ByteKernels, _ name: String) throws {
    let fields = try #require(Self.heads.first { $0.0 == name }).1
    let bits = fields.flatMap { field in (0..<field.bits).map { field.value >> $0 & 1 } }
    var stream = stride(from: 0, to: bits.count, by: 8).map { start in
      bits[start..<min(start + 8, bits.count)].enumerated()
        .reduce(UInt8(0)) { $0 | UInt8($1.element << $1.offset) }
    }
    let expected = verdict(stream, count: 0)
    #expect((expected != nil) == ["two words", "the end's word only"].contains(name))
    #expect(kernels.inflated([(stream, 0)]) == [expected])
    stream += [0, 0]
    #expect(kernels.inflated([(stream, 0)]) == [verdict(stream, count: 0)])
  }
}
