import ByteIO
import TestSupport
import Testing

/// Filters that keep the number of words or bytes.
@Suite struct WordFilterTests {
  @Test(arguments: FilterWords.all)
  func `differences are as defined, and add up`(_ sample: FilterWords) {
    for count in filterCounts {
      let words = sample.words(count)
      let expected = zip(words, [0] + words).map { cut($0 &- $1, width: sample.width) }
      let bytes = words.bytes(width: sample.width)
      var encoded = [UInt8](count: bytes.count) {
        WordDifferences.encode(bytes.rawBytes, width: sample.width, into: &$0)
      }
      #expect(encoded == expected.bytes(width: sample.width), "\(count)")
      encoded.fillBytes { WordDifferences.decode(&$0, width: sample.width) }
      #expect(encoded == bytes, "\(count)")
    }
  }

  @Test(arguments: FilterWords.all)
  func `deltas are as defined, and come back`(_ sample: FilterWords) {
    let width = sample.width
    let bits = UInt64(8 * width)
    for count in filterCounts {
      let words = sample.words(count)
      for base in [noise(count * width, seed: 8), words.reversed().bytes(width: width)] {
        let expected = zip(words, base.words(width: width)).map { word, base in
          let delta = cut(word &- base, width: width)
          return delta >> (bits - 1) == 0
            ? delta << 1 : cut(~(delta << 1), width: width)  // -1 is 1, -2 is 3
        }
        let bytes = words.bytes(width: width)
        var encoded = [UInt8](count: bytes.count) {
          WordDeltas.encode(bytes.rawBytes, base: base.rawBytes, width: width, into: &$0)
        }
        #expect(encoded == expected.bytes(width: width), "\(count)")
        encoded.fillBytes { WordDeltas.decode(&$0, base: base.rawBytes, width: width) }
        #expect(encoded == bytes, "\(count)")
      }
    }
  }

  @Test(arguments: FilterWords.wide)
  func `words are rotated by one bit, of eight bytes by five`(_ sample: FilterWords) {
    let width = sample.width
    let left = UInt64(width == 8 ? 5 : 1)
    for count in filterCounts {
      let words = sample.words(count)
      let expected = words.map { cut($0 << left, width: width) | $0 >> (UInt64(8 * width) - left) }
      let bytes = words.bytes(width: width)
      var rotated = [UInt8](count: bytes.count) {
        WordRotation.rotate(bytes.rawBytes, width: width, into: &$0)
      }
      #expect(rotated == expected.bytes(width: width), "\(count)")
      rotated.fillBytes { WordRotation.rotateBack(&$0, width: width) }
      #expect(rotated == bytes, "\(count)")
    }
  }

  @Test func `bytes are divided into planes of bits, and come back`() {
    for count in filterCounts + [1 << 18] {
      let bytes = noise(count, seed: 3)
      let expected = (0..<8).flatMap { bit in
        packed(bytes.map { Int($0 >> UInt8(bit) & 1) }, width: 1)
      }
      let planes = [UInt8](count: expected.count) { BitPlanes.split(bytes.rawBytes, into: &$0) }
      #expect(planes == expected, "\(count)")
      let merged = [UInt8](count: count) { BitPlanes.merge(planes.rawBytes, into: &$0) }
      #expect(merged == bytes, "\(count)")
      let damaged = noise(planes.count, seed: 4)
      _ = [UInt8](count: count) { BitPlanes.merge(damaged.rawBytes, into: &$0) }
    }
  }

  @Test(arguments: [1, 2, 3, 15, 16, 17, 18, 20, 31, 32, 33, 34, 84, 210, 292, 512])
  func `blocks are divided into planes, and come back`(size: Int) {
    for count in [0, 1, 2, 7, 8, 15, 16, 17, 31, 32, 33, 100, 1000] {
      let rest = size == 1 ? 0 : count % 5 % size
      let blocks = noise(count * size + rest, seed: 3)
      let planes = (0..<size).flatMap { byte in (0..<count).map { blocks[$0 * size + byte] } }
      let expected = planes + blocks.suffix(rest)
      let split = [UInt8](count: blocks.count) {
        BlockPlanes.split(blocks.rawBytes, size: size, into: &$0)
      }
      #expect(split == expected, "\(count)")
      let merged = [UInt8](count: blocks.count) {
        BlockPlanes.merge(split.rawBytes, size: size, into: &$0)
      }
      #expect(merged == blocks, "\(count)")
    }
  }
}
