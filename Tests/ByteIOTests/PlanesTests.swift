import ByteIO
import Glibc
import TensorCore
import TestSupport
import Testing

/// The rearrangement in its simplest form: bit by bit.
func reference(_ bytes: [UInt8], width: Int, rotated: Bool) -> [UInt8] {
  let words = stride(from: 0, to: bytes.count, by: width).map { start in
    let bits = (0..<width * 8).map { bytes[start + $0 / 8] >> UInt8($0 % 8) & 1 }
    return rotated ? [bits[bits.count - 1]] + bits.dropLast() : bits
  }
  return (0..<width).flatMap { plane in
    words.map { bits in (0..<8).reduce(UInt8(0)) { $0 | bits[plane * 8 + $1] << UInt8($1) } }
  }
}

struct Words: CustomTestStringConvertible {
  let width: Int
  let rotated: Bool
  var testDescription: String { "\(rotated ? "rotated " : "")words of \(width)" }

  static let all = [1, 2, 4, 8].flatMap { width in
    (width == 1 ? [false] : [false, true]).map { Words(width: width, rotated: $0) }
  }
}

@Suite struct PlanesTests {
  static let counts = [0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 129, 1000]

  @Test(arguments: Words.all, counts)
  func `planes equal those of the simple definition`(_ words: Words, _ count: Int) throws {
    let bytes = noise(count * words.width, seed: UInt64(count))
    let split = [UInt8](count: bytes.count) { target in
      Planes.split(bytes.rawBytes, width: words.width, rotated: words.rotated, into: &target)
    }
    #expect(split == reference(bytes, width: words.width, rotated: words.rotated))
    let merged = [UInt8](count: bytes.count) { target in
      Planes.merge(split.rawBytes, width: words.width, rotated: words.rotated, into: &target)
    }
    #expect(merged == bytes)
  }

  @Test(arguments: [3, 5, 12, 16])
  func `words of any other width are also split`(width: Int) {
    for count in [0, 1, 2, 7, 100] {
      let bytes = noise(count * width, seed: 5)
      let split = [UInt8](count: bytes.count) { target in
        Planes.split(bytes.rawBytes, width: width, rotated: false, into: &target)
      }
      #expect(split == reference(bytes, width: width, rotated: false))
      let merged = [UInt8](count: bytes.count) { target in
        Planes.merge(split.rawBytes, width: width, rotated: false, into: &target)
      }
      #expect(merged == bytes)
    }
  }

  @Test func `a rotated float keeps its exponent in the last plane`() {
    let bytes: [UInt8] = [0x00, 0x00, 0x80, 0xbf]  // -1 as float32: sign 1, exponent 127
    let planes = [UInt8](count: 4) { target in
      Planes.split(bytes.rawBytes, width: 4, rotated: true, into: &target)
    }
    #expect(planes == [1, 0, 0, 127])
  }
}

@Suite struct FixedLogarithmTests {
  @Test func `products are those of real logarithms`() {
    for number in Array(0...10_000) + [65_535, 65_536, 262_144, 1_000_000, 1 << 20] {
      let exact = number > 1 ? Double(number) * log2(Double(number)) * 1024 : 0
      // Each logarithm is rounded down to a unit, those of large numbers after 12 bits.
      let error = exact - Double(FixedLogarithm.product(number))
      #expect(error >= -1e-6 && error <= 2 * Double(number), "\(number)")
    }
  }

  @Test func `the entropy of bytes is that of their counts`() {
    let all = (0...255).map { UInt8($0) }
    let even = FixedLogarithm.entropy(of: all.rawBytes)
    #expect(even.bits == 2048 && even.used == 256)
    let sevens = [UInt8](repeating: 7, count: 5000)
    let one = FixedLogarithm.entropy(of: sevens.rawBytes)
    #expect(one.bits == 0 && one.used == 1)
    // A quarter of one byte and three of another: 0.8113 bits each.
    let bits = (0..<4096).map { UInt8($0 % 4 == 0 ? 1 : 0) }
    let two = FixedLogarithm.entropy(of: bits.rawBytes)
    #expect((3318...3332).contains(two.bits) && two.used == 2)
  }
}

@Suite struct PlaneCodecTests {
  private func decode(_ stream: [UInt8], _ words: Words, count: Int) throws -> [UInt8] {
    try [UInt8](count: count) { target throws(CheckpointError) in
      try PlaneCodec.decode(
        stream.rawBytes, width: words.width, rotated: words.rotated, into: &target)
    }
  }

