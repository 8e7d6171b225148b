import ByteIO
import FoundationEssentials
@testable import CheckpointFormats
import ParallelWork
import TensorCore
import TestSupport
import Testing

/// Chunks of every texture, packed with the filter that is chosen for them, and unpacked again.
@Suite struct NativeChunkTests {
  static let trials =
    ProcessInfo.processInfo.environment["CKPT_FUZZ_TRIALS"].flatMap { Int($0) } ?? 15

  /// What the numbers of a chunk are like.
  enum Texture: CaseIterable {
    case noise, normal, pruned, signedZeros, bfloat16, float16, float32, few, ascending, positive,
      short,
      levels, prunedLevels, repeating, special

    /// Words of 4 bytes, or of 8 for float64.
    func words(_ count: Int, width: Int, columns: Int, seed: UInt64) -> [UInt64] {
      var random = SplitMix(seed: seed)
      // A sum of uniform numbers is as good as a normal one here.
      func number() -> Float {
        let sum = (0..<4).reduce(Float(0)) { sum, _ in sum + Float(random.next() >> 40) / 0x1p24 }
        return (sum - 2) * 0.03
      }
      let bits = UInt64(8 * width)
      let mask: UInt64 = width == 8 ? .max : 1 << bits - 1
      func word(_ value: Float) -> UInt64 {
        width == 8
          ? Double(value).bitPattern &+ (self == .normal ? random.next() >> 40 : 0)
          : width == 4 ? UInt64(value.bitPattern) : UInt64(value.bitPattern >> 16)
      }
      let table = (0..<37).map { _ in random.next() & mask }
      let scales = (0...max(count / max(columns, 1), columns)).map { _ in
        Float(sign: .plus, exponent: Int(random.next() % 20) - 10, significand: 1)
      }
      return (0..<count).map { index in
        switch self {
        case .noise: random.next() & mask
        case .normal: word(number())
        case .pruned: random.next() % 10 > 0 ? 0 : word(number())
        case .signedZeros:
          random.next() % 3 > 0 ? (random.next() & 1) << (bits - 1) : word(number())
        case .bfloat16: word(Float(bitPattern: number().bitPattern & 0xffff_0000))
        case .float16: word(Float(Float16(number())))
        case .float32: word(number())
        case .few: table[Int(random.next() % 37)]
        case .ascending: UInt64(index * 3) & mask
        case .positive: word(abs(number()))
        case .short: word(Float(bitPattern: number().bitPattern & 0xffff_f000))
        case .levels: word(number() * scales[index / columns] * scales[index % columns])
        case .prunedLevels:
          random.next() % 4 > 0
            ? 0 : word(number() * scales[index / columns] * scales[index % columns])
        case .repeating: table[index % 37] &+ UInt64(index / 1000) & mask
        case .special:
          word([.infinity, -.infinity, .nan, 1, -0.0, .leastNonzeroMagnitude][index % 6])
        }
      }
    }
  }