  @Test(arguments: Words.all, [0, 1, 2, 5, 64, 1000, 16_384, 70_001])
  func `chunks of every texture come back`(_ words: Words, _ count: Int) throws {
    let size = count * words.width
    let textures: [[UInt8]] = [
      noise(size, seed: 3), Array(repeating: 0, count: size), Array(repeating: 0xa5, count: size),
      noise(size, seed: 4).map { $0 & 7 }, (0..<size).map { UInt8(truncatingIfNeeded: $0) },
      zip(0..., noise(size, seed: 5)).map { $0 % words.width == 0 ? UInt8($0 % 5) : $1 },
    ]
    for bytes in textures {
      let stream = PlaneCodec.encode(
        bytes.rawBytes, width: words.width, rotated: words.rotated)
      #expect(try decode(stream, words, count: size) == bytes)
      let planes = try [UInt8](count: size) { target throws(CheckpointError) in
        try Zlib.inflate(stream.rawBytes, into: &target)
      }
      #expect(planes == reference(bytes, width: words.width, rotated: words.rotated), "by zlib")
      #expect(stream.count <= size + size / 64 + 1024, "the native format's limit for a stream")
    }
  }

  @Test(arguments: Words.all, [0, 1, 6, 9])
  func `any zlib stream of the planes is read`(_ words: Words, _ level: Int) throws {
    let bytes = noise(4096 * words.width, seed: 9).map { $0 & 0x1f }
    let planes = reference(bytes, width: words.width, rotated: words.rotated)
    let stream = try Zlib.deflate(planes.rawBytes, level: level)
    #expect(try decode(stream, words, count: bytes.count) == bytes)
  }

  @Test func `noise is stored, exponents are coded, runs almost vanish`() throws {
    let count = 1 << 18
    func size(_ bytes: [UInt8]) -> Int {
      PlaneCodec.encode(bytes.rawBytes, width: 4, rotated: false).count
    }
    let random = noise(4 * count, seed: 5)
    let stored = size(random)
    #expect(stored > 4 * count && stored < 4 * count + 400)
    var lastOfFour = random
    for index in 0..<count { lastOfFour[4 * index + 3] &= 3 }  // two bits of eight are left
    let coded = size(lastOfFour)
    #expect((3 * count + count / 4..<3 * count + count / 3).contains(coded))
    #expect(size(Array(repeating: 0, count: 4 * count)) < 8000)
  }

  @Test(arguments: Words.all, [0, 1, 700, 4096, 5000])
  func `two chunks are read at once`(_ words: Words, _ middle: Int) throws {
    let bytes = noise(5000 * words.width, seed: 6).map { $0 & 0x0f }
    let halves = [bytes[..<(middle * words.width)], bytes[(middle * words.width)...]]
    var streams = halves.map {
      PlaneCodec.encode(Array($0).rawBytes, width: words.width, rotated: words.rotated)
    }
    func both() -> [UInt8]? {
      var isSound = false
      let (first, second) = (streams[0], streams[1])
      let read = [UInt8](count: bytes.count) { target in
        isSound = PlaneCodec.decodeTwo(
          first.rawBytes, second.rawBytes, width: words.width, rotated: words.rotated,
          into: &target, dividedAt: middle * words.width)
      }
      return isSound ? read : nil
    }
    #expect(both() == bytes)
    for half in 0..<2 {
      for place in [0, 2, streams[half].count - 1] {
        streams[half][place] ^= 1
        #expect(both() == nil)
        streams[half][place] ^= 1
      }
    }
  }

  @Test(arguments: [0, 1, 300, 70_001])
  func `a stream that holds less than there is room for says how much`(_ count: Int) throws {
    for bytes in [noise(count, seed: 2), noise(count, seed: 2).map { $0 & 3 }] {
      let ours = PlaneCodec.encode(bytes.rawBytes, width: 1, rotated: false)
      for stream in [ours] + (try [0, 1, 6].map { try Zlib.deflate(bytes.rawBytes, level: $0) }) {
        for room in [0, 1, 1000] {
          var made = 0
          let target = try [UInt8](count: count + room) { target throws(CheckpointError) in
            made = try PlaneCodec.unpack(stream.rawBytes, into: &target)
          }
          #expect(made == count && target[..<count] == bytes[...])
        }
        if count > 0 {
          #expect(throws: CheckpointError.self) {
            try [UInt8](count: count - 1) { target throws(CheckpointError) in
              _ = try PlaneCodec.unpack(stream.rawBytes, into: &target)
            }
          }
        }
        let cut = Array(stream.dropLast())
        #expect(throws: CheckpointError.self) {
          try [UInt8](count: count + 9) { target throws(CheckpointError) in
            _ = try PlaneCodec.unpack(cut.rawBytes, into: &target)
          }
        }
      }
    }
  }

  @Test func `a stream of a different length is refused`() throws {
    let stream = try Zlib.deflate(noise(400, seed: 1).rawBytes, level: 6)
    let words = Words(width: 4, rotated: true)
    #expect(throws: CheckpointError.self) { try decode(stream, words, count: 396) }
    #expect(throws: CheckpointError.self) { try decode(stream, words, count: 404) }
  }
}