  static func bytes(_ words: [UInt64], width: Int) -> [UInt8] {
    words.flatMap { word in (0..<width).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) } }
  }

  static func packed(
    _ chunk: [UInt8], _ packing: NativePacking, columns: [Int]
  ) -> (stream: [UInt8], filter: NativeFilter) {
    let encoder = NativeChunkEncoder.pool.acquire()
    defer { NativeChunkEncoder.pool.release(encoder) }
    var found = (count: 0, filter: NativeFilter.raw)
    let memory = [UInt8](count: NativeLayout.maxStreamSize(chunk.count)) { target in
      found = encoder.value.encode(chunk.rawBytes, packing, columns: columns, into: &target)
    }
    return (Array(memory[..<found.count]), found.filter)
  }

  static func unpacked(
    _ stream: [UInt8], _ filter: NativeFilter, count: Int
  ) throws(CheckpointError) -> [UInt8] {
    let decoder = NativeChunkDecoder.pool.acquire()
    defer { NativeChunkDecoder.pool.release(decoder) }
    return try [UInt8](count: count) { target throws(CheckpointError) in
      try decoder.value.decode(stream.rawBytes, filter, into: &target)
    }
  }

  @Test(arguments: Texture.allCases, [2, 4, 8])
  func `a chunk comes back`(_ texture: Texture, _ width: Int) throws {
    var names: Set<String> = []
    for (seed, count) in [1, 5, 63, 64, 65, 777, 4096, 16_384, 30_001, 1 << 20 / width].enumerated()
    {
      let columns = [200, 31, 256][seed % 3]
      let words = texture.words(count, width: width, columns: columns, seed: UInt64(seed))
      let chunk = Self.bytes(words, width: width)
      for kind in [NativePacking.Kind.float, .integer] {
        for effort in [NativePacking.Effort.fast, .standard, .small] {
          // A whole chunk takes long without optimization.
          if count > 100_000, effort != .standard || kind != .float { continue }
          let packing = NativePacking(kind: kind, width: width, effort: effort)
          let (stream, filter) = Self.packed(chunk, packing, columns: [columns])
          names.insert(filter.name)
          let size = chunk.count + chunk.count / 64 + 1024
          #expect(stream.count <= size, "the limit for a stream")
          #expect(NativeFilter(name: filter.name) == filter)
          let back = try Self.unpacked(stream, filter, count: chunk.count)
          #expect(back == chunk, "\(filter.name), \(count) words, \(kind), \(effort)")
        }
      }
    }
    let expected: [Texture: String] = [
      .pruned: "sparse", .signedZeros: "sparse", .bfloat16: width > 2 ? "bf16" : "planes",
      .few: "palette", .ascending: "differences", .positive: width < 8 ? "bits" : "f32",
      .levels: width < 8 ? "levels" : "f32", .prunedLevels: "sparse",
      .float32: width == 8 ? "f32" : "planes",
    ]
    if let step = expected[texture] {
      #expect(names.contains { $0.contains(step) }, "\(step) in \(names.sorted())")
    }
  }

  @Test(arguments: [2, 4], [NativePacking.Effort.standard, .small])
  func `a sample that promises too much costs no more than planes`(
    _ width: Int, _ effort: NativePacking.Effort
  ) throws {
    // Levels in the rows that are looked at, and noise in all others, which levels make longer.
    let (columns, count) = (16, 1 << 20 / width)
    let rows = count / columns
    let levels = Texture.levels.words(count, width: width, columns: columns, seed: 3)
    var words = Texture.noise.words(count, width: width, columns: columns, seed: 4)
    for row in 0..<32 {
      let start = (rows - 1) * row / 31 * columns
      words.replaceSubrange(start..<start + columns, with: levels[start..<start + columns])
    }
    let chunk = Self.bytes(words, width: width)
    let packing = NativePacking(kind: .float, width: width, effort: effort)
    let (stream, filter) = Self.packed(chunk, packing, columns: [columns])
    #expect(stream.count <= NativeLayout.maxStreamSize(chunk.count))
    #expect(try Self.unpacked(stream, filter, count: chunk.count) == chunk, "\(filter.name)")
  }

  @Test(arguments: [1, 3, 17, 18, 34, 66, 210])
  func `blocks and bytes come back`(_ size: Int) throws {
    for count in [size, 7 * size, 100_000 / size * size, 65_536] {
      let chunk = zip(0..., noise(count, seed: 4)).map { $0 % size < 2 ? UInt8($0 % 5) : $1 & 0x3f }
      let packing = NativePacking(kind: size == 1 ? .integer : .block, width: size)
      let (stream, filter) = Self.packed(chunk, packing, columns: [])
      #expect(filter.isPlain && filter.layout == .planes && filter.width == size)
      #expect(try Self.unpacked(stream, filter, count: chunk.count) == chunk)
    }
  }

  @Test(arguments: NativeFilterTests.names.dropFirst())
  func `content that is not a filter's is refused, and nothing traps`(_ name: String) throws {
    let filter = try #require(NativeFilter(name: name))
    let width = filter.wideWidth
    var random = SplitMix(seed: 9)
    for round in 0..<4 * Self.trials {
      let count = [1, 8, 9, 64, 100, 1000][round % 6]
      let size = Int(random.next() % UInt64(2 * count * width + 40))
      var content = noise(size, seed: random.next())
      if round % 3 > 0 { content = content.map { $0 & 3 } }
      let stream = try Zlib.deflate(content.rawBytes, level: 1)
      // Either is right: noise may be what a filter gives.
      _ = try? Self.unpacked(stream, filter, count: count * width)
      #expect(throws: CheckpointError.self) {
        try Self.unpacked([0x78, 1] + noise(20, seed: UInt64(round)), filter, count: count * width)
      }
    }
    #expect(throws: CheckpointError.self) {
      let empty = try Zlib.deflate([UInt8]().rawBytes, level: 1)
      return try Self.unpacked(empty, filter, count: 64 * width)
    }
  }
}
